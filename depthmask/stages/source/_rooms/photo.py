"""A room as a photograph, with exact depth and camera."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depthmask.data import Camera, Float32, Plane, Size, UInt8
from depthmask.kernels.film import developed
from depthmask.kernels.rays import SurfacePoints
from depthmask.stages.source._rooms.angles import cosine, sine, tangent
from depthmask.stages.source._rooms.bake import baked_room
from depthmask.stages.source._rooms.raycast import Hits, nearest
from depthmask.stages.source._rooms.render import Things, average, pixel_shadows
from depthmask.stages.source._rooms.room import Room
from depthmask.stages.source._rooms.shading import radiance
from depthmask.stages.source._rooms.solids import bodies
from depthmask.stages.source._rooms.surface import points
from depthmask.stages.source._rooms.tone import exposure, finished
from depthmask.stages.source._rooms.view import Grid, frames

STEEPEST = tangent(math.radians(42))
"""Tangent of half the largest vertical field of view; narrow canvases see less at the sides."""

BRIGHTNESS = 0.64


@dataclass(frozen=True, slots=True)
class Lens:
    """The rays of a canvas. f_px: focal length in pixels; the axis passes through the centre."""

    f_px: float
    size: Size

    def grid(self, oversample: int = 1) -> Grid:
        """Rays float64 through pixel centres, or through oversample x oversample points in each."""
        height, width = self.size
        x = (np.arange(width * oversample) + 0.5) / oversample
        y = (np.arange(height * oversample) + 0.5) / oversample
        return Grid((x - width / 2) / self.f_px, (y - height / 2) / self.f_px)


def lens(room: Room, size: Size) -> Lens:
    """The lens of the room's camera for a canvas of (height, width)."""
    return Lens(max(size[1] / 2 / room.reach, size[0] / 2 / STEEPEST), size)


def camera(room: Room, size: Size) -> Camera:
    """The camera of the room for a canvas of `size`."""
    return Camera(
        f_px=lens(room, size).f_px,
        cx=size[1] / 2,
        cy=size[0] / 2,
        height_m=float(room.view.eye[1]),
        pitch=room.view.pitch,
    )


def floor(room: Room) -> Plane:
    """The floor in camera coordinates."""
    normal = (0.0, cosine(room.view.pitch), sine(room.view.pitch))
    return Plane(normal, float(room.view.eye[1]))


class Photo:
    """The depth and the image of one room at one canvas size."""

    def __init__(self, room: Room, size: Size) -> None:
        self.room = room
        self.lens = lens(room, size)
        walls = np.zeros(3), room.high
        self.things = Things.of(room.view, room.solids, walls, room.faces)
        self.shell = frames(room.view, bodies([room.shell]))[0]
        self.hits = nearest(self.lens.grid(), self.shell, self.things.seen)

    def depth(self) -> Float32:
        """Planar z in metres at pixel centres, float32 [h, w]; panes are as deep as their wall."""
        return self.hits.z.astype(np.float32)

    def image(self, oversample: int, grain: np.random.Generator) -> UInt8:
        """The photograph, uint8 [h, w, 3]. grain: the generator of the sensor noise."""
        room, things = self.room, self.things
        baked = baked_room(room.high, room.lights, things.solids, things.pieces)
        hits = Hits(self.depth(), self.hits.surface)
        hit_points = points(room.view, _float32(self.lens.grid()), hits, things.solids)
        shadows = pixel_shadows(hit_points, hits, things, room.lights)
        light = radiance(room, things, baked, hit_points, shadows, hit_points.pixel)
        factor = exposure(light, BRIGHTNESS)

        def paint(hit_points: SurfacePoints, pixel: NDArray[np.int32]) -> Float32:
            return developed(radiance(room, things, baked, hit_points, shadows, pixel), factor)

        coarse = np.empty_like(light)
        coarse[:, hit_points.pixel] = developed(light, factor)
        fine = _float32(self.lens.grid(oversample))
        coarse = coarse.reshape(3, *self.lens.size)
        values, _ = average(room.view, fine, self.shell, things, coarse, paint)
        return finished(values, grain)


def _float32(grid: Grid) -> Grid:
    """The grid in float32, enough for colours and twice as fast."""
    return Grid(grid.u.astype(np.float32), grid.v.astype(np.float32))
