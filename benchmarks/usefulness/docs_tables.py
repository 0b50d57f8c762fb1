"""Writes the tables and plots of docs/usefulness.md from the JSON of two tables.

    python -m benchmarks.usefulness.docs_tables

benchmarks/usefulness.json is a copy of OUT/full-final.json, usefulness-choosing.json one of
OUT/full-choosing.json: what was tried is said of the half on which it was chosen.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.usefulness.compare import Difference
from benchmarks.usefulness.plots import by_photographs, by_recipe, points
from benchmarks.usefulness.recipes_file import TASKS, Recipe, read_recipes
from benchmarks.usefulness.scoring import HIGHER_IS_BETTER, MAIN, better
from benchmarks.usefulness.table import AGAINST, ALONE, interval

RESULT = Path(__file__).parents[1] / "usefulness.json"
CHOOSING = Path(__file__).parents[1] / "usefulness-choosing.json"
PAGE = Path(__file__).parents[2] / "docs" / "usefulness.md"
START = "<!-- made by python -m benchmarks.usefulness.docs_tables -->"
TRIED = "<!-- made by python -m benchmarks.usefulness.docs_tables: tried -->"
END = "<!-- end -->"
_MOST_DIFFERENCES = 4
"""As many columns of differences fit beside the means."""
Rows = Sequence[dict[str, Any]]


def tables(result: dict[str, Any]) -> str:
    """The tables and plots of depth, of recipes for masks, and of masks by n photographs."""
    rows: Rows = result["rows"]
    depth, masks, few = _groups(rows)
    parts = [
        f"`{result['made']}`",
        _table(depth, "depth"),
        *_shown(depth, "depth"),
        _table(masks, "masks"),
        *_shown(masks, "masks"),
        *(
            _table([row for row in few if row["photographs"] == n], "masks", n)
            for n in sorted({row["photographs"] for row in few})
        ),
        *_shown(few, "few"),
        "\n".join(_recipes(rows)),
    ]
    return "\n\n".join(filter(None, parts))


def tried(result: dict[str, Any]) -> str:
    """The tables of what was expected of a change, and what came."""
    parts = [f"`{result['made']}`"]
    for task in TASKS:
        expected = {
            recipe.name: recipe
            for recipe in read_recipes()
            if recipe.task == task and recipe.expected
        }
        rows = [r for r in result["rows"] if r["task"] == task and r["recipe"] in expected]
        lines = [_tried(row, expected[row["recipe"]]) for row in rows]
        titles = [task, "against", "expected", *MAIN[task]]
        head = [_line(titles), "|---" * len(titles) + "|"]
        parts.append("\n".join(head + lines) if lines else "")
    return "\n\n".join(filter(None, parts))


def _tried(row: dict[str, Any], recipe: Recipe) -> str:
    other = recipe.against[0]
    title = f"`{recipe.name}`" + (f", n = {row['photographs']}" if row["photographs"] else "")
    differences = _differences(row, other, MAIN[recipe.task])
    return _line([title, f"`{other}`", recipe.expected, *differences])


def _groups(rows: Rows) -> tuple[Rows, Rows, Rows]:
    """The rows of depth, of masks, and of masks by n photographs."""
    masks = [row for row in rows if row["task"] == "masks"]
    return (
        [row for row in rows if row["task"] == "depth"],
        [row for row in masks if not row["photographs"]],
        [row for row in masks if row["photographs"]],
    )


def _shown(rows: Rows, group: str) -> Iterator[str]:
    """Yield the places of a group's plots."""
    yield from (f"![{title}](images/{name})" for name, title, _ in _plots(rows, group))


def _plots(rows: Rows, group: str) -> Iterator[tuple[str, str, str]]:
    """Yield the name, the title and the SVG of each plot of a group, without what was dropped."""
    task = "depth" if group == "depth" else "masks"
    dropped = {one.name for one in read_recipes() if one.task == task and one.runs}
    kept = [row for row in rows if row["recipe"] not in dropped]
    for metric in MAIN[task]:
        shown = points(kept, metric)
        if not shown:
            continue
        name = f"usefulness-{group}-{metric}.svg"
        if group == "few":
            title = f"{metric} of masks by the number of photographs, {better(metric)}"
            yield name, title, by_photographs(shown, title)
        else:
            title = f"{metric} of {task} by recipe, {better(metric)}"
            yield name, title, by_recipe(shown, AGAINST[task][0], title)


def _table(rows: Rows, task: str, photographs: int = 0) -> str:
    """The means, and the differences in the same table or, where they are many, in their own."""
    if not rows:
        return ""
    title = f"{task}, n = {photographs}" if photographs else task
    others = [ALONE] if photographs else _compared_with(rows, task)
    metrics = MAIN[task]
    if len(others) * len(metrics) <= _MOST_DIFFERENCES:
        return _lines(rows, title, metrics, others)
    return "\n\n".join([
        _lines(rows, title, metrics, []),
        *(_lines(rows, f"{title}, against {other}", metrics, [other], has_means=False)
          for other in others),
    ])  # fmt: skip


def _lines(
    rows: Rows, title: str, metrics: Sequence[str], others: Sequence[str], *, has_means: bool = True
) -> str:
    compared = [row for row in rows if has_means or set(others) & row["against"].keys()]
    titles = [title, *(["runs", *metrics] if has_means else [])]
    titles += [f"{metric} - {other}" if has_means else metric
               for other in others for metric in metrics]  # fmt: skip
    return "\n".join([
        _line(titles),
        "|---" * len(titles) + "|",
        *(_line(_cells(row, metrics, others, has_means)) for row in compared),
    ])  # fmt: skip


def _compared_with(rows: Rows, task: str) -> list[str]:
    """What all recipes are compared with: the usual, and the untouched network."""
    untouched = {other for row in rows for other in row["against"] if other.startswith("untouched")}
    return [*AGAINST[task], *sorted(untouched)]


def _cells(
    row: dict[str, Any], metrics: Sequence[str], others: Iterable[str], has_means: bool
) -> Iterator[str]:
    yield f"`{row['recipe']}`"
    if has_means:
        yield str(row["runs"])
        yield from (_mean(row, metric) for metric in metrics)
    for other in others:
        yield from _differences(row, other, metrics)


def _differences(row: dict[str, Any], other: str, metrics: Iterable[str]) -> Iterator[str]:
    """Yield the difference from another recipe in each score; nothing where there is none."""
    for metric in metrics:
        one = row["against"].get(other, {}).get(metric)
        yield _difference(Difference(**one), metric) if one else ""


def _mean(row: dict[str, Any], metric: str) -> str:
    mean, spread = row["means"].get(metric), row["spread"].get(metric)
    if mean is None:
        return ""
    return f"{mean:.3f}" + ("" if spread is None else f" ± {spread:.3f}")


def _difference(one: Difference, metric: str) -> str:
    """Says better or worse where its interval excludes 0."""
    if not one.is_clear:
        return interval(one)
    is_better = (one.mean > 0) == HIGHER_IS_BETTER[metric]
    return f"**{'better' if is_better else 'worse'}:** {interval(one)}"


def _recipes(rows: Rows) -> Iterator[str]:
    """Yield a line for each recipe of the tables: what it is."""
    about = {(recipe.task, recipe.name): recipe.about for recipe in read_recipes()}
    for task, name in dict.fromkeys((row["task"], row["recipe"]) for row in rows):
        yield f"- `{name}` ({task}): {about[task, name]}"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def write(page: Path, result: dict[str, Any], choosing: dict[str, Any]) -> None:
    """Replace the tables and plots of the page; `ValueError` if it has no place for them."""
    text = _replaced(page, page.read_text(), START, tables(result))
    page.write_text(_replaced(page, text, TRIED, tried(choosing)))
    images = page.parent / "images"
    images.mkdir(exist_ok=True)
    for rows, group in zip(_groups(result["rows"]), ("depth", "masks", "few"), strict=True):
        for name, _, picture in _plots(rows, group):
            (images / name).write_text(picture + "\n")


def _replaced(page: Path, text: str, start: str, part: str) -> str:
    head, found, rest = text.partition(start)
    _, has_end, tail = rest.partition(END)
    if not (found and has_end):
        raise ValueError(f"{page}: no line {start}, or none {END} after it")
    return f"{head}{start}\n\n{part}\n\n{END}{tail}"


if __name__ == "__main__":
    write(PAGE, json.loads(RESULT.read_text()), json.loads(CHOOSING.read_text()))
