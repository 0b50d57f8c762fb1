"""A room: its measures, its surfaces, and its furniture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from depthmask.kernels.compiled import Floats
from depthmask.stages.source._rooms.lights import Lights, Panel
from depthmask.stages.source._rooms.material import Material
from depthmask.stages.source._rooms.solids import Shape, Solid, Span, box
from depthmask.stages.source._rooms.view import View

LEFT, RIGHT, FLOOR, CEILING, FRONT, BACK = range(6)
"""Numbers of a room's faces; the camera looks away from FRONT, towards BACK."""


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """A window in the plane of a wall, without thickness.

    face: number of the wall. along, up: its extent on the wall in metres. bars: number of vertical
    bars. panel: its light.
    """

    face: int
    along: Span
    up: Span
    bars: int
    panel: Panel


@dataclass(frozen=True, slots=True, eq=False)
class Rug:
    """A rug without thickness on the floor. x, z: its extent in metres."""

    x: Span
    z: Span
    material: Material


@dataclass(frozen=True, slots=True, eq=False)
class Room:
    """A furnished room between (0, 0, 0) and `high` (float64 [3], metres).

    faces: the materials of the six faces. reach: tangent of half the horizontal field of view.
    outdoors: seed of the view through the windows.
    """

    high: Floats
    view: View
    reach: float
    faces: tuple[Material, ...]
    solids: tuple[Solid, ...]
    windows: tuple[Window, ...]
    rugs: tuple[Rug, ...]
    lights: Lights
    outdoors: int

    @property
    def shell(self) -> Solid:
        """The room as a box, seen from inside."""
        half = self.high / 2
        return Solid(Shape.box, half, np.diag(half), self.faces[0])


@dataclass(frozen=True, slots=True)
class Wall:
    """One wall of a room of the given width and depth, in its own coordinates.

    along: metres along the wall (x or z of the world). out: metres from the wall into the room.
    """

    face: int
    width: float
    depth: float

    @property
    def length(self) -> float:
        """The length in metres."""
        return self.depth if self.face in (LEFT, RIGHT) else self.width

    @property
    def yaw(self) -> float:
        """The yaw in radians of furniture with its back to the wall."""
        return {LEFT: -0.5, RIGHT: 0.5, FRONT: 1.0, BACK: 0.0}[self.face] * float(np.pi)

    @property
    def inward(self) -> Floats:
        """The unit normal of the wall, into the room."""
        return {
            LEFT: np.array([1.0, 0.0, 0.0]),
            RIGHT: np.array([-1.0, 0.0, 0.0]),
            FRONT: np.array([0.0, 0.0, 1.0]),
            BACK: np.array([0.0, 0.0, -1.0]),
        }[self.face]

    def at(self, along: float, out: float) -> tuple[float, float]:
        """World (x, z) of a point in the wall's coordinates."""
        if self.face == LEFT:
            return out, along
        if self.face == RIGHT:
            return self.width - out, along
        return (along, out) if self.face == FRONT else (along, self.depth - out)

    def block(
        self, along: Span, y: Span, out: Span, material: Material, bevel: float = 0.012
    ) -> Solid:
        """A box on the wall."""
        first, second = self.at(along[0], out[0]), self.at(along[1], out[1])
        x, z = sorted((first[0], second[0])), sorted((first[1], second[1]))
        return box((x[0], x[1]), y, (z[0], z[1]), material, bevel)
