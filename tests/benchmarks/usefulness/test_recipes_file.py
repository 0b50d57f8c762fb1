"""The recipes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.usefulness import (
    recipes_file,
    runs,
)
from depthmask.config.compose import compose_root

FOLDERS = {name: f"/{name}" for name in (
    "seed-assets", "measured", "cluttered", "rooms", "photographs", "annotations",
)}  # fmt: skip


@pytest.mark.parametrize("recipe", recipes_file.read_recipes(), ids=lambda one: one.name)
def test_every_recipe_is_a_configuration(recipe: recipes_file.Recipe) -> None:
    for words in (recipe.words, recipe.also):
        whole = [word.format_map(FOLDERS) for word in words]
        if "source=coco" in whole:
            # Of a plugin, which is not installed here.
            whole = [word for word in whole if not word.startswith("source")]
        compose_root(whole)
    assert recipe.about.endswith(".")
    assert recipe.expected.endswith(".") or not recipe.expected
    trains = bool(recipe.words or recipe.real)
    assert trains != bool(recipe.side)


@pytest.mark.parametrize("recipe", recipes_file.read_recipes(), ids=lambda one: one.name)
def test_every_room_has_a_sample(recipe: recipes_file.Recipe) -> None:
    counts = [int(w.partition("=")[2]) for w in recipe.words if w.startswith("source.rooms=")]
    for rooms in counts:
        assert recipe.samples >= rooms
        for scale in (runs.SCALES["full"], *[runs.SCALES["small"]] * recipe.small):
            assert scale.samples >= rooms


def test_a_recipe_against_none(tmp_path: Path) -> None:
    (tmp_path / "masks").mkdir()
    file = tmp_path / "masks" / "mine.yaml"
    file.write_text(json.dumps({"about": "Mine.", "against": ["yours"]}))
    with pytest.raises(SystemExit, match=r"mine.yaml: against: no recipe yours"):
        recipes_file.read_recipes(tmp_path)


def test_a_recipe_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "masks").mkdir()
    file = tmp_path / "masks" / "mine.yaml"
    file.write_text(json.dumps({"about": "Mine.", "word": ["depth=none"]}))
    with pytest.raises(SystemExit, match=r"mine.yaml: .*word"):
        recipes_file.read_recipes(tmp_path)


def test_an_expectation_is_of_a_difference(tmp_path: Path) -> None:
    (tmp_path / "masks").mkdir()
    file = tmp_path / "masks" / "mine.yaml"
    file.write_text(json.dumps({"about": "Mine.", "expected": "Better."}))
    with pytest.raises(SystemExit, match=r"mine.yaml: expected: of the difference from what\?"):
        recipes_file.read_recipes(tmp_path)


def test_words_about_a_recipe_leave_its_runs() -> None:
    plain = recipes_file.Recipe("one", "masks", "About.", words=("depth=none",))
    told = recipes_file.Recipe(
        "one", "masks", "Else.", words=plain.words, against=("two",), expected="Better."
    )
    assert told.state == plain.state
