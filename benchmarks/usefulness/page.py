"""One HTML page: the table, plots of the main scores, contact sheets."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.usefulness import sheets
from benchmarks.usefulness.compare import LEAST_SCENES, Difference
from benchmarks.usefulness.plots import by_photographs, by_recipe, points
from benchmarks.usefulness.recipes_file import TASKS
from benchmarks.usefulness.scoring import HIGHER_IS_BETTER, MAIN, at_side, better
from benchmarks.usefulness.sets import Picture
from benchmarks.usefulness.table import AGAINST, Results, Row, as_json, interval

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:75rem;padding:0 1rem}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.25rem .6rem;text-align:right;border-bottom:1px solid #ccc}
th,td{white-space:nowrap}
td.reason{white-space:normal}
th:first-child,td:first-child{text-align:left}
td small{display:block}
.better{color:#116329}.worse{color:#a40e26}
.wide{overflow-x:auto}
svg{display:block;margin:1rem 0}
img{image-rendering:pixelated;max-width:100%}
"""
UNKNOWN = (90, 60, 150)
"""The colour, RGB, of pixels without depth."""


_NOTE = (
    "<p>Means over scenes and runs, with the standard deviation over runs; plots show two of them "
    "to each side. Compared: the mean difference and its 90 % interval by paired bootstrap over "
    f"scenes and runs; coloured where the interval excludes 0. Below {LEAST_SCENES} scenes there "
    "is none. Draws of 50 of the pool's photographs have most of them in common, so their "
    "deviation is too small.</p>"
)


def page(
    rows: Sequence[Row], results: Results, sets: dict[str, list[Picture]], out: Path, facts: str
) -> str:
    """The whole page; facts: what it was made of, a line."""
    parts = [f"<p>{html.escape(facts)}</p>", _NOTE]
    for task, kind in TASKS.items():
        of_task = [row for row in rows if row.recipe.task == task]
        if of_task:
            parts += [f"<h2>{task.capitalize()}</h2>", *_scores(task, of_task)]
            parts.append(_sheets(of_task, results, sheets.shown_of(sets[kind]), out))
    body = "\n".join(parts)
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>Usefulness</title>"
        f"<style>{_STYLE}</style><h1>Networks trained on datasets, on real photographs</h1>{body}"
        "</html>\n"
    )


def _scores(task: str, rows: Sequence[Row]) -> Iterator[str]:
    """Yield tables and plots of a task; recipes of n photographs have their own."""
    plain = [row for row in rows if not row.photographs]
    of_photographs = [row for row in rows if row.photographs]
    if plain:
        yield _table(plain)
        for metric in MAIN[task]:
            if shown := points(as_json(plain), metric):
                yield by_recipe(shown, AGAINST[task][0], f"{metric}, {better(metric)}")
    if of_photographs:
        yield "<h2>Masks, from n labelled photographs</h2>"
        yield _table(of_photographs)
        kept = [row for row in of_photographs if not row.recipe.runs]
        for metric in MAIN[task]:
            if shown := points(as_json(kept), metric):
                title = f"{metric} by the number of photographs, {better(metric)}"
                yield by_photographs(shown, title)


def _table(rows: Sequence[Row]) -> str:
    metrics = [m for m in HIGHER_IS_BETTER if any(m in row.means for row in rows)]
    head = "".join(f"<th>{name}</th>" for name in ["recipe", "runs", *metrics, "compared with"])
    lines = "".join(_lines(row, metrics) for row in rows)
    return f"<div class=wide><table><tr>{head}</tr>{lines}</table></div>"


def _lines(row: Row, metrics: Sequence[str]) -> str:
    cells = [row.score(m).replace("+-", "±") if m in row.means else "" for m in metrics]
    text = "".join(f"<td>{cell}</td>" for cell in [row.runs, *cells, ""])
    title = f"<td title='{html.escape(row.recipe.about, quote=True)}'>{html.escape(row.title)}</td>"
    lines = f"<tr>{title}{text}</tr>"
    for failed in row.failed:
        reason = html.escape(f"draw or seed {failed['number']} failed: {failed['failed']}")
        lines += (
            f"<tr><td></td><td class='worse reason' colspan={len(metrics) + 2}>{reason}</td></tr>"
        )
    for other, differences in row.against.items():
        cells = [_cell(m, differences.get(m)) for m in metrics]
        lines += f"<tr><td></td><td></td>{''.join(cells)}<td>{html.escape(other)}</td></tr>"
    return lines


def _cell(metric: str, difference: Difference | None) -> str:
    if difference is None:
        return "<td></td>"
    is_better = (difference.mean > 0) == HIGHER_IS_BETTER[metric]
    colour = ("better" if is_better else "worse") if difference.is_clear else ""
    mean, _, ends = interval(difference).partition(" ")
    return f"<td class='{colour}'>{mean}<small>{ends}</small></td>"


def _sheets(rows: Sequence[Row], results: Results, pictures: list[Picture], out: Path) -> str:
    """Picture, truth and the predictions of each recipe's first run, one line of pictures each."""
    if not pictures:
        return ""
    truth = np.stack([picture.truth.astype(np.float32) for picture in pictures])
    lines = [
        ("picture", np.stack([picture.image for picture in pictures])),
        ("truth", _shown(rows[0].recipe.task, truth)),
    ]
    for row in rows:
        whole = [run for run, line in results.lines[row.recipe, row.photographs]
                 if "scores" in line]  # fmt: skip
        maps = sheets.kept(sheets.path_of(out, whole[0]), pictures) if whole else None
        if maps is not None:
            lines.append((row.title, _shown(row.recipe.task, maps)))
    figures = "".join(
        f"<figure><figcaption>{html.escape(title)}</figcaption>{_image(title, images)}</figure>"
        for title, images in lines
    )
    about = "Contact sheets: photographs of the choosing half, whichever half the table is of"
    return f"<details><summary>{about}</summary>{figures}</details>"


def _shown(task: str, maps: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Maps as grey pictures: masks by logit 0, depths as `_grey` has them."""
    if task == "masks":
        return np.repeat(((maps > 0) * 255)[..., None], 3, axis=-1).astype(np.uint8)
    return np.stack([_grey(at_side(map_)) for map_ in maps])


def _grey(depth: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A depth map from near (light) to far, by percentiles; unknown depth in its own colour."""
    known = depth > 0
    low, high = np.percentile(depth[known], [2, 98]) if known.any() else (0.0, 1.0)
    grey = 255 - 255 * np.clip((depth - low) / max(high - low, 1e-6), 0, 1)
    shown = np.repeat(grey[..., None], 3, axis=-1).astype(np.uint8)
    shown[~known] = UNKNOWN
    return shown


def _image(title: str, images: NDArray[np.uint8]) -> str:
    strip = np.concatenate(list(images), axis=1)
    _, data = cv2.imencode(".jpg", strip[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])
    text = base64.b64encode(data.tobytes()).decode()
    return f"<img alt='{html.escape(title, quote=True)}' src='data:image/jpeg;base64,{text}'>"
