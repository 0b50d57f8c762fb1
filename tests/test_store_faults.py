"""Runs whose asset store is damaged all the while make the same pixels."""

from __future__ import annotations

import pytest

from tools.store_faults import Arena


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Arena:
    return Arena(tmp_path_factory.mktemp("arena"), samples=60)


@pytest.mark.parametrize("fault", ["flip", "swap", "delete all"])
def test_a_store_that_is_damaged_during_the_run(arena: Arena, fault: str) -> None:
    assert arena.round(0, fault, seed=1) == ""


def test_two_runs_at_once_share_a_store(arena: Arena) -> None:
    cache = arena.folder / "shared"
    started = [arena.start(cache, arena.folder / name, ()) for name in ("one", "other")]
    for (process, log), name in zip(started, ("one", "other"), strict=True):
        assert process.wait(120) == 0, log.read_text()
        assert arena.made(arena.folder / name) == arena.wanted
