"""The light that leaves each point of a room towards the camera."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from depthmask.data import Float32
from depthmask.kernels.light import add_mirrored, looked_up
from depthmask.kernels.patterns import Pattern, outdoors, painted
from depthmask.kernels.rays import FACES, SurfacePoints
from depthmask.stages.source._rooms.bake import AXES, Baked
from depthmask.stages.source._rooms.lights import ambient, direct, sunlit
from depthmask.stages.source._rooms.material import table
from depthmask.stages.source._rooms.render import Shadows, Things
from depthmask.stages.source._rooms.room import FLOOR, Room, Window

FRAME_M, BAR_M = 0.055, 0.04
"""Widths of a window's frame and of its bars."""
FRAME = (0.82, 0.81, 0.78)
OUTDOORS = np.array(
    [(1.5, 2.1, 3.1), (3.6, 3.7, 3.7), (0.75, 0.95, 0.6), (1.1, 1.25, 0.75), (2.1, 1.95, 1.75)],
    np.float32,
)
"""Slightly overexposed: zenith, horizon, trees, lawn, houses."""
GLOSS = {Pattern.planks: 0.05, Pattern.tiles: 0.09, Pattern.checker: 0.09}
"""The share of a window's light that polished floors mirror when seen from above."""


def radiance(
    room: Room,
    things: Things,
    baked: Sequence[Baked],
    hit_points: SurfacePoints,
    shadows: Shadows,
    pixel: NDArray[np.int32],
) -> Float32:
    """Linear light float32 [3, n] from points. pixel: the number of each point's pixel, [n]."""
    faces = _faces(hit_points)
    colour = painted(hit_points.u, hit_points.v, hit_points.surface, things.materials)
    _rugs(room, hit_points, faces[FLOOR], colour)
    glass = [_glass(window, hit_points, faces[window.face], colour) for window in room.windows]
    light = _light(room, baked, hit_points, faces, shadows, pixel)
    if room.lights.sun is not None:
        share = (
            sunlit(hit_points.position, hit_points.normal, room.lights) * shadows.sun.ravel()[pixel]
        )
        light += np.array(room.lights.sun.colour, dtype=np.float32)[:, None] * share
    light += things.glow[hit_points.surface]
    colour *= light
    _gloss(room, hit_points, faces[FLOOR], colour)
    for at in glass:
        colour[:, at] = outdoors(hit_points.ray[:, at], OUTDOORS, room.outdoors)
    return colour


def _faces(hit_points: SurfacePoints) -> list[slice]:
    """The points on each face of the room, and last those on furniture."""
    starts = np.searchsorted(hit_points.surface, np.arange(FACES + 1, dtype=np.int16))
    ends = [*starts[1:], hit_points.surface.size]
    return [slice(int(start), int(end)) for start, end in zip(starts, ends, strict=True)]


def _light(
    room: Room,
    baked: Sequence[Baked],
    hit_points: SurfacePoints,
    faces: Sequence[slice],
    shadows: Shadows,
    pixel: NDArray[np.int32],
) -> Float32:
    """Incoming light [3, n]: looked up on the faces of the room, computed on furniture."""
    light = np.empty_like(hit_points.position)
    for face, at in enumerate(faces[:FACES]):
        across, along = AXES[face // 2]
        one = baked[face]
        per_m = one.across / float(room.high[across]), one.along / float(room.high[along])
        light[:, at] = looked_up(
            hit_points.u[at], hit_points.v[at], one.values, (one.across, one.along), per_m
        )
    at = faces[FACES]
    ambient_share = shadows.ambient_share.ravel()[pixel[at]]
    direct_share = shadows.direct_share.ravel()[pixel[at]]
    position, normal = hit_points.position[:, at], hit_points.normal[:, at]
    # Low points are in the shade of neighbouring furniture more often than high ones.
    depth = 0.72 + 0.28 * np.clip(position[1] * 1.6, 0, 1)
    around = ambient(normal, room.lights) * (ambient_share * (0.25 + 0.75 * ambient_share))
    light[:, at] = (around + direct(position, normal, room.lights, (1, 2)) * direct_share) * depth
    return light


def _rugs(room: Room, hit_points: SurfacePoints, floor: slice, colour: Float32) -> None:
    """Colour the points on rugs, in place."""
    on_u, on_v, seen = hit_points.u[floor], hit_points.v[floor], colour[:, floor]
    for rug in room.rugs:
        inside = (on_u > rug.x[0]) & (on_u < rug.x[1]) & (on_v > rug.z[0]) & (on_v < rug.z[1])
        (at,) = np.nonzero(inside)
        u = (on_u[at] - rug.x[0]) * np.float32(2 / (rug.x[1] - rug.x[0])) - 1
        v = (on_v[at] - rug.z[0]) * np.float32(2 / (rug.z[1] - rug.z[0])) - 1
        seen[:, at] = painted(u, v, np.zeros(at.size, np.int16), table([rug.material]))


def _glass(
    window: Window, hit_points: SurfacePoints, wall: slice, colour: Float32
) -> NDArray[np.intp]:
    """Colour a window's frame and bars in place; returns the indices of the points on its panes."""
    # Windows in the walls across x run along z, which is their u; in the others x is u as well.
    (left, right), (low, top) = window.along, window.up
    u, v = hit_points.u[wall], hit_points.v[wall]
    (at,) = np.nonzero((u > left) & (u < right) & (v > low) & (v < top))
    u, v, at = u[at], v[at], at + wall.start
    edge = np.minimum(np.minimum(u - left, right - u), np.minimum(v - low, top - v))
    frame = edge < FRAME_M
    for number in range(window.bars):
        middle = left + (right - left) * (number + 1) / (window.bars + 1)
        frame |= np.abs(u - np.float32(middle)) < BAR_M / 2
    frame |= np.abs(v - np.float32(low + (top - low) * 0.68)) < BAR_M / 2
    colour[:, at[frame]] = np.array(FRAME, dtype=np.float32)[:, None]
    return np.asarray(at[~frame])


def _gloss(room: Room, hit_points: SurfacePoints, floor: slice, colour: Float32) -> None:
    """Add the reflection of the windows in a polished floor."""
    strength = GLOSS.get(room.faces[FLOOR].pattern)
    if strength is None:
        return
    openings = [_opening(room, window) for window in room.windows]
    rows = np.array(openings, np.float32).reshape(-1, 9)
    add_mirrored(colour, hit_points.position, hit_points.ray, floor, rows, strength)


def _opening(room: Room, window: Window) -> list[float]:
    """A window as `add_mirrored` takes it."""
    axis = window.face // 2
    wall = float(room.high[axis]) * (window.face % 2)
    return [axis, wall, *window.along, *window.up, *window.panel.colour]
