"""The runs: which there are, and the file that keeps one line of JSON for each."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.usefulness.identity import Identity
from benchmarks.usefulness.recipes_file import Recipe


@dataclass(frozen=True)
class Scale:
    """How much is run: steps of training, seeds, draws of photographs, and their numbers."""

    name: str
    steps: int
    seeds: int
    draws: int
    photographs: tuple[int, ...]
    samples: int
    """At most so many composites of each recipe."""
    bootstraps: int = 2000


# The runs of "small" are among those of "full".
SCALES = {
    "tiny": Scale("tiny", 2, 2, 2, (4,), 8, 50),
    "small": Scale("small", 300, 2, 2, (10, 25), 2000),
    "full": Scale("full", 300, 3, 5, (10, 25, 50), 20_000),
}


@dataclass(frozen=True)
class Run:
    """One training and test. photographs: n, 0 for none; number: the seed, and the draw of n.

    pixel_state, device, tested, sources: what else its numbers depend on, see `Identity`. plant: an
    effect that is planted, for the test of the harness itself.
    """

    recipe: str
    task: str
    state: str
    steps: int
    samples: int
    photographs: int
    number: int
    pixel_state: str
    device: str
    tested: str
    sources: str
    plant: str = ""

    @property
    def key(self) -> str:
        """What the run's line is found by."""
        return json.dumps(list(asdict(self).values()))

    @property
    def short(self) -> str:
        """A hash of the key, for names of files."""
        return hashlib.sha256(self.key.encode()).hexdigest()[:12]


def runs_of(
    recipe: Recipe, scale: Scale, identity: Identity, plant: str = "", first: int = 0
) -> Iterator[Run]:
    """The runs of a recipe, the first seeds and draws first."""
    trains = bool(recipe.words or recipe.real)
    count = 1 if not trains else scale.draws if recipe.photographs else scale.seeds
    count = min(count, recipe.runs or count)
    steps, samples = (scale.steps, min(recipe.samples, scale.samples)) if trains else (0, 0)
    numbers = [n for n in recipe.photographs if n in scale.photographs] or recipe.photographs[:1]
    if scale.name == "tiny" and recipe.photographs:
        numbers = list(scale.photographs)
    for number in range(first, first + count):
        for photographs in numbers or [0]:
            yield Run(recipe.name, recipe.task, recipe.state, steps, samples, photographs, number,
                      identity.pixels, identity.device, identity.tested_on(recipe.task),
                      identity.sources_of(recipe), plant)  # fmt: skip


class Ledger:
    """The file of lines. A line that a kill cut off is dropped, and its run is made again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lines = {line["key"]: line for line in _whole_lines(path)}

    def __contains__(self, run: Run) -> bool:
        return run.key in self._lines

    def line(self, run: Run) -> dict[str, Any]:
        """What was kept of a run."""
        return self._lines[run.key]

    def of(self, runs: Iterable[Run]) -> list[tuple[Run, dict[str, Any]]]:
        """The runs that are there, with their lines."""
        return [(run, self._lines[run.key]) for run in runs if run in self]

    def append(self, run: Run, values: dict[str, Any]) -> None:
        """Keep the line of a run; once this returns, no kill loses it."""
        line = {"key": run.key, **asdict(run), **values}
        with self._path.open("ab") as file:
            file.write(json.dumps(line).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self._lines[run.key] = line


def _whole_lines(path: Path) -> Iterator[dict[str, Any]]:
    if not path.is_file():
        return
    data = path.read_bytes()
    whole, _, torn = data.rpartition(b"\n")
    if torn:
        os.truncate(path, len(data) - len(torn))
    for line in whole.splitlines():
        yield json.loads(line)
