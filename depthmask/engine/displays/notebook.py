"""Shows a run in one output of a notebook cell: its lines, and below them a bar that moves."""

from __future__ import annotations

import html
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from depthmask.config.root import ProgressStyle
from depthmask.engine.displays.lines import formatted
from depthmask.engine.displays.pace import Pace
from depthmask.engine.displays.screen import Screen
from depthmask.untrusted import visible

_LEAST_S = 0.2
"""The shortest time between two states of a bar."""
_WIDTH = 20
"""The characters of a bar where a front end shows no HTML."""


def in_notebook() -> bool:
    """Whether a Jupyter kernel runs this process. IPython is not imported to know that."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return getattr(shell, "kernel", None) is not None


class Notebook(Screen):
    """Shows lines and bars in one output, which changes; a bar replaces the one before."""

    def __init__(self) -> None:
        super().__init__(ProgressStyle.bar)
        self._lines: list[str] = []
        self._waiting = ""
        self._pace: Pace | None = None
        self._handle: Any = None
        self._shown_at = 0.0
        # A stage may advance the bar, or log a warning, from a thread of its own.
        self._lock = threading.RLock()

    def line(self, text: str, event: str = "line", **facts: Any) -> None:
        """Add a line; one about waiting stands below the others until the next change."""
        with self._lock:
            line = formatted(self.style.name, text, event)
            self._waiting = line if event == "waiting" else ""
            self._lines += [] if event == "waiting" else [line]
            self._show()

    @contextmanager
    def bar(self, title: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
        """Show how far a piece of work is; the bar stays where it ends. Nothing without work."""
        if not total:
            yield lambda units: None
            return
        pace = Pace(title, total, unit)

        def advance(count: int) -> None:
            with self._lock:
                pace.advance(count)
                if time.monotonic() - self._shown_at >= _LEAST_S:
                    self._show()

        self._show_bar(pace)
        try:
            yield advance
            pace.finish()
        finally:
            self._show_bar(pace)

    def _show_bar(self, pace: Pace) -> None:
        with self._lock:
            self._pace, self._waiting = pace, ""
            self._show()

    def _show(self) -> None:
        # Imported here, since only a notebook has it.
        from IPython.display import display

        self._shown_at = time.monotonic()
        state = {"text/plain": self._text(), "text/html": self._html()}
        if self._handle is None:
            self._handle = display(state, raw=True, display_id=True)
        else:
            self._handle.update(state, raw=True)

    def _text(self) -> str:
        bars = []
        if self._pace is not None:
            full = _WIDTH * self._pace.done // self._pace.of
            bars = [f"{'━' * full}{' ' * (_WIDTH - full)} {visible(str(self._pace))}"]
        return "\n".join([*self._lines, *bars, *filter(None, [self._waiting])])

    def _html(self) -> str:
        bar = ""
        if self._pace is not None:
            done, total = self._pace.done, self._pace.of
            pace = html.escape(visible(str(self._pace)))
            bar = f'<progress value="{done}" max="{total}"></progress> {pace}'
        lines = html.escape("\n".join(self._lines))
        return f"<pre>{lines}</pre><div>{bar}</div><div>{html.escape(self._waiting)}</div>"
