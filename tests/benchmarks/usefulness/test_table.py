"""The table."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from benchmarks.usefulness import (
    page,
    recipes_file,
    runs,
)
from benchmarks.usefulness import table as results
from tests.support.usefulness import HERE, RECIPE


def test_the_untouched_network_is_chosen_on_the_choosing_half(tmp_path: Path) -> None:
    ledger = runs.Ledger(tmp_path / "runs.jsonl")
    recipes = [
        recipes_file.Recipe("small", "depth", "As it is.", side=160),
        recipes_file.Recipe("large", "depth", "As it is.", side=224),
        recipes_file.Recipe("seed-style", "depth", "Some.", words=("depth=none",)),
    ]
    halves = {"small": (0.2, 0.4), "large": (0.3, 0.1), "seed-style": (0.5, 0.5)}
    for recipe in recipes:
        for run in runs.runs_of(recipe, runs.SCALES["small"], HERE):
            scores = {
                part: {"rgbd/a": {"abs_rel": value}}
                for part, value in zip(("choosing", "final"), halves[recipe.name], strict=True)
            }
            ledger.append(run, {"scores": scores})
    for part in ("choosing", "final"):
        whole = results.Results(
            ledger, recipes, runs.SCALES["small"], part, {"rgbd/a": "rgbd/a"}, HERE
        )
        (row,) = [row for row in whole.rows() if row.recipe.name == "seed-style"]
        assert list(row.against) == ["small"]


def test_factors_are_compared_one_at_a_time(tmp_path: Path) -> None:
    ledger = runs.Ledger(tmp_path / "runs.jsonl")
    shadow = dataclasses.replace(RECIPE, name="shadow", against=("ground",))
    recipes = [shadow, *(dataclasses.replace(RECIPE, name=name) for name in ("random", "ground"))]
    for recipe in recipes:
        for run in runs.runs_of(recipe, runs.SCALES["small"], HERE):
            ledger.append(run, {"scores": {"choosing": {"people/a": {"iou": 0.5}}}})
    whole = results.Results(
        ledger, recipes, runs.SCALES["small"], "choosing", {"people/a": "people/a"}, HERE
    )
    against = {row.recipe.name: sorted(row.against) for row in whole.rows()}
    assert against == {"shadow": ["ground", "random"], "ground": ["random"], "random": []}


def failing(tmp_path: Path) -> list[results.Row]:
    """The rows of a recipe and of `random`; a run of the first failed."""
    ledger = runs.Ledger(tmp_path / "runs.jsonl")
    recipes = [RECIPE, dataclasses.replace(RECIPE, name="random")]
    for recipe in recipes:
        for run in runs.runs_of(recipe, runs.SCALES["full"], HERE):
            iou = 0.5 + run.number / 10 + (0.1 if recipe is RECIPE else 0)
            scores = {f"people/{n}": {"iou": iou} for n in range(9)}
            both = {"choosing": scores, "final": scores}
            is_bad = recipe is RECIPE and run.number == 0
            ledger.append(run, {"failed": "NaN"} if is_bad else {"scores": both})
    scenes = {f"people/{n}": f"people/{n}" for n in range(9)}
    return results.Results(ledger, recipes, runs.SCALES["full"], "choosing", scenes, HERE).rows()


def test_a_failed_run_is_shown_and_not_paired(tmp_path: Path) -> None:
    row = failing(tmp_path)[0]
    assert row.runs == "3, 1 failed"
    assert row.means["iou"] == pytest.approx(0.75)
    assert row.against["random"]["iou"].mean == pytest.approx(0.1), "of the seeds that both have"
    assert "draw or seed 0 failed: NaN" in results.as_text([row])
    (kept,) = results.as_json([row])
    assert [one["number"] for one in kept["of_runs"]] == [1, 2]
    assert [one["number"] for one in kept["failed"]] == [0]
    assert "draw or seed 0 failed: NaN" in page._table([row])
