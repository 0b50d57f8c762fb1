"""One HTML page: the table, plots of the main scores, contact sheets."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.usefulness.compare import LEAST_SCENES, Difference
from benchmarks.usefulness.experiment import kept_sheet, sheet_path, shown_of
from benchmarks.usefulness.recipes_file import TASKS
from benchmarks.usefulness.scoring import HIGHER_IS_BETTER, MAIN, at_side
from benchmarks.usefulness.sets import Picture
from benchmarks.usefulness.table import Results, Row, interval

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:75rem;padding:0 1rem}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.25rem .6rem;text-align:right;border-bottom:1px solid #ccc}
th:first-child,td:first-child{text-align:left}
.better{color:#116329}.worse{color:#a40e26}
.wide{overflow-x:auto}
img{image-rendering:pixelated;max-width:100%}
"""
UNKNOWN = (90, 60, 150)
"""The colour, RGB, of pixels without depth."""
_WIDTH, _LEFT, _ROW = 900, 330, 22


def page(
    rows: Sequence[Row], results: Results, sets: dict[str, list[Picture]], out: Path, facts: str
) -> str:
    """The whole page; facts: what it was made of, a line."""
    parts = [f"<p>{html.escape(facts)}</p>"]
    for task, kind in TASKS.items():
        of_task = [row for row in rows if row.recipe.task == task]
        if of_task:
            parts.append(f"<h2>{task.capitalize()}</h2>")
            parts.append(_table(of_task))
            parts += [_plot(of_task, metric) for metric in MAIN[task]]
            parts.append(_sheets(of_task, results, shown_of(sets[kind]), out))
    body = "\n".join(parts)
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>Usefulness</title>"
        f"<style>{_STYLE}</style><h1>Networks trained on datasets, on real photographs</h1>{body}"
        "</html>\n"
    )


def _table(rows: Sequence[Row]) -> str:
    metrics = [m for m in HIGHER_IS_BETTER if any(m in row.means for row in rows)]
    head = "".join(f"<th>{name}</th>" for name in ["recipe", "runs", *metrics, "compared with"])
    lines = "".join(_lines(row, metrics) for row in rows)
    note = (
        "<p>Means over scenes and runs, with the standard deviation over runs. Compared: the mean "
        "difference and its 90 % interval by paired bootstrap over scenes and runs; coloured where "
        f"the interval excludes 0. Below {LEAST_SCENES} scenes there is none. Draws of 50 of the "
        "pool's photographs have most of them in common, so their deviation is too small.</p>"
    )
    return f"{note}<div class=wide><table><tr>{head}</tr>{lines}</table></div>"


def _lines(row: Row, metrics: Sequence[str]) -> str:
    cells = [row.score(m).replace("+-", "±") if m in row.means else "" for m in metrics]
    text = "".join(f"<td>{cell}</td>" for cell in [row.runs, *cells, ""])
    title = f"<td title='{html.escape(row.recipe.about, quote=True)}'>{html.escape(row.title)}</td>"
    lines = f"<tr>{title}{text}</tr>"
    for failed in row.failed:
        reason = html.escape(f"draw or seed {failed['number']} failed: {failed['failed']}")
        lines += f"<tr><td></td><td class=worse colspan={len(metrics) + 2}>{reason}</td></tr>"
    for other, differences in row.against.items():
        cells = [_cell(m, differences.get(m)) for m in metrics]
        lines += f"<tr><td></td><td></td>{''.join(cells)}<td>{html.escape(other)}</td></tr>"
    return lines


def _cell(metric: str, difference: Difference | None) -> str:
    if difference is None:
        return "<td></td>"
    is_better = (difference.mean > 0) == HIGHER_IS_BETTER[metric]
    colour = ("better" if is_better else "worse") if difference.is_clear else ""
    return f"<td class='{colour}'>{interval(difference)}</td>"


def _plot(rows: Sequence[Row], metric: str) -> str:
    """The mean of each recipe, and twice the deviation of its runs, as SVG."""
    shown = [row for row in rows if metric in row.means]
    if not shown:
        return ""
    most = max(row.means[metric] + 2 * row.spread.get(metric, 0) for row in shown) or 1
    scale = (_WIDTH - _LEFT - 60) / most
    marks = "".join(_mark(row, metric, n, scale) for n, row in enumerate(shown))
    height = _ROW * len(shown) + 10
    return (
        f"<h3>{metric}, {'higher' if HIGHER_IS_BETTER[metric] else 'lower'} is better</h3>"
        f"<svg role=img aria-label='{metric} by recipe' viewBox='0 0 {_WIDTH} {height}' "
        f"width={_WIDTH} font-size=13>{marks}</svg>"
    )


def _mark(row: Row, metric: str, number: int, scale: float) -> str:
    y = _ROW * number + 16
    mean, spread = row.means[metric], row.spread.get(metric, 0)
    x, low, high = (_LEFT + scale * value for value in (mean, mean - 2 * spread, mean + 2 * spread))
    return (
        f"<text x={_LEFT - 8} y={y} text-anchor=end>{html.escape(row.title)}</text>"
        f"<line x1={low:.1f} x2={high:.1f} y1={y - 4} y2={y - 4} stroke='#0b57d0'/>"
        f"<circle cx={x:.1f} cy={y - 4} r=4 fill='#0b57d0'/>"
        f"<text x={high + 8:.1f} y={y}>{mean:.3f}</text>"
    )


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
        maps = kept_sheet(sheet_path(out, whole[0]), pictures) if whole else None
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
