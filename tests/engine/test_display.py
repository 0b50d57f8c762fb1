"""The bar of the check of assets: shown if it takes long, and only then."""

from __future__ import annotations

import pytest

from depthmask.data import AssetCatalogue, Size
from depthmask.engine import display
from depthmask.engine.display import Silent, checking_assets
from depthmask.stages.source.rooms import Rooms
from tests.support.displays import Shown

SIZE = (24, 32)


class Slow(Rooms):
    """A source that reports how far its check has come."""

    def check(self, size: Size) -> AssetCatalogue:
        with self.progress(4) as advance:
            for _ in range(4):
                advance(1)
        return super().check(size)


@pytest.mark.parametrize("is_long", [True, False])
def test_a_bar_counts_what_was_looked_at(monkeypatch: pytest.MonkeyPatch, is_long: bool) -> None:
    monkeypatch.setattr(display, "_SHORT_S", -1 if is_long else 60)
    shown = Shown()
    with checking_assets(shown):
        Slow().check(SIZE)
    assert (shown.lines, shown.done) == ((["check 4 assets"], [1] * 4) if is_long else ([], []))


def test_a_bar_that_comes_late_counts_what_was_done_before(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0.0, 0.1, 0.2, 0.9, 1.0])
    monkeypatch.setattr("depthmask.engine.display.time.monotonic", lambda: next(times))
    shown = Shown()
    with checking_assets(shown):
        Slow().check(SIZE)
    assert shown.done == [3, 1]


def test_nothing_is_shown_after_the_block() -> None:
    shown = Shown()
    with checking_assets(shown), checking_assets(Silent()):
        pass
    Slow().check(SIZE)
    assert shown.lines == []
