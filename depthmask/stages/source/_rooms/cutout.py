"""Cut-outs: one piece of furniture, photographed from eye height on a transparent background."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depthmask.data import Float32, Size, UInt8
from depthmask.kernels.film import developed, to_bytes
from depthmask.kernels.rays import FACES, SurfacePoints
from depthmask.stages._nearest import nearest_valid
from depthmask.stages.source._rooms.angles import bearing, cosine, sine
from depthmask.stages.source._rooms.furniture import CUTOUTS
from depthmask.stages.source._rooms.lights import Lights, Panel
from depthmask.stages.source._rooms.material import solid_colour
from depthmask.stages.source._rooms.raycast import nearest
from depthmask.stages.source._rooms.render import Things, average, centres, lit, pixel_shadows
from depthmask.stages.source._rooms.solids import Solid, bodies, bounds, placed, unit
from depthmask.stages.source._rooms.streams import Kind, stream
from depthmask.stages.source._rooms.surface import points
from depthmask.stages.source._rooms.view import Grid, View, extent

OVERLAP_PX = 0.3
"""The outline extends this far beyond the image, so that no border row or column is empty."""

EXPOSURE = 1.55


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A piece of furniture, its camera and light. extent: (u low, u high, v low, v high)."""

    label: str
    solids: list[Solid]
    view: View
    lights: Lights
    extent: tuple[float, float, float, float]

    @property
    def height_m(self) -> float:
        """The height of the image at the distance of the nearest foot, in metres.

        A little more than the height of the furniture if its top is visible from above.
        """
        return (self.extent[3] - self.extent[2]) * self.foot_z

    @property
    def foot_z(self) -> float:
        """Planar z of the nearest foot [m], where the lowest row of the image meets the floor."""
        across, up = cosine(self.view.pitch), sine(self.view.pitch)
        return float(self.view.eye[1]) / (self.extent[3] * across + up)


def subject(seed: int, number: int) -> Subject:
    """The subject of cut-out `number`; the kinds of furniture alternate."""
    rng = stream(seed, Kind.item, number)
    label, make = CUTOUTS[number % len(CUTOUTS)]
    solids = placed(make(rng), rng.uniform(-0.55, 0.55), (0, 0, 0), piece=1)
    _, high = bounds(solids)
    eye = np.array([rng.uniform(-0.4, 0.4), rng.uniform(1.3, 1.55), -rng.uniform(3.4, 4.4)])
    pitch = bearing(float(eye[1] - high[1] / 2), -float(eye[2]))
    view = View(eye, bearing(-float(eye[0]), -float(eye[2])), pitch)
    return Subject(label, solids, view, _studio(rng), extent(bodies(solids), view))


def _studio(rng: np.random.Generator) -> Lights:
    """Light from a window at one side and from a bright room."""
    side = -1.0 if rng.random() < 0.5 else 1.0
    centre = np.array([side * rng.uniform(1.9, 2.6), rng.uniform(1.7, 2.3), -rng.uniform(1.2, 2.2)])
    normal = np.array([0.0, 0.6, 0.0]) - centre
    normal = np.array(unit(normal))
    across = np.array([normal[2], 0.0, -normal[0]]) * 0.7
    window = Panel(centre, across, np.array([0.0, 0.7, 0.0]), normal, (4.6, 4.4, 4.1))
    return Lights((0.62, 0.62, 0.63), (0.3, 0.27, 0.24), (window,))


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """The region of the view that a cut-out shows.

    start: (u, v) of its top left corner. per_px: size of a pixel in u and v. size: [h, w] pixels.
    """

    start: tuple[float, float]
    per_px: float
    size: Size

    def grid(self, oversample: int = 1) -> Grid:
        """The rays through its pixels, or through oversample x oversample points in each."""
        per_px = self.per_px / oversample
        u = self.start[0] + (np.arange(self.size[1] * oversample) + 0.5) * per_px
        v = self.start[1] + (np.arange(self.size[0] * oversample) + 0.5) * per_px
        return Grid(u.astype(np.float32), v.astype(np.float32))


def frame(item: Subject, long_side: int) -> Frame:
    """The frame of the trimmed item, whose longer side has `long_side` pixels."""
    left, right, top, bottom = item.extent
    wide = right - left >= bottom - top
    per_px = max(right - left, bottom - top) / (long_side + 2 * OVERLAP_PX)
    short = (min(right - left, bottom - top) / per_px) - 2 * OVERLAP_PX
    # Whole pixels: the short side is cropped by less than one, half of it on either side.
    other = max(int(short + 2 * OVERLAP_PX), 1)
    size = (other, long_side) if wide else (long_side, other)
    start = ((left + right) / 2 - size[1] / 2 * per_px, (top + bottom) / 2 - size[0] / 2 * per_px)
    return Frame(start, per_px, size)


def photograph(item: Subject, crop: Frame, oversample: int) -> UInt8:
    """The cut-out: uint8 [h, w, 4], straight alpha."""
    values, cover = _values(item, crop, oversample)
    rgba = np.empty((*crop.size, 4), dtype=np.uint8)
    rgba[..., :3] = to_bytes((values / np.maximum(cover, 1e-6)).transpose(1, 2, 0))
    rgba[..., 3] = to_bytes(cover)
    return rgba


def relief(item: Subject, crop: Frame) -> Float32:
    """Planar z behind the nearest foot [m], float32 [h, w]; outside the item, that of its edge."""
    z = nearest(crop.grid(), None, _things(item).seen).z
    met = np.isfinite(z)
    behind = np.where(met, z - item.foot_z, 0).astype(np.float32)
    return np.asarray(nearest_valid(behind, met), np.float32)


def _things(item: Subject) -> Things:
    """The item alone, in a wide space."""
    walls = np.array([-9.0, 0.0, -9.0]), np.array([9.0, 9.0, 9.0])
    return Things.of(item.view, item.solids, walls, [solid_colour("000000")] * FACES)


def _values(item: Subject, crop: Frame, oversample: int) -> tuple[Float32, Float32]:
    """(display values [3, h, w], premultiplied; coverage [h, w]) of a cut-out."""
    grid, things = crop.grid(), _things(item)
    hits = nearest(grid, None, things.seen)
    hit_points = points(item.view, grid, hits, things.solids)
    shadows = pixel_shadows(hit_points, hits, things, item.lights)
    ambient_share, direct_share = shadows.ambient_share.ravel(), shadows.direct_share.ravel()

    def paint(hit_points: SurfacePoints, pixel: NDArray[np.int32]) -> Float32:
        return developed(
            lit(hit_points, things, item.lights, ambient_share[pixel], direct_share[pixel]),
            EXPOSURE,
        )

    coarse = centres(hits, hit_points, paint)
    return average(item.view, crop.grid(oversample), None, things, coarse, paint)
