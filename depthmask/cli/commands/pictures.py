"""`depthmask pictures OUT`: save depth maps as coloured pictures, with a legend."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from depthmask.cli.lines import show_path
from depthmask.cli.local_folder import folder_for
from depthmask.cli.screen import Screen
from depthmask.cli.usage.parser import parse
from depthmask.data import DepthKind, sample_key
from depthmask.errors import UsageError
from depthmask.reading.dataset import Dataset, open
from depthmask.reports.colormap import colour
from depthmask.reports.legend import legend
from depthmask.reports.preview import SAMPLES, depth_range

_LEGEND = "legend.png"


def main(arguments: Sequence[str]) -> int:
    """Write KEY.png for each sample and legend.png, all with one colour scale: red is near."""
    options = parse("pictures", arguments)
    dataset = open(options["OUT"])
    if dataset.contract is None:
        raise UsageError(f"{dataset.path} has no depth; add it with `depthmask annotate`")
    count = len(dataset) if options["count"] is None else min(options["count"], len(dataset))
    if count < 1:
        raise UsageError(f"--count {count}: must be at least 1")
    least, greatest = _range(dataset, options["near"], options["far"])
    # A larger disparity is nearer.
    is_disparity = dataset.contract.kind is DepthKind.disparity
    near, far = (greatest, least) if is_disparity else (least, greatest)
    names = [_LEGEND, *(f"{sample_key(index)}.png" for index in range(count))]
    folder = folder_for(dataset.path, "pictures", options["into"], names, near=least, far=greatest)
    legend(near, far, dataset.contract).save(folder / _LEGEND)
    _write(dataset, count, folder, near, far)
    show_path(folder)
    return 0


def _range(dataset: Dataset, least: float | None, greatest: float | None) -> tuple[float, float]:
    """The ends of the scale. An end that is None is measured on samples from the whole dataset."""
    step = max(1, len(dataset) // SAMPLES)
    samples = dataset[::step] if None in (least, greatest) else []
    measured = depth_range(samples)
    least = measured[0] if least is None else least
    greatest = measured[1] if greatest is None else greatest
    if not least < greatest:
        raise UsageError(f"--near {least:g} --far {greatest:g}: near must be less than far")
    return least, greatest


def _write(dataset: Dataset, count: int, into: Path, near: float, far: float) -> None:
    with Screen() as screen, screen.bar("pictures", count, "pictures") as advance:
        for index in range(count):
            sample = dataset[index]
            if sample.depth is not None:
                picture = Image.fromarray(colour(sample.depth, near, far))
                path = into / f"{sample.key}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                picture.save(path, compress_level=1)
            advance(1)
