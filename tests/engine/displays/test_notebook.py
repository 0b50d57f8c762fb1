"""The display in a notebook: one output, whose bar moves."""

from __future__ import annotations

import sys
import types
from typing import Any

import IPython.display
import pytest

from depthmask.engine.displays import notebook
from depthmask.engine.displays.choice import display_of
from depthmask.engine.displays.notebook import Notebook, in_notebook
from depthmask.engine.displays.screen import Screen


class Outputs:
    """The outputs of a cell: their states, one list for each."""

    def __init__(self) -> None:
        self.states: list[list[str]] = []

    def display(self, state: dict[str, str], *, raw: bool, display_id: bool) -> Any:
        assert raw
        assert display_id
        states = [state["text/plain"]]
        self.states.append(states)
        self.html = state["text/html"]

        def update(state: dict[str, str], *, raw: bool) -> None:
            states.append(state["text/plain"])
            self.html = state["text/html"]

        return types.SimpleNamespace(update=update)


@pytest.fixture
def outputs(monkeypatch: pytest.MonkeyPatch) -> Outputs:
    made = Outputs()
    monkeypatch.setattr(IPython.display, "display", made.display)
    monkeypatch.setattr(notebook, "_LEAST_S", 0)
    return made


def test_lines_and_bars_share_one_output(outputs: Outputs) -> None:
    with Notebook() as display:
        display.line("2 < 3 backgrounds")
        display.line("checking ...", "waiting")
        with display.bar("backgrounds", 2, "backgrounds") as advance:
            advance(2)
        with display.bar("samples", 4, "samples") as advance:
            advance(1)
            display.line("a file is missing", "note")
        with display.bar("nothing", 0, "samples") as advance:
            advance(0)
    (states,) = outputs.states
    assert states[1] == "2 < 3 backgrounds\nchecking ..."
    assert states[2].startswith("2 < 3 backgrounds\n" + " " * 20 + " 0 of 2 backgrounds (0 %)")
    assert any("━━━━━                1 of 4 samples (25 %)" in state for state in states)
    assert states[-1].startswith(
        "2 < 3 backgrounds\nnote: a file is missing\n" + "━" * 20 + " 4 of 4 samples (100 %)"
    )
    assert "<pre>2 &lt; 3 backgrounds\nnote: " in outputs.html
    assert '<progress value="4" max="4"></progress> 4 of 4 samples' in outputs.html


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_bar_stays_where_the_work_ends(outputs: Outputs, error: type[BaseException]) -> None:
    def work() -> None:
        with Notebook() as display, display.bar("x", 4, "samples") as advance:
            advance(1)
            display.line("one")
            notebook._LEAST_S = 9  # Only the end shows what comes now.
            advance(1)
            raise error

    with pytest.raises(error):
        work()
    assert "2 of 4 samples (50 %)" in outputs.states[0][-1]


def test_a_notebook_is_one_with_a_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    shell = types.SimpleNamespace(kernel=None)
    fake = types.SimpleNamespace(get_ipython=lambda: shell)
    monkeypatch.setitem(sys.modules, "IPython", fake)
    assert not in_notebook()
    shell.kernel = object()
    assert in_notebook()
    assert isinstance(display_of("auto"), Notebook)
    assert isinstance(display_of("bar"), Notebook)
    assert type(display_of("lines")) is Screen
    monkeypatch.delitem(sys.modules, "IPython")
    assert not in_notebook()
    assert "IPython" not in sys.modules
