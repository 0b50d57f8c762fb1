"""Plots of a score as SVG: a line for each recipe, or a curve by the number of photographs."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from benchmarks.usefulness.scoring import HIGHER_IS_BETTER
from benchmarks.usefulness.table import Row

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Of Okabe and Ito (https://jfly.uni-koeln.de/color), told apart by colour-blind readers."""
DEVIATIONS = 2
"""As many standard deviations over the runs are shown to each side."""
_WIDTH, _LEFT, _RIGHT, _ROW, _CURVES = 900, 230, 60, 22, 300


@dataclass(frozen=True)
class Axis:
    """Values from least to most, drawn from pixel `begin` to pixel `end`."""

    least: float
    most: float
    begin: float
    end: float

    def at(self, value: float) -> float:
        """The pixel of a value."""
        share = (value - self.least) / (self.most - self.least)
        return round(self.begin + share * (self.end - self.begin), 1)

    @property
    def ticks(self) -> list[float]:
        """Two to seven round values."""
        rough = (self.most - self.least) / 6
        power = 10 ** math.floor(math.log10(rough))
        step = next(power * times for times in (1, 2, 5, 10) if power * times >= rough * 0.999)
        first, last = math.ceil(self.least / step), math.floor(self.most / step)
        return [round(number * step, 12) for number in range(first, last + 1)]


def by_recipe(rows: Sequence[Row], metric: str, reference: str) -> str:
    """The mean of each recipe with its deviations, and a dashed line at the reference's mean."""
    shown = [row for row in rows if metric in row.means]
    if not shown:
        return ""
    height = _ROW * (len(shown) + 1) + 10
    axis = _axis(shown, metric, _LEFT, _WIDTH - _RIGHT)
    parts = [_line(axis.at(t), 4, axis.at(t), height - _ROW, "#ddd") for t in axis.ticks]
    parts += [_text(axis.at(t), height - 6, f"{t:g}", "middle") for t in axis.ticks]
    for row in shown:
        if row.recipe.name == reference:
            x = axis.at(row.means[metric])
            parts.append(_line(x, 4, x, height - _ROW, "#555", dashed=True))
    for number, row in enumerate(shown):
        y = _ROW * number + 16
        mean, (low, high) = row.means[metric], _ends(row, metric)
        parts.append(_text(_LEFT - 12, y + 4, row.recipe.name, "end"))
        parts.append(_line(axis.at(low), y, axis.at(high), y, COLOURS[0]))
        parts.append(_dot(axis.at(mean), y, COLOURS[0]))
        parts.append(_text(axis.at(high) + 9, y + 4, f"{mean:.3f}"))
    return _figure(metric, f"{metric} by recipe", parts, height)


def by_photographs(rows: Sequence[Row], metric: str) -> str:
    """A curve for each recipe by its number of photographs, named at its end."""
    shown = [row for row in rows if metric in row.means]
    numbers = sorted({row.photographs for row in shown})
    if len(numbers) < 2:
        return ""
    up = _axis(shown, metric, _CURVES - 30, 10)
    across = Axis(0, len(numbers) - 1, 70, _WIDTH - _LEFT - 60)
    parts = [_line(60, up.at(t), across.end + 14, up.at(t), "#ddd") for t in up.ticks]
    parts += [_text(52, up.at(t) + 4, f"{t:g}", "end") for t in up.ticks]
    parts += [_text(across.at(i), _CURVES - 8, f"n = {n}", "middle") for i, n in enumerate(numbers)]
    names = [*dict.fromkeys(row.recipe.name for row in shown)]
    ends = {}
    for number, name in enumerate(names):
        colour = COLOURS[number % len(COLOURS)]
        # Beside each other, so that bars do not hide one another.
        aside = 4 * (number - (len(names) - 1) / 2)
        curve = sorted((row for row in shown if row.recipe.name == name),
                       key=lambda row: row.photographs)  # fmt: skip
        points = []
        for row in curve:
            x = across.at(numbers.index(row.photographs)) + aside
            low, high = _ends(row, metric)
            points.append((x, up.at(row.means[metric])))
            parts += [_line(x, up.at(low), x, up.at(high), colour), _dot(*points[-1], colour)]
        parts += [_line(*a, *b, colour, width=2) for a, b in pairwise(points)]
        ends[name] = points[-1][1], colour
    parts += _labels(ends, across.end + 26)
    return _figure(metric, f"{metric} by the number of photographs", parts, _CURVES)


def _axis(rows: Iterable[Row], metric: str, begin: float, end: float) -> Axis:
    """The axis that has all means and deviations."""
    ends = [value for row in rows for value in _ends(row, metric)]
    room = 0.05 * (max(ends) - min(ends)) or 0.5
    return Axis(min(ends) - room, max(ends) + room, begin, end)


def _ends(row: Row, metric: str) -> tuple[float, float]:
    aside = DEVIATIONS * row.spread.get(metric, 0.0)
    return row.means[metric] - aside, row.means[metric] + aside


def _labels(ends: dict[str, tuple[float, str]], x: float) -> list[str]:
    """The names beside the ends of their curves, moved down where they would touch."""
    parts, lowest = [], -math.inf
    for name, (y, colour) in sorted(ends.items(), key=lambda item: item[1]):
        lowest = max(y + 4, lowest + 17)
        parts += [_dot(x, lowest - 4, colour), _text(x + 10, lowest, name)]
    return parts


def _figure(metric: str, about: str, parts: Iterable[str], height: float) -> str:
    better = "higher" if HIGHER_IS_BETTER[metric] else "lower"
    return (
        f"<h3>{metric}, {better} is better</h3>"
        f"<svg role=img aria-label='{about}' viewBox='0 0 {_WIDTH} {height}' "
        f"width={_WIDTH} font-size=13>{''.join(parts)}</svg>"
    )


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    place = f"x={x:.1f} y={y:.1f} text-anchor={anchor} fill='#1f1f1f'"
    return f"<text {place}>{html.escape(text)}</text>"


def _line(
    x1: float, y1: float, x2: float, y2: float, colour: str, width: float = 1.2,
    dashed: bool = False,
) -> str:  # fmt: skip
    style = " stroke-dasharray='4 3'" if dashed else ""
    ends = f"x1={x1:.1f} y1={y1:.1f} x2={x2:.1f} y2={y2:.1f}"
    return f"<line {ends} stroke='{colour}' stroke-width={width}{style} />"


def _dot(x: float, y: float, colour: str) -> str:
    return f"<circle cx={x:.1f} cy={y:.1f} r=4 fill='{colour}' />"
