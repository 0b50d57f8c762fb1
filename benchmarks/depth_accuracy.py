"""The accuracy table of docs/depth.md: `fastdepth` on RGB-D pairs, and against DenseDepth.

    python benchmarks/depth_accuracy.py REFERENCE [result.json]

REFERENCE is a folder with `rgbd/NAME.rgb.jpg` + `NAME.depth_mm.png`, and with
`densedepth/N_image.png` + `N_depth_relative.npy` (what the real nyu.h5 gave, scaled to 0..1).
The pairs are photographs with the depth of a sensor, and renders of modelled rooms with exact depth
(`redwood_*`, `slambook_ch12_*`); each kind has its own scores.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
from PIL import Image

from depthmask.reports.evaluation.metrics import mean_scores, spearman
from depthmask.reports.evaluation.on_pairs import Row, evaluate_pairs
from depthmask.stages.depth.fastdepth import FastDepth

_RENDERS = ("redwood_", "slambook_ch12_")
"""The names of pairs that were rendered begin so."""


def accuracy(reference: Path) -> dict[str, float]:
    """Mean scores over photographs and over renders, and the rank correlation with DenseDepth."""
    estimator = FastDepth()
    rows = evaluate_pairs(estimator, reference / "rgbd")
    correlations = [
        _correlation(estimator, path) for path in sorted(reference.glob("densedepth/*_image.png"))
    ]
    return {
        **_means("photographs", [row for row in rows if not row.name.startswith(_RENDERS)]),
        **_means("renders", [row for row in rows if row.name.startswith(_RENDERS)]),
        "DenseDepth images": len(correlations),
        "DenseDepth spearman": float(np.mean(correlations)),
    }


def _means(kind: str, rows: list[Row]) -> dict[str, float]:
    """The number of images of a kind, and their mean scores, plain and scaled to the median."""
    plain = mean_scores([row.plain for row in rows if row.plain is not None])
    scaled = mean_scores([row.scaled for row in rows])
    return {
        f"{kind} images": len(rows),
        **{f"{kind} plain {name}": value for name, value in asdict(plain).items()},
        **{f"{kind} scaled {name}": value for name, value in asdict(scaled).items()},
    }


def _correlation(estimator: FastDepth, path: Path) -> float:
    """Rank correlation with DenseDepth's map of the same photograph, at the map's size."""
    theirs = np.load(
        path.with_name(path.name.replace("_image.png", "_depth_relative.npy")), allow_pickle=False
    )
    with Image.open(path) as picture:
        image = np.asarray(picture.convert("RGB"))
    (depth,) = estimator.estimate(image[None])
    height, width = theirs.shape
    ours = np.asarray(Image.fromarray(depth).resize((width, height), Image.Resampling.BILINEAR))
    return spearman(ours.ravel().astype(np.float64), theirs.ravel().astype(np.float64))


def main(arguments: list[str]) -> int:
    """Print the table; write it as JSON where a second argument says so."""
    found = accuracy(Path(arguments[0]))
    for name, value in found.items():
        print(f"{name:<32}{value:>8.3f}")
    if len(arguments) > 1:
        Path(arguments[1]).write_text(json.dumps(found, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
