"""Writes the tables of docs/usefulness.md from the JSON of a table.

    python -m benchmarks.usefulness.docs_tables [JSON]

JSON: benchmarks/usefulness.json, a copy of what `--full --final` leaves in OUT.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.usefulness.compare import Difference
from benchmarks.usefulness.recipes_file import read_recipes
from benchmarks.usefulness.scoring import HIGHER_IS_BETTER, MAIN
from benchmarks.usefulness.table import AGAINST, ALONE, interval

RESULT = Path(__file__).parents[1] / "usefulness.json"
PAGE = Path(__file__).parents[2] / "docs" / "usefulness.md"
START, END = "<!-- made by python -m benchmarks.usefulness.docs_tables -->", "<!-- end -->"
Rows = Sequence[dict[str, Any]]


def tables(result: dict[str, Any]) -> str:
    """The tables of depth, of recipes for masks, and of masks by n photographs."""
    rows: Rows = result["rows"]
    masks = [row for row in rows if row["task"] == "masks"]
    parts = [
        START,
        f"`{result['made']}`",
        _table([row for row in rows if row["task"] == "depth"], "depth"),
        _table([row for row in masks if not row["photographs"]], "masks"),
        *(
            _table([row for row in masks if row["photographs"] == n], "masks", n)
            for n in sorted({row["photographs"] for row in masks} - {0})
        ),
        "\n".join(_recipes(rows)),
        END,
    ]
    return "\n\n".join(filter(None, parts))


def _table(rows: Rows, task: str, photographs: int = 0) -> str:
    if not rows:
        return ""
    others = [ALONE] if photographs else _compared_with(rows, task)
    metrics = MAIN[task]
    titles = [f"{task}, n = {photographs}" if photographs else task, "runs", *metrics]
    titles += [f"{metric} - {other}" for other in others for metric in metrics]
    return "\n".join([
        _line(titles),
        "|---" * len(titles) + "|",
        *(_line(_cells(row, metrics, others)) for row in rows),
    ])  # fmt: skip


def _compared_with(rows: Rows, task: str) -> list[str]:
    """What all recipes are compared with: the usual, and the untouched network."""
    untouched = {other for row in rows for other in row["against"] if other.startswith("untouched")}
    return [*AGAINST[task], *sorted(untouched)]


def _cells(row: dict[str, Any], metrics: Sequence[str], others: Iterable[str]) -> Iterator[str]:
    yield f"`{row['recipe']}`"
    yield str(row["runs"])
    for metric in metrics:
        mean, spread = row["means"].get(metric), row["spread"].get(metric)
        yield "" if mean is None else f"{mean:.3f}" + ("" if spread is None else f" ± {spread:.3f}")
    for other in others:
        for metric in metrics:
            one = row["against"].get(other, {}).get(metric)
            yield _difference(Difference(**one), metric) if one else ""


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


def write(page: Path, result: dict[str, Any]) -> None:
    """Replace the tables of the page; `ValueError` if it has no place for them."""
    text = page.read_text()
    if START not in text or END not in text:
        raise ValueError(f"{page}: no line {START}, or none {END}")
    head, _, rest = text.partition(START)
    _, _, tail = rest.partition(END)
    page.write_text(head + tables(result) + tail)


if __name__ == "__main__":
    write(PAGE, json.loads(Path(sys.argv[1] if sys.argv[1:] else RESULT).read_text()))
