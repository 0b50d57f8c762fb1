"""What is kept of the runs that are carried out, and what is said of the others."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmarks.usefulness import trainers, work
from benchmarks.usefulness.recipes_file import Recipe
from benchmarks.usefulness.runs import SCALES, Ledger, Run, runs_of
from tests.support.usefulness import HERE, people

GOOD = Recipe("good", "masks", "It can be made.", words=("depth=none",))
BAD = Recipe("bad", "masks", "It cannot be made.", words=("placement=ground",))
LACKING = Recipe("lacking", "masks", "Its data is absent.", needs=("measured",))
RECIPES = [BAD, GOOD, LACKING]


def _study(folder: Path) -> work.Study:
    place = trainers.Place({"people": people(1)}, folder / "data", folder / "out", "cpu")
    ledger = Ledger(folder / "out" / "runs.jsonl")
    sets = {"people": people(1), "rgbd": []}
    return work.Study(SCALES["tiny"], RECIPES, RECIPES, sets, ledger, HERE, place, 1)


def _results(
    orders: Sequence[trainers.Order], place: object, jobs: int
) -> Iterator[tuple[Run, trainers.Message]]:
    """In the place of the processes: a step, then the end."""
    for run, recipe in orders:
        yield run, None
        yield run, {"scores": {}} if recipe == GOOD else "depthmask [x]: no floor"


def _runs(*recipes: Recipe) -> list[Run]:
    return [run for recipe in recipes for run in runs_of(recipe, SCALES["tiny"], HERE)]


def test_a_run_that_cannot_be_made_is_said_and_the_others_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(work, "results", _results)
    study = _study(tmp_path)
    assert not work.carry_out(study, _runs(*RECIPES)), "so that the command ends with 1"
    lines: list[dict[str, Any]] = [
        json.loads(line) for line in (tmp_path / "out" / "runs.jsonl").read_text().splitlines()
    ]
    assert [(line["recipe"], line["number"]) for line in lines] == [("good", 0), ("good", 1)]
    printed = capsys.readouterr().out
    assert "masks/bad, draw or seed 0: not made: depthmask [x]: no floor" in printed
    assert "masks/bad, draw or seed 1: not made: depthmask [x]: no floor" in printed
    assert printed.count("not made") == 2


def test_what_is_left_out_for_want_of_data_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(work, "results", _results)
    assert work.carry_out(_study(tmp_path), _runs(GOOD, LACKING))
    assert "masks/lacking: left out, for measured is absent" in capsys.readouterr().out
