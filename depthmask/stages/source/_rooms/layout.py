"""Finding room for furniture: along the walls and on the floor, never upon each other."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from depthmask.stages.source._rooms.furniture import Maker
from depthmask.stages.source._rooms.plan import BACK, LEFT, RIGHT, Wall, Window
from depthmask.stages.source._rooms.solids import Floats, Solid, Span, bounds, placed

CLEAR_M = 0.95
"""Nothing stands nearer to the camera than this."""
GAP_M = 0.07
TRIES = 14


@dataclass(slots=True, eq=False)
class Layout:
    """What stands in a room so far.

    blocked: stretches of walls that doors need. taken, heights: of each piece, its footprint
    (x low, x high, z low, z high) and its height in metres.
    """

    width: float
    depth: float
    eye: Floats
    windows: list[Window]
    blocked: dict[int, list[Span]]
    solids: list[Solid] = field(default_factory=list)
    taken: list[tuple[float, float, float, float]] = field(default_factory=list)
    heights: list[float] = field(default_factory=list)

    def against(
        self, rng: np.random.Generator, make: Maker, wall: Wall, middle: float | None = None
    ) -> tuple[float, float] | None:
        """Stand a piece with its back to the wall; (along, height), or None if nothing fits."""
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
            if self._stand(solids, box, wall.yaw, (x, z)):
                return along, float(high[1])
        return None

    def freely(
        self, rng: np.random.Generator, make: Maker, at: tuple[float, float], yaw: float
    ) -> bool:
        """Stand a piece on the floor at world (x, z)."""
        solids = placed(make(rng), yaw, (0, 0, 0))
        low, high = bounds(solids)
        box = (at[0] + low[0], at[0] + high[0], at[1] + low[2], at[1] + high[2])
        return self._stand(solids, box, 0.0, at)

    def tall_along(self, wall: Wall) -> list[Span]:
        """The stretches of a wall that furniture of more than a metre hides."""
        spans = []
        for box, high in zip(self.taken, self.heights, strict=True):
            out = {LEFT: box[0], RIGHT: self.width - box[1], BACK: self.depth - box[3]}[wall.face]
            if high > 1.0 and out < 0.5:
                spans.append((box[0], box[1]) if wall.face == BACK else (box[2], box[3]))
        return spans

    def _stand(
        self,
        solids: list[Solid],
        box: tuple[float, float, float, float],
        yaw: float,
        at: tuple[float, float],
    ) -> bool:
        x0, x1, z0, z1 = box
        if x0 < 0.02 or z0 < 0.02 or x1 > self.width - 0.02 or z1 > self.depth - 0.02:
            return False
        across = max(x0 - self.eye[0], 0, self.eye[0] - x1)
        ahead = max(z0 - self.eye[2], 0, self.eye[2] - z1)
        if math.hypot(across, ahead) < CLEAR_M:
            return False
        for a0, a1, b0, b1 in self.taken:
            if x0 < a1 + GAP_M and a0 < x1 + GAP_M and z0 < b1 + GAP_M and b0 < z1 + GAP_M:
                return False
        self.taken.append(box)
        self.heights.append(float(bounds(solids)[1][1]))
        # Piece 0 is what the walls carry.
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
