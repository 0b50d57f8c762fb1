"""Plots of a score as SVG: a line for each recipe, or a curve by the number of photographs."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Of Okabe and Ito (https://jfly.uni-koeln.de/color), told apart by colour-blind readers."""
DEVIATIONS = 2
"""As many standard deviations over the runs are shown to each side."""
_WIDTH, _LEFT, _RIGHT, _ROW, _CURVES, _TITLE, _NAME = 900, 230, 60, 22, 300, 28, 17


@dataclass(frozen=True)
class Point:
    """The mean of a recipe. photographs: n, 0 for none; spread: the deviation of its runs."""

    recipe: str
    photographs: int
    mean: float
    spread: float

    @property
    def ends(self) -> tuple[float, float]:
        """The least and the greatest value that are shown."""
        return self.mean - DEVIATIONS * self.spread, self.mean + DEVIATIONS * self.spread


def points(rows: Iterable[Mapping[str, Any]], metric: str) -> list[Point]:
    """The points of a table's rows that have this score; rows as its JSON has them."""
    return [
        Point(row["recipe"], row["photographs"], row["means"][metric], row["spread"].get(metric, 0))
        for row in rows
        if metric in row["means"]
    ]


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


def by_recipe(points: Sequence[Point], reference: str, title: str) -> str:
    """The mean of each recipe with its deviations, and a dashed line at the reference's mean."""
    height = _ROW * (len(points) + 1) + 10
    axis = _axis(points, _LEFT, _WIDTH - _RIGHT)
    parts = [_line(axis.at(t), 4, axis.at(t), height - _ROW, "#ddd") for t in axis.ticks]
    parts += [_text(axis.at(t), height - 6, f"{t:g}", "middle") for t in axis.ticks]
    for point in points:
        if point.recipe == reference:
            x = axis.at(point.mean)
            parts.append(_line(x, 4, x, height - _ROW, "#555", dashed=True))
    for number, point in enumerate(points):
        y, (low, high) = _ROW * number + 16, map(axis.at, point.ends)
        parts.append(_text(_LEFT - 12, y + 4, point.recipe, "end"))
        parts.append(_line(low, y, high, y, COLOURS[0]))
        parts.append(_dot(axis.at(point.mean), y, COLOURS[0]))
        parts.append(_text(high + 9, y + 4, f"{point.mean:.3f}"))
    return _picture(title, parts, height)


def by_photographs(points: Sequence[Point], title: str) -> str:
    """A curve for each recipe by its number of photographs, named at its end.

    Where there are more recipes than colours, the second of a colour is dashed.
    """
    numbers = sorted({point.photographs for point in points})
    names = [*dict.fromkeys(point.recipe for point in points)]
    height = max(_CURVES, _NAME * len(names) + 10)
    up = _axis(points, height - 30, 10)
    across = Axis(0, max(len(numbers) - 1, 1), 70, _WIDTH - _LEFT - 60)
    parts = [_line(60, up.at(t), across.end + 14, up.at(t), "#ddd") for t in up.ticks]
    parts += [_text(52, up.at(t) + 4, f"{t:g}", "end") for t in up.ticks]
    parts += [_text(across.at(i), height - 8, f"n = {n}", "middle") for i, n in enumerate(numbers)]
    ends = {}
    for number, name in enumerate(names):
        colour, is_second = COLOURS[number % len(COLOURS)], number >= len(COLOURS)
        # Beside each other, so that bars do not hide one another.
        aside = 4 * (number - (len(names) - 1) / 2)
        curve = [
            (across.at(place) + aside, point)
            for place, n in enumerate(numbers)
            for point in points
            if (point.recipe, point.photographs) == (name, n)
        ]
        for x, point in curve:
            low, high = map(up.at, point.ends)
            parts.append(_line(x, low, x, high, colour))
            parts.append(_dot(x, up.at(point.mean), colour))
        places = [(x, up.at(point.mean)) for x, point in curve]
        parts += [_line(*a, *b, colour, width=2, dashed=is_second) for a, b in pairwise(places)]
        ends[name] = places[-1][1], colour, is_second
    parts += _labels(ends, across.end + 2 * len(names) + 12, height - 6)
    return _picture(title, parts, height)


def _axis(points: Iterable[Point], begin: float, end: float) -> Axis:
    """The axis that has all means and deviations."""
    ends = [value for point in points for value in point.ends]
    room = 0.05 * (max(ends) - min(ends)) or 0.5
    return Axis(min(ends) - room, max(ends) + room, begin, end)


def _labels(ends: dict[str, tuple[float, str, bool]], x: float, lowest: float) -> list[str]:
    """The names beside the ends of their curves, moved where they would touch.

    ends: name -> height, colour, and whether its curve is dashed. None is lower than `lowest`.
    """
    names = sorted(ends, key=lambda name: ends[name])
    places: list[float] = []
    for name in names:
        places.append(max(ends[name][0] + 4, places[-1] + _NAME if places else 0))
    for number in reversed(range(len(places))):
        places[number] = min(places[number], lowest)
        lowest = places[number] - _NAME
    parts = []
    for name, y in zip(names, places, strict=True):
        _, colour, is_dashed = ends[name]
        parts += [
            _line(x - 6, y - 4, x + 10, y - 4, colour, width=2, dashed=is_dashed),
            _text(x + 16, y, name),
        ]
    return parts


def _picture(title: str, parts: Iterable[str], height: float) -> str:
    """The SVG below its title, as a file or within a page of HTML."""
    title, whole = html.escape(title), height + _TITLE
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' role='img' aria-label='{title}' "
        f"viewBox='0 0 {_WIDTH} {whole}' width='{_WIDTH}' height='{whole}' "
        "font-size='13' font-family='system-ui,sans-serif'>"
        f"<rect width='100%' height='100%' fill='#fff'/>"
        f"<text x='8' y='18' font-size='15' font-weight='bold' fill='#1f1f1f'>{title}</text>"
        f"<g transform='translate(0 {_TITLE})'>{''.join(parts)}</g></svg>"
    )


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    place = f"x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}' fill='#1f1f1f'"
    return f"<text {place}>{html.escape(text)}</text>"


def _line(
    x1: float, y1: float, x2: float, y2: float, colour: str, width: float = 1.2,
    dashed: bool = False,
) -> str:  # fmt: skip
    style = " stroke-dasharray='4 3'" if dashed else ""
    ends = f"x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}'"
    return f"<line {ends} stroke='{colour}' stroke-width='{width}'{style}/>"


def _dot(x: float, y: float, colour: str) -> str:
    return f"<circle cx='{x:.1f}' cy='{y:.1f}' r='4' fill='{colour}'/>"
