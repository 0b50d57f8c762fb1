"""The display of work that is started from Python."""

from __future__ import annotations

import io
import sys
from types import SimpleNamespace

import pytest

from depthmask.config.root import ProgressStyle
from depthmask.engine.display import Display
from depthmask.engine.displays.choice import display_of
from depthmask.engine.displays.screen import Screen
from depthmask.errors import DepthmaskError, UsageError
from depthmask.networks.shown import bar_of_downloads
from tests.support.displays import Shown


def test_the_setting_counts_unless_the_caller_asks_for_more() -> None:
    for progress, setting, style in [
        ("auto", ProgressStyle.json, ProgressStyle.json),
        ("none", ProgressStyle.json, ProgressStyle.none),
        ("auto", ProgressStyle.auto, ProgressStyle.lines),
    ]:
        with display_of(progress, setting) as display:
            assert isinstance(display, Screen)
            assert display.style is style


def test_a_display_of_the_caller_shows_downloads_too() -> None:
    shown = Shown()
    with display_of(shown) as display:
        display.line("one", "note", number=1)
        bar = bar_of_downloads()
        assert bar is not None
        with bar("weights.h5", 4, "bytes") as advance:
            advance(4)
    assert (shown.lines, shown.done) == (["one", "weights.h5 4 bytes"], [4])
    assert bar_of_downloads() is None


def test_an_object_that_is_no_display() -> None:
    class Half:
        def line(self, text: str) -> None:
            raise AssertionError

        def __repr__(self) -> str:
            return "half"

    with pytest.raises(UsageError) as caught:
        display_of(Half())  # type: ignore[arg-type]
    assert str(caught.value) == (
        "progress=half: must be one of auto, bar, lines, json, none, or an object with the methods "
        "of depthmask.Display, and this one has no bar"
    )


@pytest.mark.parametrize("method", ["line", "bar", "waiting"])
def test_a_display_that_fails_is_named(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """And not the stage that makes a sample meanwhile. An error of the work stays what it is."""
    shown = Shown()
    with display_of(shown) as display:
        with pytest.raises(ZeroDivisionError), display.waiting("long"), display.bar("a", 2, "b"):
            1 // 0  # noqa: B018
        monkeypatch.setattr(shown, method, lambda *arguments, **facts: 1 // 0)
        with pytest.raises(DepthmaskError, match=f"^progress: Shown.{method}: ZeroDivisionError"):
            _use(display)
        monkeypatch.undo()
        monkeypatch.setattr(shown, "done", None)
        with pytest.raises(DepthmaskError, match=r"^progress: Shown.bar: AttributeError"):
            _use(display)


def _use(display: Display) -> None:
    display.line("one", "note", number=1)
    with display.waiting("long"), display.bar("samples", 2, "samples") as advance:
        advance(2)


@pytest.mark.parametrize("style", list(ProgressStyle))
def test_a_stderr_that_a_program_has_replaced(
    style: ProgressStyle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By an object that can only write, or by nothing, or that was closed."""
    closed = io.StringIO()
    closed.close()
    for stderr in (SimpleNamespace(write=lambda text: None), None, closed):
        monkeypatch.setattr(sys, "stderr", stderr)
        _use(Screen(style))


def test_a_second_bar_is_shown_in_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """As of two threads; each bar would pass on what the other writes."""
    first, second = Screen(ProgressStyle.bar), Screen(ProgressStyle.bar)
    with first.bar("one", 2, "samples") as advance:
        advance(1)
        with second.bar("two", 2, "samples"):
            pass
    err = capsys.readouterr().err
    assert "two: 2 of 2 samples (100 %)" in err
    with second.bar("three", 2, "samples"):
        pass
    assert "━" in capsys.readouterr().err
