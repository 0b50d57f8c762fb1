"""Plots of scores."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from benchmarks.usefulness import plots
from benchmarks.usefulness.recipes_file import Recipe
from benchmarks.usefulness.table import Row


def _row(name: str, photographs: int, mean: float, spread: float = 0.01) -> Row:
    recipe = Recipe(name, "masks", "")
    return Row(recipe, photographs, [], [], {"iou": mean}, {"iou": spread}, {})


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
    rows = [_row("random", 0, 0.3), _row("a<b", 0, 0.4)]
    picture = plots.by_recipe(rows, "iou", "random")
    assert "iou, higher is better" in picture
    first, second = (float(x) for x in re.findall(r"<circle cx=([\d.]+)", picture))
    assert first < second
    dashed = re.findall(r"<line x1=([\d.]+)[^>]*stroke-dasharray", picture)
    assert [float(x) for x in dashed] == [first], "at what is compared with"
    assert ">0.300<" in picture
    assert "a&lt;b" in picture
    assert plots.by_recipe(rows, "abs_rel", "random") == ""


def test_recipes_of_equal_means_have_an_axis() -> None:
    assert ">0.300<" in plots.by_recipe([_row("one", 0, 0.3, 0)], "iou", "random")


def test_curves_are_named_where_they_end() -> None:
    means = {"alone": (0.4, 0.52), "added": (0.5, 0.521), "rooms": (0.3, 0.519)}
    rows = [_row(name, n, means[name][i]) for i, n in enumerate((10, 25)) for name in means]
    picture = plots.by_photographs(rows, "iou")
    assert picture.count("stroke-width=2") == len(means)
    places = {name: float(y) for y, name in
              re.findall(r"<text x=[\d.]+ y=([\d.]+) [^>]*>([a-z]+)</text>", picture)}  # fmt: skip
    assert [*places] == ["added", "alone", "rooms"], "from the highest to the lowest"
    heights = list(places.values())
    assert all(low - high >= 13 for high, low in pairwise(heights))
    assert plots.by_photographs(rows[:3], "iou") == "", "of one n there is no curve"
