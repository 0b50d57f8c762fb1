"""SIGKILL at any time: some twenty of them, by tools/kill_loop.py."""

from __future__ import annotations

import pytest

from tools import kill_loop


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> list[kill_loop.Round]:
    arena = kill_loop.Arena(tmp_path_factory.mktemp("arena"), ("webdataset",))
    return list(kill_loop.rounds(arena, 8, seed=1, at_once=2))


def test_nothing_is_lost_or_made_twice(done: list[kill_loop.Round]) -> None:
    assert [one for one in done if one.problems] == []


def test_the_kills_fall_everywhere(done: list[kill_loop.Round]) -> None:
    kills = [kill for one in done for kill in one.kills]
    assert len(kills) >= 20
    # A worker is there for a part of the time only.
    assert {victim for victim, _ in kills} >= {"parent", "group"}
    assert len({stage for _, stage in kills}) >= 3
