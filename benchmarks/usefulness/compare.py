"""Differences of two recipes, with intervals by a paired bootstrap over scenes and runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAST_SCENES = 8
"""Intervals from fewer scenes are too narrow: none is given."""
ByPicture = Mapping[str, Mapping[str, float]]
"""Picture -> its scores."""


@dataclass(frozen=True)
class Difference:
    """The mean of the first minus that of the second, and its 90 % interval.

    low, high: None where there are too few scenes.
    """

    mean: float
    low: float | None
    high: float | None

    @property
    def is_clear(self) -> bool:
        """Whether there is an interval, and it excludes 0."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)

    @property
    def is_none(self) -> bool:
        """Whether there is an interval, and it contains 0."""
        return self.low is not None and not self.is_clear


def table_of(
    runs: Sequence[ByPicture], metric: str, scenes: Mapping[str, str]
) -> NDArray[np.float64]:
    """[runs, scenes]: the mean over the pictures of each scene; NaN where no picture has any."""
    names = sorted(set(scenes.values()))
    table = np.full((len(runs), len(names)), np.nan)
    for row, run in enumerate(runs):
        for column, scene in enumerate(names):
            values = [
                scores[metric]
                for picture, scores in run.items()
                if scenes.get(picture) == scene and metric in scores
            ]
            if values:
                table[row, column] = np.mean(values)
    return table


def difference(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    times: int,
    *,
    has_pairs: bool = True,
    seed: int = 0,
) -> Difference | None:
    """The difference of two tables [runs, scenes] of the same scenes; None if none has both.

    Scenes are drawn for both alike. has_pairs: so are runs, for each row is of a seed, or of a draw
    of photographs, that both had; else those of each table by themselves. Below LEAST_SCENES scenes
    there is no interval.
    """
    known = np.isfinite(first).all(axis=0) & np.isfinite(second).all(axis=0)
    if not known.any() or not len(first) or not len(second):
        return None
    first, second = first[:, known], second[:, known]
    mean, scenes = float(first.mean() - second.mean()), first.shape[1]
    if scenes < LEAST_SCENES:
        return Difference(mean, None, None)
    rng = np.random.default_rng(seed)
    columns = resampled(rng, scenes, times)
    rows = resampled(rng, len(first), times)
    others = rows if has_pairs else resampled(rng, len(second), times)
    means = _means(first, rows, columns) - _means(second, others, columns)
    low, high = np.quantile(means, [0.05, 0.95])
    return Difference(mean, float(low), float(high))


def resampled(rng: np.random.Generator, count: int, times: int) -> NDArray[np.float64]:
    """Weights [times, count] of as many things drawn with replacement; each row sums to 1.

    Their deviations from equal weights are larger by sqrt(n / (n - 1)), for a plain bootstrap of n
    things gives the variance of a mean with n in place of n - 1: a half of it for two runs. One
    thing alone has no deviation.
    """
    shares = rng.multinomial(count, np.full(count, 1 / count), times) / count
    return np.asarray(1 / count + (shares - 1 / count) * np.sqrt(count / max(count - 1, 1)))


def _means(
    table: NDArray[np.float64], rows: NDArray[np.float64], columns: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The mean [times] of a table by the weights of its rows and columns."""
    return np.asarray(((rows @ table) * columns).sum(axis=1))


def spread(values: NDArray[np.float64]) -> float | None:
    """The standard deviation over runs, of the population; None for one run."""
    return float(values.std(ddof=1)) if len(values) > 1 else None
