"""The light that leaves each point of a room towards the camera."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from depthmask.stages.source._rooms.bake import AXES, Baked, looked_up
from depthmask.stages.source._rooms.lights import ambient, direct, sunlit
from depthmask.stages.source._rooms.material import Pattern
from depthmask.stages.source._rooms.outdoors import outdoors
from depthmask.stages.source._rooms.plan import FLOOR, Room, Window
from depthmask.stages.source._rooms.raycast import FACES
from depthmask.stages.source._rooms.render import Shadows
from depthmask.stages.source._rooms.solids import Floats
from depthmask.stages.source._rooms.surface import Points
from depthmask.stages.source._rooms.texture import albedo

FRAME_M, BAR_M = 0.055, 0.04
FAR_M = 50.0
FRAME = (0.82, 0.81, 0.78)
GLOSS = {Pattern.planks: 0.05, Pattern.tiles: 0.09, Pattern.checker: 0.09}
"""How much of a window's light polished floors mirror when seen from above."""


def radiance(
    room: Room, baked: Sequence[Baked], found: Points, shadows: Shadows, pixel: NDArray[np.intp]
) -> Floats:
    """Linear light float32 [3, n] from points; pixel [n]: the pixel that each lies in."""
    materials = [*room.faces, *(s.material for s in room.solids)]
    colour = albedo(materials, found.surface, found.u, found.v)
    _rugs(room, found, colour)
    glass = [(_glass(window, found, colour)) for window in room.windows]
    light = _light(room, baked, found, shadows, pixel)
    if room.lights.sun is not None:
        share = sunlit(found.position, found.normal, room.lights) * shadows.sun.ravel()[pixel]
        light += np.array(room.lights.sun.colour, dtype=np.float32)[:, None] * share
    light += np.array([m.glow for m in materials], dtype=np.float32)[found.surface]
    colour *= light
    _gloss(room, found, colour)
    for at in glass:
        colour[:, at] = outdoors(found.ray[:, at], room.outdoors)
    return colour


def _light(
    room: Room, baked: Sequence[Baked], found: Points, shadows: Shadows, pixel: NDArray[np.intp]
) -> Floats:
    """Light that arrives: looked up on the room's faces, worked out on furniture."""
    light = np.empty_like(found.position)
    for face in range(FACES):
        (at,) = np.nonzero(found.surface == face)
        if at.size:
            across, along = AXES[face // 2]
            light[:, at] = looked_up(
                baked[face], found.u[at], found.v[at], room.high[across], room.high[along]
            )
    (at,) = np.nonzero(found.surface >= FACES)
    where = pixel[at]
    openly, directly = shadows.openly.ravel()[where], shadows.directly.ravel()[where]
    position, normal = found.position[:, at], found.normal[:, at]
    # Low things stand in the shade of their neighbours more often than high ones.
    depth = 0.72 + 0.28 * np.clip(position[1] * 1.6, 0, 1)
    around = ambient(normal, room.lights) * (openly * (0.25 + 0.75 * openly))
    light[:, at] = (around + direct(position, normal, room.lights, (1, 2)) * directly) * depth
    return light


def _rugs(room: Room, found: Points, colour: Floats) -> None:
    for rug in room.rugs:
        inside = (found.surface == FLOOR) & (found.u > rug.x[0]) & (found.u < rug.x[1])
        (at,) = np.nonzero(inside & (found.v > rug.z[0]) & (found.v < rug.z[1]))
        u = (found.u[at] - rug.x[0]) * np.float32(2 / (rug.x[1] - rug.x[0])) - 1
        v = (found.v[at] - rug.z[0]) * np.float32(2 / (rug.z[1] - rug.z[0])) - 1
        colour[:, at] = albedo([rug.material], np.zeros(at.size, dtype=np.int16), u, v)


def _glass(window: Window, found: Points, colour: Floats) -> Floats:
    """Paint a window's frame and bars; return the numbers of the points on its panes."""
    # Windows in the walls across x run along z, which is their u; in the others x is u as well.
    (at,) = np.nonzero(found.surface == window.face)
    (left, right), (low, top) = window.along, window.up
    u, v = found.u[at], found.v[at]
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


def _gloss(room: Room, found: Points, colour: Floats) -> None:
    """Add what a polished floor mirrors of the windows, blurred with the distance."""
    strength = GLOSS.get(room.faces[FLOOR].pattern)
    if strength is None:
        return
    (at,) = np.nonzero(found.surface == FLOOR)
    ray, position = found.ray[:, at], found.position[:, at]
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
    blur = 0.05 + 0.09 * np.maximum(distance, 0)
    inner = np.minimum(place - span[0], span[1] - place)
    return np.asarray(np.clip(inner / blur + 0.5, 0, 1))
