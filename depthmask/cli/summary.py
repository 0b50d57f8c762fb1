"""The summary that ends a run."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from depthmask.cli.screen import Screen
from depthmask.data import LeftOut
from depthmask.engine.run import Result
from depthmask.reading.dataset import Dataset
from depthmask.storage.dataset_info import DatasetInfo

_SHOWN = 3
"""How many of the left out files are named."""


def show_result(result: Result, screen: Screen, arguments: Sequence[str] | None = None) -> None:
    """Show samples, bytes, rate, time by stage, and commands to continue with.

    arguments: the overrides of the run, to show how to extend the dataset; None if it cannot be.
    """
    dataset, info = result.dataset, result.dataset.metadata
    total = f"{len(dataset):,} samples, {info.bytes / 1e6:,.1f} MB"
    if result.made:
        rate = result.made / result.seconds
        screen.line(f"{total}; {result.made:,} made in {result.seconds:.1f} s, {rate:,.0f}/s")
        screen.line(f"time by station: {_shares(result.stations)}")
    else:
        screen.line(f"{total}; nothing is left to do")
    if len(dataset.splits) > 1:
        screen.line(f"splits    {_splits(info)}")
    if redrawn := info.counts.get("redrawn"):
        draws = info.counts["redraws"]
        screen.line(
            f"redrawn   {redrawn:,} samples, {draws:,} times, as no position fitted their assets"
        )
    if fallbacks := info.counts.get("blend_fallbacks"):
        screen.line(
            f"blended   {fallbacks:,} cut-outs with blend=alpha, as the blend would smear them"
        )
    if info.left_out:
        screen.line(f"left out  {_few(info.left_out)}; dataset.json lists all of them")
    screen.line(f"preview   {dataset.path / 'preview.jpg'}")
    screen.line(f"open      depthmask.open({str(dataset.path)!r})")
    if arguments is not None:
        screen.line(f"extend    {_extend(dataset, arguments)}")


def _extend(dataset: Dataset, arguments: Sequence[str]) -> str:
    """The command that makes the dataset twice as long."""
    kept = [
        word for word in arguments if not word.startswith(("output=", "samples=", "overwrite="))
    ]
    new = [f"output={dataset.path}", f"samples={2 * len(dataset)}"]
    return shlex.join(["python", "-m", "depthmask", *kept, *new])


def _splits(info: DatasetInfo) -> str:
    """The samples and assets of each split, and what splits share."""
    sizes = ", ".join(
        f"{name} {split.samples:,} ({split.backgrounds:,} backgrounds, "
        f"{split.foregrounds:,} foregrounds)"
        for name, split in info.splits.items()
    )
    return (
        f"{sizes}; leakage: {info.leakage.assets} assets, "
        f"{info.leakage.near_duplicates} pairs of near-duplicates"
    )


def _few(left_out: Sequence[LeftOut]) -> str:
    first = "; ".join(f"{one.file}: {one.reason}" for one in left_out[:_SHOWN])
    files = "1 file" if len(left_out) == 1 else f"{len(left_out):,} files"
    more = f"; and {len(left_out) - _SHOWN:,} more" if len(left_out) > _SHOWN else ""
    return f"{files}: {first}{more}"


def _shares(stations: dict[str, float]) -> str:
    whole = sum(stations.values()) or 1.0
    ordered = sorted(stations.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {seconds / whole:.0%}" for name, seconds in ordered)
