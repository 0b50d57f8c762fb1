"""The recipes: files of recipes/, each a configuration of depthmask and how it is used."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from pathlib import Path

import yaml

FOLDER = Path(__file__).parent / "recipes"
SOURCES = ("seed-assets", "measured", "cluttered")
"""The folders of the data that words may name as `{folder}`."""
TASKS = {"depth": "rgbd", "masks": "people"}
"""Task -> the set of photographs that it is tried on."""


@dataclass(frozen=True)
class Recipe:
    """What a network is trained on.

    about: one sentence for the page. words: the words of `python -m depthmask`, with `{name}` for a
    folder; none: no composites. also: the words of a second dataset, for as many samples more.
    samples: how many. photographs: the numbers of real photographs with masks that the words use as
    `{photographs}`, one draw each. real: the network also trains on them. side: of an untouched
    network, which is not trained. frozen: the encoder stays. memory: the share of each batch that
    has the untouched network's own predictions as labels. steady: as many steps as the loss on
    held-out samples falls, then the best weights. rim: labels of depth are unknown within so many
    pixels of the edges of cut-outs. runs: at most so many seeds or draws, of what was tried and
    dropped; 0: as many as of others. small: part of --small. needs: folders of the data, without
    which it is left out. against: other recipes of the task, from which it differs by
    one factor, with which it is compared beside the usual ones.
    """

    name: str
    task: str
    about: str
    words: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    samples: int = 2000
    photographs: tuple[int, ...] = ()
    real: bool = False
    side: int | None = None
    frozen: bool = False
    memory: float = 0.0
    steady: bool = False
    rim: int = 0
    runs: int = 0
    small: bool = False
    needs: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    expected: str = ""

    @property
    def sources(self) -> tuple[str, ...]:
        """The folders of the data that it reads."""
        words = " ".join([*self.words, *self.also])
        in_words = [name for name in SOURCES if f"{{{name}}}" in words]
        people = ["people"] if self.photographs else []
        return tuple(dict.fromkeys([*in_words, *self.needs, *people]))

    @property
    def state(self) -> str:
        """A hash of all that decides what is trained, without the sentence."""
        # Without what is as by default, so that a new key leaves the runs of others as they are.
        plain = {
            one.name: getattr(self, one.name)
            for one in fields(self)
            if one.name not in _FREE and getattr(self, one.name) != one.default
        }
        text = json.dumps([VERSIONS[self.task], plain], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


VERSIONS = {"depth": 6, "masks": 5}
"""Of training and scoring: raised with each change of their numbers, so that all is run anew."""
_FREE = {"about", "runs", "small", "against", "expected"}


def read_recipe(path: Path) -> Recipe:
    """The recipe of a file recipes/TASK/NAME.yaml; one line where it is none."""
    values = yaml.safe_load(path.read_text())
    lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
    try:
        recipe = Recipe(path.stem, path.parent.name, **{**values, **lists})
    except TypeError as error:
        raise SystemExit(f"{path}: {error}") from None
    if recipe.task not in TASKS:
        raise SystemExit(f"{path}: recipes are in the folders {', '.join(TASKS)}")
    if recipe.expected and not recipe.against:
        raise SystemExit(f"{path}: expected: of the difference from what? name it in against")
    return recipe


def read_recipes(folder: Path = FOLDER) -> list[Recipe]:
    """All recipes, by task and name."""
    recipes = [read_recipe(path) for path in sorted(folder.glob("*/*.yaml"))]
    names = {(recipe.task, recipe.name) for recipe in recipes}
    for recipe in recipes:
        for other in recipe.against:
            if (recipe.task, other) not in names:
                raise SystemExit(
                    f"{folder / recipe.task / recipe.name}.yaml: against: no recipe {other} there"
                )
    return recipes
