"""Carries out one run: data, training, predictions, scores."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.usefulness import scoring, sheets, training
from benchmarks.usefulness.composites import Examples, Workshop, joined, real_examples
from benchmarks.usefulness.recipes_file import TASKS, Recipe
from benchmarks.usefulness.runs import Run
from benchmarks.usefulness.sets import CHOOSING, FINAL, POOL, Picture, of_part, part_of


class Experiment:
    """The photographs, the makers of data, and networks that are compiled once."""

    def __init__(self, sets: Mapping[str, list[Picture]], workshop: Workshop, out: Path) -> None:
        self._sets, self._workshop, self._out = sets, workshop, out
        self._trainer = cache(training.Trainer)

    def carry_out(self, run: Run, recipe: Recipe, step_done: Callable[[], None]) -> dict[str, Any]:
        """Train and test; returns what the line of the run keeps: scores, or why it failed."""
        begin, cpu = time.perf_counter(), time.process_time()
        trained, digest = self._trained(run, recipe, step_done)
        return {
            "pixels": digest,
            "steps_done": trained.steps,
            **self._outcome(run, recipe, trained.predict),
            "wall_s": round(time.perf_counter() - begin, 1),
            "cpu_s": round(time.process_time() - cpu, 1),
        }

    def _outcome(self, run: Run, recipe: Recipe, predict: training.Predict) -> dict[str, Any]:
        try:
            return {"scores": self._tested(run, recipe, predict)}
        except scoring.NotFiniteError as error:
            return {"failed": str(error)}

    def draw(self, photographs: int, number: int) -> list[Picture]:
        """The photographs of a draw, of the pool, for all recipes alike."""
        pool = of_part(self._sets["people"], "people", POOL)
        if photographs > len(pool):
            raise SystemExit(f"people: {len(pool)} photographs to draw from, {photographs} wanted")
        order = np.random.default_rng([number, 7]).permutation(len(pool))
        return [pool[i] for i in order[:photographs]]

    def _trained(
        self, run: Run, recipe: Recipe, step_done: Callable[[], None]
    ) -> tuple[training.Trained, str]:
        if not run.steps:
            return training.Trained(training.untouched(recipe.side or 224), 0), ""
        examples = self._examples(run, recipe)
        tuning = training.Tuning(run.steps, recipe.frozen, recipe.memory, recipe.steady)
        trainer = self._trainer(recipe.task, recipe.frozen)
        return trainer.train(examples, run.number, tuning, step_done), examples.digest

    def _examples(self, run: Run, recipe: Recipe) -> Examples:
        draw = self.draw(run.photographs, run.number) if run.photographs else []
        parts = []
        for words in filter(None, (recipe.words, recipe.also)):
            some = replace(recipe, words=words)
            parts.append(self._workshop.composites(some, draw, run.samples, run.number))
        if recipe.real:
            parts.append(real_examples(draw))
        if run.plant == "leaked":
            kind = TASKS[recipe.task]
            parts.append(real_examples(of_part(self._sets[kind], kind, CHOOSING)))
        examples = joined(parts)
        return shuffled(examples) if run.plant == "shuffled" else examples

    def _tested(self, run: Run, recipe: Recipe, predict: training.Predict) -> dict[str, Any]:
        kind = TASKS[recipe.task]
        pictures = self._sets[kind]
        maps = predict(_at_side(pictures, recipe.side))
        parts = {picture.key: part_of(kind, picture.scene) for picture in pictures}
        # Before the line of the run, so that the page has it.
        sheets.keep(sheets.path_of(self._out, run), pictures, maps)
        tested = [*zip(pictures, scoring.score(recipe.task, maps, pictures), strict=True)]
        scores = {
            part: {p.key: row for p, row in tested if parts[p.key] == part}
            for part in (CHOOSING, FINAL)
        }
        if recipe.task == "depth":
            self._add_recall(scores, predict, recipe.side)
        return {
            part: {key: _rounded(row) for key, row in of.items()} for part, of in scores.items()
        }

    def _add_recall(
        self, scores: dict[str, Any], predict: training.Predict, side: int | None
    ) -> None:
        """Boundary recall of depth on the photographs with masks."""
        for part in (CHOOSING, FINAL):
            pictures = of_part(self._sets["people"], "people", part)
            if pictures:
                rows = scoring.recall_scores(predict(_at_side(pictures, side)), pictures)
                named = zip(pictures, rows, strict=True)
                scores[part] |= {picture.key: row for picture, row in named}


def shuffled(examples: Examples) -> Examples:
    """The same pictures, each with the target of another."""
    return replace(examples, targets=np.roll(examples.targets, len(examples.targets) // 2, axis=0))


def _rounded(scores: scoring.Scores) -> scoring.Scores:
    """Far finer than what is compared, and half as long in the file of runs."""
    return {name: round(value, 5) for name, value in scores.items()}


def _at_side(pictures: Sequence[Picture], side: int | None) -> NDArray[np.uint8]:
    return np.stack([p.large if side == 224 else p.image for p in pictures])
