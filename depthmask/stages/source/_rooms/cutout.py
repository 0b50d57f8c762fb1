"""Cut-outs: one piece of furniture, photographed from a person's height, on nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depthmask.data import Float32, Size, UInt8
from depthmask.stages._nearest import nearest_valid
from depthmask.stages.source._rooms.furniture import CUTOUTS
from depthmask.stages.source._rooms.lights import Lights, Panel
from depthmask.stages.source._rooms.material import solid_colour
from depthmask.stages.source._rooms.raycast import FACES, nearest, sight
from depthmask.stages.source._rooms.render import average, centres, lit, pixel_shadows
from depthmask.stages.source._rooms.solids import Floats, Solid, bounds, placed
from depthmask.stages.source._rooms.streams import Kind, stream
from depthmask.stages.source._rooms.surface import Points, points
from depthmask.stages.source._rooms.tone import developed, to_bytes
from depthmask.stages.source._rooms.view import Grid, View, extent, union

OVERLAP_PX = 0.3
"""The outline reaches this far beyond the picture, so that no border row or column is empty."""

EXPOSURE = 1.55


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A thing and how it is photographed: extent is (u low, u high, v low, v high)."""

    label: str
    solids: list[Solid]
    view: View
    lights: Lights
    extent: tuple[float, float, float, float]

    @property
    def height_m(self) -> float:
        """What the picture's height measures at the distance of the nearest foot.

        A little more than the thing itself where its top is seen from above.
        """
        return (self.extent[3] - self.extent[2]) * self.foot_z

    @property
    def foot_z(self) -> float:
        """Planar z of the nearest foot [m], where the lowest picture line meets the floor."""
        sine, cosine = math.sin(self.view.pitch), math.cos(self.view.pitch)
        return float(self.view.eye[1]) / (self.extent[3] * cosine + sine)


def subject(seed: int, number: int) -> Subject:
    """The cut-out of that number; kinds take turns."""
    rng = stream(seed, Kind.item, number)
    label, make = CUTOUTS[number % len(CUTOUTS)]
    solids = placed(make(rng), rng.uniform(-0.55, 0.55), (0, 0, 0), piece=1)
    _, high = bounds(solids)
    eye = np.array([rng.uniform(-0.4, 0.4), rng.uniform(1.3, 1.55), -rng.uniform(3.4, 4.4)])
    pitch = math.atan2(float(eye[1] - high[1] / 2), -float(eye[2]))
    view = View(eye, math.atan2(-float(eye[0]), -float(eye[2])), pitch)
    found = [reach for s in solids if (reach := extent(s, view)) is not None]
    return Subject(label, solids, view, _studio(rng), union(found))


def _studio(rng: np.random.Generator) -> Lights:
    """A window to one side, and a bright room."""
    side = -1.0 if rng.random() < 0.5 else 1.0
    centre = np.array([side * rng.uniform(1.9, 2.6), rng.uniform(1.7, 2.3), -rng.uniform(1.2, 2.2)])
    normal = np.array([0.0, 0.6, 0.0]) - centre
    normal = normal / math.sqrt(float(normal @ normal))
    across = np.array([normal[2], 0.0, -normal[0]]) * 0.7
    window = Panel(centre, across, np.array([0.0, 0.7, 0.0]), normal, (4.6, 4.4, 4.1))
    return Lights((0.62, 0.62, 0.63), (0.3, 0.27, 0.24), (window,))


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """Which part of the view a cut-out shows: its first rays, their distance, its size [h, w]."""

    start: tuple[float, float]
    per_px: float
    size: Size

    def grid(self, oversample: int = 1) -> Grid:
        """The rays through its pixels, or through oversample x oversample places in each."""
        per_px = self.per_px / oversample
        u = self.start[0] + (np.arange(self.size[1] * oversample) + 0.5) * per_px
        v = self.start[1] + (np.arange(self.size[0] * oversample) + 0.5) * per_px
        return Grid(u.astype(np.float32), v.astype(np.float32))


def frame(thing: Subject, long_side: int) -> Frame:
    """The thing trimmed, its longer side `long_side` pixels."""
    left, right, top, bottom = thing.extent
    wide = right - left >= bottom - top
    per_px = max(right - left, bottom - top) / (long_side + 2 * OVERLAP_PX)
    short = (min(right - left, bottom - top) / per_px) - 2 * OVERLAP_PX
    # Whole pixels: the short side is cropped by less than one, half of it on either side.
    other = max(int(short + 2 * OVERLAP_PX), 1)
    size = (other, long_side) if wide else (long_side, other)
    start = ((left + right) / 2 - size[1] / 2 * per_px, (top + bottom) / 2 - size[0] / 2 * per_px)
    return Frame(start, per_px, size)


def photograph(thing: Subject, part: Frame, oversample: int) -> UInt8:
    """The cut-out: uint8 [h, w, 4], straight alpha."""
    values, cover = _values(thing, part, oversample)
    rgba = np.empty((*part.size, 4), dtype=np.uint8)
    rgba[..., :3] = to_bytes((values / np.maximum(cover, 1e-6)).transpose(1, 2, 0))
    rgba[..., 3] = to_bytes(cover)
    return rgba


def relief(thing: Subject, part: Frame) -> Float32:
    """Planar z behind the nearest foot [m], float32 [h, w]; beside the thing, that of its edge."""
    z = nearest(part.grid(), None, sight(thing.view, thing.solids)).z
    met = np.isfinite(z)
    behind = np.where(met, z - thing.foot_z, 0).astype(np.float32)
    return np.asarray(nearest_valid(behind, met), np.float32)


def _values(thing: Subject, part: Frame, oversample: int) -> tuple[Floats, Floats]:
    grid = part.grid()
    seen = sight(thing.view, thing.solids)
    hits = nearest(grid, None, seen)
    low, high = np.array([-9.0, 0.0, -9.0]), np.array([9.0, 9.0, 9.0])
    found = points(thing.view, grid, hits, thing.solids)
    shadows = pixel_shadows(found, hits, thing.solids, thing.lights, low, high)
    openly, directly = shadows.openly.ravel(), shadows.directly.ravel()
    materials = [solid_colour("000000")] * FACES + [s.material for s in thing.solids]

    def paint(found: Points, pixel: NDArray[np.intp]) -> Floats:
        return developed(
            lit(found, materials, thing.lights, openly[pixel], directly[pixel]), EXPOSURE
        )

    fine = part.grid(oversample)
    coarse = centres(hits, found, paint)
    return average(thing.view, fine, None, thing.solids, seen, coarse, paint)
