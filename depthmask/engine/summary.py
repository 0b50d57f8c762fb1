"""Shows the summary at the end of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from depthmask.data import LeftOut
from depthmask.engine.display import Display
from depthmask.engine.displays.pace import rounded
from depthmask.engine.run import Result
from depthmask.errors import others_below
from depthmask.reports.dataset.formatting import counted
from depthmask.reports.units import size
from depthmask.statistics.redraws import WHEN_IT_LOOKS_WRONG
from depthmask.storage.dataset_info import DatasetInfo
from depthmask.storage.path import PREVIEW


def show_result(result: Result, display: Display) -> None:
    """Show samples, bytes, rate, time by station, and what the samples needed."""
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
        display.line(text, "done", **facts)
        display.line(f"time by station: {shares_of_time(result.stations)}")
    else:
        display.line(f"{total}; nothing is left to do", "done", **facts)
    if len(dataset.splits) > 1:
        display.line(f"splits    {_splits(info)}")
    if redrawn := info.counts.get("redrawn"):
        draws = info.counts["redraws"]
        display.line(
            f"redrawn   {redrawn:,} samples in {draws:,} draws, since their assets fitted nowhere"
        )
        for cause in result.redraws:
            display.line(f"          {cause}")
        display.line(f"          help: {WHEN_IT_LOOKS_WRONG}")
    if fallbacks := info.counts.get("blend_fallbacks"):
        display.line(
            f"blended   {fallbacks:,} cut-outs with blend=alpha, since the blend would smear them"
        )
    if info.left_out:
        display.line(f"left out  {_left_out(info.left_out)}")
    if (preview := dataset.path / PREVIEW).is_file():
        display.line(f"preview   {preview}")


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


def shares_of_time(stations: dict[str, float]) -> str:
    """The share of each station, the largest first, as text."""
    total = sum(stations.values()) or 1.0
    ordered = sorted(stations.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {seconds / total:.0%}" for name, seconds in ordered)
