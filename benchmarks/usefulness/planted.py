"""Can the harness tell? Effects are planted, and must come out by more than the runs' spread."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.usefulness.compare import Difference, difference, spread, table_of
from benchmarks.usefulness.identity import Identity
from benchmarks.usefulness.recipes_file import Recipe
from benchmarks.usefulness.runs import Run, Scale, runs_of
from benchmarks.usefulness.scoring import HIGHER_IS_BETTER, MAIN
from benchmarks.usefulness.sets import CHOOSING, scenes_of
from benchmarks.usefulness.table import interval
from benchmarks.usefulness.work import Study, carry_out

PLANTED = {"depth": "seed-style", "masks": "random"}
"""The recipe of each task into which effects are planted."""
DECISIVE = {"depth": "detail_r", "masks": "iou"}
"""The score that has to tell them apart; the others are shown beside it."""
EFFECTS = ("shuffled", "leaked", "copy")
"""Labels of other pictures; test pictures added to training; the same again with other seeds."""


@dataclass(frozen=True)
class Effect:
    """What came of one: the difference from the recipe as it is, and the spread of its runs."""

    plant: str
    metric: str
    difference: Difference
    spread: float

    def __str__(self) -> str:
        verdict = "as it should be" if self.is_seen else "NOT as it should be"
        change = f"{self.metric} {interval(self.difference)}, spread {self.spread:.3f}"
        return f"{self.plant}: {change}: {verdict}"

    @property
    def is_seen(self) -> bool:
        """Shuffled labels are clearly worse, leaked pictures better, a copy no different."""
        if self.plant == "copy":
            return self.difference.is_none
        gain = self.difference.mean if HIGHER_IS_BETTER[self.metric] else -self.difference.mean
        is_right = gain > 0 if self.plant == "leaked" else gain < 0
        return is_right and self.difference.is_clear and abs(gain) > self.spread


def try_harness(study: Study) -> int:
    """Carry out the runs with planted effects; 1 if one of them does not come out."""
    chosen = [recipe for recipe in study.chosen if PLANTED[recipe.task] == recipe.name]
    runs = {
        (recipe, plant): _runs(recipe, study.scale, study.identity, plant)
        for recipe in chosen
        for plant in ("", *EFFECTS)
    }
    is_right = carry_out(study, [run for some in runs.values() for run in some])
    for recipe in chosen:
        for metric in MAIN[recipe.task]:
            seen = effects(recipe, runs, study, metric)
            for effect in seen:
                print(f"{recipe.task}/{recipe.name} {effect}")
            if metric == DECISIVE[recipe.task]:
                # Runs that failed, or scores that are absent, show nothing.
                is_right &= len(seen) == len(EFFECTS) and all(effect.is_seen for effect in seen)
    return int(not is_right)


def effects(
    recipe: Recipe, runs: dict[tuple[Recipe, str], list[Run]], study: Study, metric: str
) -> list[Effect]:
    """The change of a score by each effect."""
    scenes = scenes_of(study.sets)
    tables = {
        plant: table_of(
            [
                line["scores"][CHOOSING]
                for _, line in study.ledger.of(runs[recipe, plant])
                if "scores" in line
            ],
            metric,
            scenes,
        )
        for plant in ("", *EFFECTS)
    }
    found = []
    for plant in EFFECTS:
        has_pairs = plant != "copy" and len(tables[plant]) == len(tables[""])
        one = difference(tables[plant], tables[""], study.scale.bootstraps, has_pairs=has_pairs)
        if one is not None:
            spreads = [spread(np.nanmean(tables[p], axis=1)) for p in ("", plant)]
            found.append(Effect(plant, metric, one, max(s or 0.0 for s in spreads)))
    return found


def _runs(recipe: Recipe, scale: Scale, identity: Identity, plant: str) -> list[Run]:
    """The runs of an effect; a copy is the recipe with the seeds after those of the first."""
    first = scale.seeds if plant == "copy" else 0
    return list(runs_of(recipe, scale, identity, plant, first))
