"""Furniture as assemblies of solids, for rooms and for cut-outs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from depthmask.stages.source._rooms.furniture import decor, seating, storage, tables
from depthmask.stages.source._rooms.solids import Solid

Maker: TypeAlias = Callable[[np.random.Generator], list[Solid]]

CUTOUTS: tuple[tuple[str, Maker], ...] = (
    ("chair", seating.chair),
    ("plant", decor.plant),
    ("armchair", seating.armchair),
    ("lamp", decor.floor_lamp),
    ("person", decor.person),
    ("table", tables.table),
    ("bookshelf", storage.bookshelf),
    ("stool", seating.stool),
    ("sofa", seating.sofa),
    ("cabinet", storage.cabinet),
    ("desk", tables.desk),
    ("suitcase", storage.suitcase),
    ("dresser", storage.dresser),
    ("vase", tables.vase),
    ("box", storage.crate),
    ("coffee table", tables.coffee_table),
    ("pouf", seating.pouf),
)
"""(label, maker), in the order of the cut-outs."""
