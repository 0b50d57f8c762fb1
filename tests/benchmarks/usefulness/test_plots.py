"""Plots of scores."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from benchmarks.usefulness import plots
from benchmarks.usefulness.plots import Point


def _point(name: str, photographs: int, mean: float, spread: float = 0.01) -> Point:
    return Point(name, photographs, mean, spread)


@pytest.mark.parametrize(("least", "most"), [(0, 1), (0.008, 0.021), (-3, 950), (0.305, 0.3055)])
def test_ticks_are_few_and_round(least: float, most: float) -> None:
    ticks = plots.Axis(least, most, 0, 100).ticks
    assert 2 <= len(ticks) <= 7
    assert least <= ticks[0] < ticks[-1] <= most
    assert all(len(f"{tick:g}") <= 6 for tick in ticks)


def test_an_axis_may_go_up() -> None:
    axis = plots.Axis(0, 2, 100, 0)
    assert [axis.at(value) for value in (0, 0.5, 2)] == [100, 75, 0]


def test_each_recipe_has_a_line_with_its_mean() -> None:
    points = [_point("random", 0, 0.3), _point("a<b", 0, 0.4)]
    picture = plots.by_recipe(points, "random", "iou, higher is better")
    assert ElementTree.fromstring(picture).attrib["aria-label"] == "iou, higher is better"
    first, second = (float(x) for x in re.findall(r"<circle cx='([\d.]+)", picture))
    assert first < second
    dashed = re.findall(r"<line x1='([\d.]+)'[^>]*stroke-dasharray", picture)
    assert [float(x) for x in dashed] == [first], "at what is compared with"
    assert ">0.300<" in picture
    assert "a&lt;b" in picture


def test_one_recipe_has_an_axis() -> None:
    assert ">0.300<" in plots.by_recipe([_point("one", 0, 0.3, 0)], "random", "iou")


def test_curves_are_named_where_they_end() -> None:
    means = {"alone": (0.4, 0.52), "added": (0.5, 0.521), "rooms": (0.3, 0.519)}
    points = [_point(name, n, means[name][i]) for i, n in enumerate((10, 25)) for name in means]
    picture = plots.by_photographs(points, "iou by n")
    ElementTree.fromstring(picture)
    assert picture.count("stroke-width='2'") == 2 * len(means), "curves, and beside names"
    names = re.findall(r"<text x='[\d.]+' y='([\d.]+)' [^>]*>([a-z]+)</text>", picture)
    heights = {name: float(y) for y, name in names}
    assert [*heights] == ["added", "alone", "rooms"], "from the highest to the lowest"
    assert all(low - high >= 13 for high, low in pairwise(heights.values()))
    assert plots.by_photographs(points[:3], "iou").count("<circle") == 3


@pytest.mark.parametrize("mean", [0.0, 0.5, 1.0])
def test_many_curves_are_told_apart_and_named_within_the_picture(mean: float) -> None:
    """All but one end at the same height; the picture becomes higher for many names."""
    names = [f"recipe-{number}" for number in range(20)]
    points = [_point(name, n, 1 - mean if name == "recipe-3" else mean)
              for n in (10, 25) for name in names]  # fmt: skip
    picture = plots.by_photographs(points, "iou by n")
    height = float(ElementTree.fromstring(picture).attrib["height"]) - 28
    places = re.findall(r"<text x='[\d.]+' y='([-\d.]+)' [^>]*>recipe-", picture)
    heights = [float(y) for y in places]
    assert len(heights) == 20
    assert all(low - high >= 13 for high, low in pairwise(heights))
    assert 10 <= heights[0] < heights[-1] <= height
    styles = set(re.findall(r"stroke='(#\w+)' stroke-width='2'( stroke-dasharray)?", picture))
    assert len(styles) == 2 * len(plots.COLOURS), "20 recipes: each colour whole and dashed"


def test_points_of_a_table() -> None:
    row = {"recipe": "rooms", "photographs": 10, "means": {"iou": 0.4}, "spread": {"iou": 0.1}}
    one_run = {**row, "recipe": "one", "spread": {}}
    assert plots.points([row, one_run, {**row, "means": {}}], "iou") == [
        Point("rooms", 10, 0.4, 0.1), Point("one", 10, 0.4, 0),
    ]  # fmt: skip
