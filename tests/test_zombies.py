"""Runs that wake after another has taken their place, by tools/zombies.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.s3_server import Server
from tools import zombies

QUICK = (7, 22)
"""The numbers of those that every run of the suite plays: one in the store, one in a folder."""
NUMBERED = [
    pytest.param(scenario, marks=() if number in QUICK else pytest.mark.slow, id=f"{number}")
    for number, scenario in enumerate(zombies.SCENARIOS)
]


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory, s3: Server) -> zombies.Arena:
    return zombies.Arena(tmp_path_factory.mktemp("zombies"), s3)


@pytest.mark.parametrize("scenario", NUMBERED)
def test_what_the_other_made_stays(
    arena: zombies.Arena, scenario: zombies.Scenario | zombies.Local
) -> None:
    assert zombies.play(arena, scenario) == []


def test_a_change_would_be_seen(tmp_path: Path) -> None:
    before = {"a": "1", "b": "1"}
    lines = ["a differs", "b is gone", "c is new"]
    assert list(zombies.changes(before, {"a": "2", "c": "1"})) == lines
    (tmp_path / "log").write_text("error: something else")
    assert len(list(zombies.ending(1, tmp_path / "log"))) == 1
