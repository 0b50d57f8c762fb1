"""`depthmask stats OUT`: print the exact mean and standard deviation of a dataset."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from depthmask.cli.lines import show_block
from depthmask.cli.usage.parser import parse
from depthmask.reading.dataset import Dataset, open_summary
from depthmask.reports.dataset.formatting import counted
from depthmask.reports.units import depth_title, size, with_unit
from depthmask.untrusted import untrusted, visible

_COLOURS = ("red", "green", "blue")


def main(arguments: Sequence[str]) -> int:
    """Print a table, or with `--json` the statistics in dataset.json."""
    options = parse("stats", arguments)
    dataset = open_summary(options["OUT"])
    with untrusted(str(dataset.path / "dataset.json")):
        text = json.dumps(dataset.stats, indent=2) if options["json"] else _table(dataset)
    show_block(text)
    return 0


def _table(dataset: Dataset) -> str:
    info = dataset.metadata
    lines = [
        f"{len(dataset):,} samples of {info.size_text}, {counted(info.shards, 'shard')}, "
        f"{size(info.bytes)}; {counted(info.backgrounds, 'background')}, "
        f"{counted(info.foregrounds, 'foreground')}",
        f"{'channel':<12}{'mean':>12}{'std':>12}",
    ]
    channels = {"image": _COLOURS, "mask": ("mask",), "depth": (depth_title(dataset.contract),)}
    for kind, moments in dataset.stats.items():
        for name, mean, std in zip(channels[kind], moments["mean"], moments["std"], strict=True):
            lines.append(f"{name:<11} {mean:>12.5f}{std:>12.5f}")
    added = dataset.metadata.added_statistics
    lines += [_added_row(name, summary) for name, summary in added.items()]
    if (std := original_depth_std(dataset)) is not None:
        lines.append(f"{'depth [far]':<12}{'':>12}{std:>12.5f}  DepthMaskDataset has 0.03914")
    return "\n".join(map(visible, lines))


def _added_row(name: str, summary: Mapping[str, Any]) -> str:
    """The row of a statistic that a plugin has added; it may cover a part of the samples."""
    title = with_unit(name, summary["unit"])
    moments = f"{summary['mean']:>12.5f}{summary['std']:>12.5f}" if summary["values"] else " " * 24
    return f"{title:<11} {moments}  {summary['package']}, over {summary['samples']:,} samples"


def original_depth_std(dataset: Dataset) -> float | None:
    """The standard deviation of DenseDepth's maps as a fraction of the far limit.

    DepthMaskDataset publishes this number. None for a dataset whose depth is not by DenseDepth.
    """
    contract = dataset.contract
    if contract is None or contract.estimator != "densedepth" or "depth" not in dataset.stats:
        return None
    return float(dataset.stats["depth"]["std"][0]) / contract.far
