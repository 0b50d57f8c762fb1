"""The positions of furniture: along the walls and on the floor, without overlap."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from depthmask.kernels.compiled import Floats
from depthmask.stages.source._rooms.furniture import Maker
from depthmask.stages.source._rooms.room import BACK, LEFT, RIGHT, Wall, Window
from depthmask.stages.source._rooms.solids import Solid, Span, bounds, placed

GAP_M = 0.07
"""Least distance between pieces of furniture."""
TRIES = 14
"""Positions that are tried along a wall."""


@dataclass(slots=True, eq=False)
class Layout:
    """The furniture placed in a room so far.

    clearance: the least distance of furniture from the camera's `eye` along the floor, metres.
    blocked: the spans of each wall that doors need. taken, heights: for each piece its footprint
    (x low, x high, z low, z high) and its height in metres.
    """

    width: float
    depth: float
    eye: Floats
    clearance: float
    windows: list[Window]
    blocked: dict[int, list[Span]]
    solids: list[Solid] = field(default_factory=list)
    taken: list[tuple[float, float, float, float]] = field(default_factory=list)
    heights: list[float] = field(default_factory=list)

    def place_at_wall(
        self, rng: np.random.Generator, make: Maker, wall: Wall, middle: float | None = None
    ) -> tuple[float, float] | None:
        """Place a piece with its back to a wall.

        middle: its position along the wall [m], random by default. Returns (position along the
        wall, height) in metres, or None if it does not fit.
        """
        solids = make(rng)
        low, high = bounds(solids)
        half, back, front = max(-low[0], high[0]), float(high[2]), float(-low[2])
        start = half + 0.04 if wall.face == BACK else max(half + 0.04, 1.5)
        for _ in range(TRIES):
            stop = wall.length - half - 0.04
            if stop <= start:
                return None
            along = float(rng.uniform(start, stop)) if middle is None else middle
            if not self._wall_free(wall, (along - half, along + half), float(high[1])):
                continue
            out = back + (0.2 if self._curtained(wall, along, half) else 0.03)
            x, z = wall.at(along, out)
            (x0, z0), (x1, z1) = (
                wall.at(along - half, out - back),
                wall.at(along + half, out + front),
            )
            box = (min(x0, x1), max(x0, x1), min(z0, z1), max(z0, z1))
            if self._add_if_free(solids, box, wall.yaw, (x, z)):
                return along, float(high[1])
        return None

    def place_on_floor(
        self, rng: np.random.Generator, make: Maker, at: tuple[float, float], yaw: float
    ) -> bool:
        """Place a piece on the floor at world (x, z); returns whether it fits."""
        solids = placed(make(rng), yaw, (0, 0, 0))
        low, high = bounds(solids)
        box = (at[0] + low[0], at[0] + high[0], at[1] + low[2], at[1] + high[2])
        return self._add_if_free(solids, box, 0.0, at)

    def spans_behind_tall(self, wall: Wall) -> list[Span]:
        """The spans of a wall that are hidden by furniture taller than one metre."""
        spans = []
        for box, high in zip(self.taken, self.heights, strict=True):
            out = {LEFT: box[0], RIGHT: self.width - box[1], BACK: self.depth - box[3]}[wall.face]
            if high > 1.0 and out < 0.5:
                spans.append((box[0], box[1]) if wall.face == BACK else (box[2], box[3]))
        return spans

    def _add_if_free(
        self,
        solids: list[Solid],
        box: tuple[float, float, float, float],
        yaw: float,
        at: tuple[float, float],
    ) -> bool:
        """Place solids if their footprint `box` is free; returns whether it is.

        box: (x low, x high, z low, z high).
        """
        x0, x1, z0, z1 = box
        if x0 < 0.02 or z0 < 0.02 or x1 > self.width - 0.02 or z1 > self.depth - 0.02:
            return False
        across = max(x0 - self.eye[0], 0, self.eye[0] - x1)
        forward = max(z0 - self.eye[2], 0, self.eye[2] - z1)
        if across * across + forward * forward < self.clearance * self.clearance:
            return False
        for a0, a1, b0, b1 in self.taken:
            if x0 < a1 + GAP_M and a0 < x1 + GAP_M and z0 < b1 + GAP_M and b0 < z1 + GAP_M:
                return False
        self.taken.append(box)
        self.heights.append(float(bounds(solids)[1][1]))
        # Piece 0 stands for all that is fixed to the walls.
        self.solids += placed(solids, yaw, (at[0], 0, at[1]), piece=len(self.taken))
        return True

    def _wall_free(self, wall: Wall, along: Span, high: float) -> bool:
        taken = list(self.blocked.get(wall.face, []))
        taken += [w.along for w in self.windows if w.face == wall.face and w.up[0] < high - 0.15]
        return all(along[1] < low or along[0] > top for low, top in taken)

    def _curtained(self, wall: Wall, along: float, half: float) -> bool:
        return any(
            w.face == wall.face
            and along - half < w.along[1] + 0.3
            and along + half > w.along[0] - 0.3
            for w in self.windows
        )
