"""The display of work that is started from Python."""

from __future__ import annotations

import pytest

from depthmask.config.root import ProgressStyle
from depthmask.engine.displays.choice import display_of
from depthmask.engine.displays.screen import Screen
from depthmask.errors import UsageError
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
        assert display is shown
        bar = bar_of_downloads()
        assert bar is not None
        with bar("weights.h5", 4, "bytes") as advance:
            advance(4)
    assert (shown.lines, shown.done) == (["weights.h5 4 bytes"], [4])
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
