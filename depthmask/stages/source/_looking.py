"""Looks at assets: at new and changed ones, on all cores, and at no others."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Sequence
from contextlib import closing
from functools import partial
from typing import Protocol, TypeVar

from depthmask.concurrency import cores, parallel_map
from depthmask.stages.source.base import Bar

A = TypeVar("A", bound=Hashable)


class Lasting(Protocol):
    """A look that may be trusted by later runs."""

    def is_lasting(self, read_at_ns: int) -> bool:
        """Whether it may be; read_at_ns: the time before it."""


L = TypeVar("L", bound=Lasting)
A_ = TypeVar("A_", contravariant=True)


class Kept(Protocol[A_, L]):
    """The looks of earlier runs."""

    def __len__(self) -> int:
        """How many there are."""

    def get(self, asset: A_, /) -> L | None:
        """The look at an asset as it is now; None if there was none."""

    def replace(self, looks: list[L], /) -> None:
        """Keep these looks, and no others."""


def look_at(assets: Sequence[A], kept: Kept[A, L], look: Callable[[A], L], bar: Bar) -> list[L]:
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


def _timed(look: Callable[[A], L], asset: A) -> tuple[int, L]:
    """The time before a look, and the look."""
    return time.time_ns(), look(asset)
