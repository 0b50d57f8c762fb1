"""Runs, and the file that keeps them."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

from benchmarks.usefulness import (
    recipes_file,
    runs,
)
from tests.support.usefulness import HERE, RECIPE


def test_the_runs_of_a_recipe() -> None:
    small = runs.SCALES["small"]
    assert [run.number for run in runs.runs_of(RECIPE, small, HERE)] == [0, 1]
    untouched = recipes_file.Recipe("none", "depth", "As it is.", side=224)
    assert [run.steps for run in runs.runs_of(untouched, small, HERE)] == [0]
    few = recipes_file.Recipe("few", "masks", "A few.", photographs=(10, 25, 50), real=True)
    pairs = [(run.number, run.photographs) for run in runs.runs_of(few, small, HERE)]
    assert pairs == [(0, 10), (0, 25), (1, 10), (1, 25)]


def test_what_was_dropped_has_fewer_runs() -> None:
    full = runs.SCALES["full"]
    dropped = dataclasses.replace(RECIPE, runs=2)
    first = [*runs.runs_of(RECIPE, full, HERE)][:2]
    assert [*runs.runs_of(dropped, full, HERE)] == first, "their lines are the same"
    assert len([*runs.runs_of(dataclasses.replace(RECIPE, runs=9), full, HERE)]) == full.seeds


def test_the_runs_of_the_small_table_are_among_those_of_the_full() -> None:
    small, full = (
        {
            run.key
            for recipe in recipes_file.read_recipes()
            if recipe.small
            for run in runs.runs_of(recipe, runs.SCALES[name], HERE)
        }
        for name in ("small", "full")
    )
    assert small < full


def test_a_line_that_a_kill_cut_off_is_made_again(tmp_path: Path) -> None:
    first, second = runs.runs_of(RECIPE, runs.SCALES["small"], HERE)
    path = tmp_path / "out" / "runs.jsonl"
    ledger = runs.Ledger(path)
    ledger.append(first, {"scores": 1})
    whole = path.read_bytes()
    ledger.append(second, {"scores": 2})
    for length in range(len(whole), path.stat().st_size):
        torn = tmp_path / "torn.jsonl"
        torn.write_bytes(path.read_bytes()[:length])
        found = runs.Ledger(torn)
        assert (first in found, second in found) == (True, False)
        assert torn.read_bytes() == whole
    assert runs.Ledger(path).line(second)["scores"] == 2


def test_another_recipe_of_the_same_name_is_run_again() -> None:
    other = recipes_file.Recipe("one", "masks", "Another sentence.", words=("depth=none",))
    assert other.state == RECIPE.state
    other = recipes_file.Recipe("one", "masks", "A recipe.", words=("depth=layered",))
    assert other.state != RECIPE.state
    assert dataclasses.replace(RECIPE, rim=2).state != RECIPE.state
    plain = {"name": "one", "task": "masks", "words": ["depth=none"]}
    text = json.dumps([recipes_file.VERSIONS["masks"], plain], sort_keys=True)
    assert RECIPE.state == hashlib.sha256(text.encode()).hexdigest()[:12], "defaults are left out"
