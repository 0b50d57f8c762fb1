"""The light of area and point lights on points of surfaces."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from depthmask.data import Float32
from depthmask.kernels.compiled import native
from depthmask.kernels.extremes import greater, lesser, within

_MOST = 50.0
"""Largest distance of a reflection, metres."""
_ZERO = np.float32(0)


def arriving(position: Float32, normal: Float32, targets: Float32, lights: Float32) -> Float32:
    """The shares [m, n] of the light of m lights that arrive at n points, if nothing is between.

    position, normal: [3, n], metres and of unit length. targets: where the light leaves, [3, m, 1],
    or [3, m, n] with own targets for each point; a point light takes the first. lights: [m, 5]: 1
    for a point light, 0 for an area; the area's normal [3], and its size in square metres.
    """
    if native is None:
        return _arriving(position, normal, targets, lights)
    shares = np.empty((len(lights), position.shape[1]), np.float32)
    is_own = targets.shape[2] != 1
    position, normal, targets = map(np.ascontiguousarray, (position, normal, targets))
    native.arriving(position, normal, targets, lights, shares, is_own)
    return shares


def sunlight(position: Float32, normal: Float32, towards: Float32, panes: Float32) -> Float32:
    """The share [n] of parallel light that reaches points [3, n] through panes.

    towards: [3], of unit length. panes: [k, 16]: normal [3] into the room, distance from the origin
    along it, slope of the light (-normal @ towards), centre [3], and for both edges their unit
    vector [3] and how far from the centre the pane ends. In its middle is one cross of bars.
    """
    share = np.zeros(position.shape[1], np.float32)
    if native is None:
        _sunlight(position, normal, towards, panes, share)
    else:
        position, normal = np.ascontiguousarray(position), np.ascontiguousarray(normal)
        native.sunlight(position, normal, towards, panes, share)
    return share


def add_mirrored(
    colour: Float32,
    position: Float32,
    ray: Float32,
    own: slice,
    openings: Float32,
    strength: float,
) -> None:
    """Add the reflection of bright openings in a polished floor, blurred with the distance.

    colour, position, ray: [3, n], the last from the eye. own: the points of the floor. openings:
    [k, 9]: the axis across the wall of each, the wall's place there, both ends along the wall and
    upwards, the colour [3]. strength: the share of light that the floor mirrors, seen from above.
    """
    if native is None:
        _add_mirrored(colour[:, own], position[:, own], ray[:, own], openings, strength)
    else:
        native.add_mirrored(position, ray, own.start, own.stop, openings, strength, colour)


def looked_up(
    u: Float32, v: Float32, table: Float32, size: tuple[int, int], per_m: tuple[float, float]
) -> Float32:
    """The nearest entries [3, n] of a table of light to u and v [n] in metres.

    table: [3, rows * columns]. size: its columns and rows. per_m: columns and rows for each metre.
    """
    if native is None:
        return _looked_up(u, v, table, size, per_m)
    result = np.empty((3, u.size), np.float32)
    native.look_up(u, v, np.ascontiguousarray(table), *size, *per_m, result)
    return result


def _arriving(position: Float32, normal: Float32, targets: Float32, lights: Float32) -> Float32:
    shares = np.empty((len(lights), position.shape[1]), np.float32)
    for row, light in enumerate(lights):
        if light[0]:
            shares[row] = _from_point(position, normal, targets[:, row, :1])
        else:
            shares[row] = _from_area(position, normal, targets[:, row], light)
    return shares


def _from_area(position: Float32, normal: Float32, target: Float32, light: Float32) -> Float32:
    x, y, z = target - position
    square = x * x + y * y + z * z
    falling = x * normal[0] + y * normal[1] + z * normal[2]
    leaving = -(x * light[1] + y * light[2] + z * light[3])
    falling, leaving = greater(falling, _ZERO), greater(leaving, _ZERO)
    return np.asarray(falling * leaving * light[4] / (square * square + np.float32(0.05)))


def _from_point(position: Float32, normal: Float32, target: Float32) -> Float32:
    x, y, z = target - position
    square = x * x + y * y + z * z + np.float32(0.02)
    facing = (x * normal[0] + y * normal[1] + z * normal[2]) / np.sqrt(square)
    return np.asarray(greater(facing, _ZERO) / (square + np.float32(0.3)))


def _sunlight(
    position: Float32, normal: Float32, towards: Float32, panes: Float32, share: Float32
) -> None:
    facing = towards[0] * normal[0] + towards[1] * normal[1] + towards[2] * normal[2]
    facing = greater(facing, _ZERO)
    for pane in panes:
        distance = (_dot(pane, position) - pane[3]) / pane[4]
        offset = [position[i] + towards[i] * distance - pane[5 + i] for i in range(3)]
        passed = np.ones_like(share)
        for half in (pane[8:12], pane[12:]):
            place = np.abs(_dot(half, offset))
            # The sun's disc and the air blur the edges by a few centimetres.
            passed *= within((half[3] - place) / np.float32(0.03))
            passed *= within((place - np.float32(0.02)) / np.float32(0.02))
        share += facing * np.where(distance > 0, passed, _ZERO)


def _dot(a: Float32, b: Float32 | Sequence[Float32]) -> Float32:
    return np.asarray(a[0] * b[0] + a[1] * b[1] + a[2] * b[2])


def _looked_up(
    u: Float32, v: Float32, table: Float32, size: tuple[int, int], per_m: tuple[float, float]
) -> Float32:
    column, row = (
        within(place * np.float32(scale), count - 1).astype(np.int32)
        for place, scale, count in zip((u, v), per_m, size, strict=True)
    )
    return np.asarray(np.take(table, row * size[0] + column, axis=1))


def _add_mirrored(
    colour: Float32, position: Float32, ray: Float32, openings: Float32, strength: float
) -> None:
    length = np.sqrt(_dot(ray, ray))
    # Schlick's approximation of Fresnel: grazing views mirror more.
    graze = 1 + ray[1] / length
    mirrored = np.float32(strength) * (0.35 + 3 * graze * graze * graze)
    for opening in openings:
        axis = int(opening[0])
        with np.errstate(divide="ignore", invalid="ignore"):
            distance = (opening[1] - position[axis]) / ray[axis]
        is_met = distance > 0
        distance = lesser(distance, np.float32(_MOST))
        blur = 0.05 + 0.09 * greater(distance, _ZERO)
        across = 0 if axis == 2 else 2
        share = _soft(position[across] + ray[across] * distance, opening[2:4], blur)
        share = share * _soft(-ray[1] * distance, opening[4:6], blur)
        share = np.where(is_met, share, _ZERO) * mirrored
        colour += opening[6:, None] * share * 0.6


def _soft(place: Float32, ends: Float32, blur: Float32) -> Float32:
    """1 between the ends and 0 outside, [n]; the edge between is `blur` wide."""
    inner = lesser(place - ends[0], ends[1] - place)
    return within(inner / blur + 0.5)
