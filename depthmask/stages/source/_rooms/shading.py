"""The light that leaves each point of a room towards the camera."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from depthmask.stages.source._rooms.bake import AXES, Baked, looked_up
from depthmask.stages.source._rooms.lights import ambient, direct, sunlit
from depthmask.stages.source._rooms.material import Pattern
from depthmask.stages.source._rooms.outdoors import outdoors
from depthmask.stages.source._rooms.raycast import FACES
from depthmask.stages.source._rooms.render import Shadows
from depthmask.stages.source._rooms.room import FLOOR, Room, Window
from depthmask.stages.source._rooms.solids import Floats
from depthmask.stages.source._rooms.surface import Points
from depthmask.stages.source._rooms.texture import albedo

FRAME_M, BAR_M = 0.055, 0.04
"""Widths of a window's frame and of its bars."""
FAR_M = 50.0
"""Largest distance of a reflection."""
FRAME = (0.82, 0.81, 0.78)
GLOSS = {Pattern.planks: 0.05, Pattern.tiles: 0.09, Pattern.checker: 0.09}
"""The share of a window's light that polished floors mirror when seen from above."""


def radiance(
    room: Room,
    baked: Sequence[Baked],
    hit_points: Points,
    shadows: Shadows,
    pixel: NDArray[np.intp],
) -> Floats:
    """Linear light float32 [3, n] from points. pixel: the number of each point's pixel, [n]."""
    materials = [*room.faces, *(s.material for s in room.solids)]
    colour = albedo(materials, hit_points.surface, hit_points.u, hit_points.v)
    _rugs(room, hit_points, colour)
    glass = [(_glass(window, hit_points, colour)) for window in room.windows]
    light = _light(room, baked, hit_points, shadows, pixel)
    if room.lights.sun is not None:
        share = (
            sunlit(hit_points.position, hit_points.normal, room.lights) * shadows.sun.ravel()[pixel]
        )
        light += np.array(room.lights.sun.colour, dtype=np.float32)[:, None] * share
    light += np.array([m.glow for m in materials], dtype=np.float32)[hit_points.surface]
    colour *= light
    _gloss(room, hit_points, colour)
    for at in glass:
        colour[:, at] = outdoors(hit_points.ray[:, at], room.outdoors)
    return colour


def _light(
    room: Room,
    baked: Sequence[Baked],
    hit_points: Points,
    shadows: Shadows,
    pixel: NDArray[np.intp],
) -> Floats:
    """Incoming light [3, n]: looked up on the faces of the room, computed on furniture."""
    light = np.empty_like(hit_points.position)
    for face in range(FACES):
        (at,) = np.nonzero(hit_points.surface == face)
        if at.size:
            across, along = AXES[face // 2]
            light[:, at] = looked_up(
                baked[face], hit_points.u[at], hit_points.v[at], room.high[across], room.high[along]
            )
    (at,) = np.nonzero(hit_points.surface >= FACES)
    where = pixel[at]
    ambient_share, direct_share = (
        shadows.ambient_share.ravel()[where],
        shadows.direct_share.ravel()[where],
    )
    position, normal = hit_points.position[:, at], hit_points.normal[:, at]
    # Low points are in the shade of neighbouring furniture more often than high ones.
    depth = 0.72 + 0.28 * np.clip(position[1] * 1.6, 0, 1)
    around = ambient(normal, room.lights) * (ambient_share * (0.25 + 0.75 * ambient_share))
    light[:, at] = (around + direct(position, normal, room.lights, (1, 2)) * direct_share) * depth
    return light


def _rugs(room: Room, hit_points: Points, colour: Floats) -> None:
    """Colour the points on rugs, in place."""
    for rug in room.rugs:
        inside = (
            (hit_points.surface == FLOOR) & (hit_points.u > rug.x[0]) & (hit_points.u < rug.x[1])
        )
        (at,) = np.nonzero(inside & (hit_points.v > rug.z[0]) & (hit_points.v < rug.z[1]))
        u = (hit_points.u[at] - rug.x[0]) * np.float32(2 / (rug.x[1] - rug.x[0])) - 1
        v = (hit_points.v[at] - rug.z[0]) * np.float32(2 / (rug.z[1] - rug.z[0])) - 1
        colour[:, at] = albedo([rug.material], np.zeros(at.size, dtype=np.int16), u, v)


def _glass(window: Window, hit_points: Points, colour: Floats) -> Floats:
    """Colour a window's frame and bars in place; returns the indices of the points on its panes."""
    # Windows in the walls across x run along z, which is their u; in the others x is u as well.
    (at,) = np.nonzero(hit_points.surface == window.face)
    (left, right), (low, top) = window.along, window.up
    u, v = hit_points.u[at], hit_points.v[at]
    inside = (u > left) & (u < right) & (v > low) & (v < top)
    at, u, v = at[inside], u[inside], v[inside]
    edge = np.minimum(np.minimum(u - left, right - u), np.minimum(v - low, top - v))
    frame = edge < FRAME_M
    for number in range(window.bars):
        middle = left + (right - left) * (number + 1) / (window.bars + 1)
        frame |= np.abs(u - np.float32(middle)) < BAR_M / 2
    frame |= np.abs(v - np.float32(low + (top - low) * 0.68)) < BAR_M / 2
    colour[:, at[frame]] = np.array(FRAME, dtype=np.float32)[:, None]
    return np.asarray(at[~frame])


def _gloss(room: Room, hit_points: Points, colour: Floats) -> None:
    """Add the reflection of the windows in a polished floor, blurred with the distance."""
    strength = GLOSS.get(room.faces[FLOOR].pattern)
    if strength is None:
        return
    (at,) = np.nonzero(hit_points.surface == FLOOR)
    ray, position = hit_points.ray[:, at], hit_points.position[:, at]
    length = np.sqrt((ray * ray).sum(axis=0))
    # Schlick's approximation of Fresnel: grazing views mirror more.
    graze = 1 + ray[1] / length
    mirrored = np.float32(strength) * (0.35 + 3 * graze * graze * graze)
    for window in room.windows:
        axis = window.face // 2
        wall = np.float32(room.high[axis] * (window.face % 2))
        with np.errstate(divide="ignore", invalid="ignore"):
            distance = np.minimum((wall - position[axis]) / ray[axis], np.float32(FAR_M))
        across = 0 if axis == 2 else 2
        along = position[across] + ray[across] * distance
        up = -ray[1] * distance
        share = _soft(along, window.along, distance) * _soft(up, window.up, distance)
        share = np.where(distance > 0, share, 0) * mirrored
        colour[:, at] += np.array(window.panel.colour, dtype=np.float32)[:, None] * share * 0.6


def _soft(place: Floats, span: tuple[float, float], distance: Floats) -> Floats:
    """1 within the span and 0 outside, [n]; the edge between is blurred with the distance."""
    blur = 0.05 + 0.09 * np.maximum(distance, 0)
    inner = np.minimum(place - span[0], span[1] - place)
    return np.asarray(np.clip(inner / blur + 0.5, 0, 1))
