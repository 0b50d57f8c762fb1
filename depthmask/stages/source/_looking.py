"""Looks at assets: at new and changed ones, on all cores, and at no others."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial

from depthmask.concurrency import cores, parallel_map
from depthmask.stages.source._looks import Asset, KeptLooks, Look
from depthmask.stages.source.base import Bar


def look_at(
    assets: Sequence[Asset], kept: KeptLooks, look: Callable[[Asset], Look], bar: Bar
) -> list[Look]:
    """The looks at assets, in order: those that are kept, and else the results of `look`.

    Those that can be trusted are kept, also if the work is interrupted. bar: shows the number of
    assets that `look` was called for.
    """
    looks = {asset: one for asset in assets if (one := kept.get(asset))}
    lasting = list(looks.values())
    new = [asset for asset in assets if asset not in looks]
    try:
        # Decoding releases the GIL.
        with (
            bar(len(new), "check") as advance,
            closing(parallel_map(cores(), partial(_timed, look), new)) as results,
        ):
            for asset, (read_at_ns, one) in zip(new, results, strict=True):
                looks[asset] = one
                if one.is_lasting(read_at_ns):
                    lasting.append(one)
                advance(1)
    finally:
        if len(lasting) != len(kept) or any(asset in looks for asset in new):
            kept.replace(lasting)
    return [looks[asset] for asset in assets]


def _timed(look: Callable[[Asset], Look], asset: Asset) -> tuple[int, Look]:
    """The time before a look, and the look."""
    return time.time_ns(), look(asset)
