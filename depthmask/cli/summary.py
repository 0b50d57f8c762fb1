"""Shows the summary at the end of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from depthmask.cli.pace import rounded
from depthmask.cli.screen import Screen
from depthmask.data import LeftOut
from depthmask.engine.run import Result
from depthmask.errors import others_below
from depthmask.reading.dataset import Dataset
from depthmask.reports.dataset.formatting import counted
from depthmask.reports.units import size
from depthmask.statistics.redraws import WHEN_IT_LOOKS_WRONG
from depthmask.storage.dataset_info import DatasetInfo
from depthmask.storage.path import dataset_word


def show_result(result: Result, screen: Screen, *, extendable: bool = False) -> None:
    """Show samples, bytes, rate, time by station, and how to open and extend the dataset.

    extendable: whether samples can be added, so that the command for that is shown.
    """
    dataset, info = result.dataset, result.dataset.metadata
    total = f"{len(dataset):,} samples, {size(info.bytes)}"
    facts: dict[str, Any] = {
        "samples": len(dataset),
        "bytes": info.bytes,
        "made": result.made,
        "seconds": round(result.seconds, 1),
        "output": str(dataset.path),
    }
    if result.made:
        rate = rounded(result.made / result.seconds)
        text = f"{total}; {result.made:,} made in {result.seconds:.1f} s, {rate}/s"
        screen.line(text, "done", **facts)
        screen.line(f"time by station: {_shares_of_time(result.stations)}")
    else:
        screen.line(f"{total}; nothing is left to do", "done", **facts)
    if len(dataset.splits) > 1:
        screen.line(f"splits    {_splits(info)}")
    if redrawn := info.counts.get("redrawn"):
        draws = info.counts["redraws"]
        screen.line(
            f"redrawn   {redrawn:,} samples in {draws:,} draws, since their assets fitted nowhere"
        )
        for cause in result.redraws:
            screen.line(f"          {cause}")
        screen.line(f"          help: {WHEN_IT_LOOKS_WRONG}")
    if fallbacks := info.counts.get("blend_fallbacks"):
        screen.line(
            f"blended   {fallbacks:,} cut-outs with blend=alpha, since the blend would smear them"
        )
    if info.left_out:
        screen.line(f"left out  {_left_out(info.left_out)}")
    screen.line(f"preview   {dataset.path / 'preview.jpg'}")
    screen.line(f"open      depthmask.open({str(dataset.path)!r})")
    if extendable:
        screen.line(f"extend    {_extend(dataset)}")


def _extend(dataset: Dataset) -> str:
    """The command that doubles the number of samples."""
    return f"python -m depthmask extend {dataset_word(dataset.path)} samples={2 * len(dataset)}"


def _splits(info: DatasetInfo) -> str:
    """The samples and assets of each split, and the leakage between splits."""
    sizes = ", ".join(
        f"{name} {split.samples:,} ({counted(split.backgrounds, 'background')}, "
        f"{counted(split.foregrounds, 'foreground')})"
        for name, split in info.splits.items()
    )
    return (
        f"{sizes}; leakage: {info.leakage.assets} assets, "
        f"{info.leakage.near_duplicates} pairs of near-duplicates"
    )


def _left_out(left_out: Sequence[LeftOut]) -> str:
    """The files that were left out, each with its reason on a line of its own."""
    files = counted(sum(asset.files for asset in left_out), "file")
    first, *others = (f"{asset.file}: {asset.reason}" for asset in left_out)
    return f"{files}: {first}{others_below(others, 'dataset.json lists all of them')}"


def _shares_of_time(stations: dict[str, float]) -> str:
    total = sum(stations.values()) or 1.0
    ordered = sorted(stations.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {seconds / total:.0%}" for name, seconds in ordered)
