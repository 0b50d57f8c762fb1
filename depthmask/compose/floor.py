"""The floor of a background: a plane fitted to its depth, and the pixels that show it.

In a pinhole camera, 1/z of a plane is linear in the pixel's position: 1/z = dot(p, ray) with
ray = ((x - cx) / f, (y - cy) / f, 1); the plane's normal is p / |p| and its distance 1 / |p|. Many
planes, each through three points, are tried (Fischler and Bolles 1981, "Random Sample Consensus",
https://doi.org/10.1145/358669.358692). Points *below* a plane count against it: there are none
below a floor, but there are below a table top. The best plane is refitted to the points on it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from depthmask.data import Background, Camera, Float32, PixelNumbers, Plane, Size, UInt8

Floats: TypeAlias = NDArray[np.float64]

STEEPEST = math.radians(40)
"""Largest tilt of the camera; where the view is steeper, "upright in the picture" means nothing."""
ROLL = math.radians(15)
"""Largest roll of the camera."""
HEIGHTS_M = 0.35, 3.5
"""Range of the height of a hand-held camera above the floor."""
TOLERANCE = 0.08
"""Largest relative depth error of a pixel on the floor. FastDepth bends floors: with this tolerance
a floor is found in 64 of 100 photographs of empty rooms, with half of it in 34."""
EXACT = 0.005
"""Largest relative depth error of a pixel on the floor if the source knows its floor."""
LEAST_SHOWN = 0.03
"""Least fraction of the image that has to show the floor."""
LEAST_INLIERS = 0.3
"""Least fraction of the lower third of the image that is floor; a smaller plane is furniture."""
_TRIES = 500
"""Planes that are tried."""
_POINTS = 3000
"""Pixels by which the planes are compared."""
_REFITS = 5
_GROWTH_ROWS = 20
"""Each depth is compared with the depth that lies 1/20 of the image height below."""
_LEAST_INNER = 50
"""Least number of pixels for a fit."""


@dataclass(frozen=True, slots=True)
class Fit:
    """A floor and how well it fits.

    inliers: the fraction of the lower third of the image that lies on it. shown: the fraction of
    the whole image.
    """

    plane: Plane
    inliers: float
    shown: float


def assumed_camera(size: Size, fov_deg: float) -> Camera:
    """A camera with that horizontal field of view, level, at an unknown height (0)."""
    height, width = size
    f_px = width / 2 / math.tan(math.radians(fov_deg) / 2)
    return Camera(f_px, width / 2, height / 2, height_m=0.0, pitch=0.0)


def with_floor(background: Background, fov_deg: float) -> Background:
    """The background with camera, floor plane and the pixels that show the floor.

    A plane from the source is kept. If no floor fits the depth, `plane` and `floor` are None.
    fov_deg: the horizontal field of view if the camera is unknown.
    """
    depth_m = background.depth_m
    if depth_m is None:
        return replace(background, plane=None, floor=None)
    camera = background.camera or assumed_camera(depth_m.shape, fov_deg)
    rays = pixel_rays(camera, depth_m.shape)
    if background.plane is not None:
        shown = _shown(background.plane, rays, depth_m, EXACT, depth_m > 0)
        return replace(background, floor=_positions(shown))
    fit = fit_floor(depth_m, rays)
    if fit is None:
        return replace(background, camera=camera, plane=None, floor=None)
    _, down, forward = fit.plane.normal
    camera = replace(camera, height_m=fit.plane.offset_m, pitch=math.atan2(forward, down))
    rising = _rising(fit.plane, rays, depth_m)
    floor = _reaching_down(_shown(fit.plane, rays, depth_m, TOLERANCE, rising))
    return replace(background, camera=camera, plane=fit.plane, floor=floor)


def pixel_rays(camera: Camera, size: Size) -> Floats:
    """Directions through the pixel centres with z = 1, float64 [h, w, 3]."""
    height, width = size
    x = (np.arange(width) + 0.5 - camera.cx) / camera.f_px
    y = (np.arange(height) + 0.5 - camera.cy) / camera.f_px
    rays = np.ones((height, width, 3))
    rays[..., 0], rays[..., 1] = x, y[:, None]
    return rays


def fit_floor(depth_m: Float32, rays: Floats) -> Fit | None:
    """The floor in a depth map [h, w] [m], 0 invalid; None if none fits."""
    height = len(depth_m)
    valid = depth_m > 0
    # A floor is below the horizon, and the horizon of a view that is not too steep is in the
    # upper half.
    below = valid.copy()
    below[: height // 3] = False
    z, ray = depth_m[below].astype(np.float64), rays[below]
    if len(z) < 100:
        return None
    # A fixed seed, so that the same depth always gives the same floor.
    rng = np.random.Generator(np.random.Philox(key=0))
    some = rng.integers(0, len(z), _POINTS)
    plane = _best_plane(z[some], ray[some], rng)
    if plane is None:
        return None
    for _ in range(_REFITS):
        plane = _refit(plane, depth_m, rays, valid)
        if plane is None or not _upright(plane[None])[0]:
            return None
    on = valid & (np.abs(_beyond(plane, depth_m, rays)) < TOLERANCE)
    inliers = float(on[-(height // 3) :].mean())
    if on.mean() < LEAST_SHOWN or inliers < LEAST_INLIERS:
        return None
    offset_m = 1 / math.sqrt(float(plane @ plane))
    a, b, c = (plane * offset_m).tolist()
    return Fit(Plane((a, b, c), offset_m), inliers, float(on.mean()))


def _best_plane(z: Floats, ray: Floats, rng: np.random.Generator) -> Floats | None:
    """The best upright plane p through three of the pixels; None if there is none."""
    triples = rng.integers(0, len(z), (_TRIES, 3))
    corners, inverse = ray[triples], 1 / z[triples]
    apart = np.abs(np.linalg.det(corners)) > 1e-4
    planes = np.linalg.solve(corners[apart], inverse[apart][..., None])[..., 0]
    planes = planes[_upright(planes)]
    if not len(planes):
        return None
    beyond = planes @ ray.T * z - 1
    # Points near the plane count more than those that are just within the tolerance (Torr and
    # Zisserman 2000, "MLESAC", https://doi.org/10.1006/cviu.1999.0832). Otherwise a plane through
    # floor and wall may win.
    near = np.clip(1 - (beyond / TOLERANCE) ** 2, 0, None).sum(axis=1)
    score = near - 2 * (beyond > 2 * TOLERANCE).sum(axis=1)
    best: Floats = planes[np.argmax(score)]
    return best


def _refit(
    plane: Floats, depth_m: Float32, rays: Floats, valid: NDArray[np.bool_]
) -> Floats | None:
    """Least squares of the relative error over the pixels on the plane.

    Only pixels about as close to the plane as most of them are used, so that no wall counts as
    floor in clean depth. The rim of the floor is left out, where the wall begins: it would tilt the
    plane by a degree.
    """
    import cv2

    error = np.abs(_beyond(plane, depth_m, rays))
    on = valid & (error < TOLERANCE)
    if not on.any():
        return None
    limit = 2.5 * 1.4826 * float(np.median(error[on]))
    on &= error < max(limit, TOLERANCE / 40)
    inner = cv2.erode(on.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    if inner.sum() >= _LEAST_INNER:
        on = inner
    rows = rays[on] * depth_m[on][:, None]
    if len(rows) < _LEAST_INNER:
        return None
    solution = np.linalg.lstsq(rows, np.ones(len(rows)), rcond=None)[0]
    return np.asarray(solution, np.float64)


def _upright(planes: Floats) -> NDArray[np.bool_]:
    """Which planes may be a floor under a hand-held camera; bool [n] for float64 [n, 3]."""
    length = np.sqrt((planes**2).sum(axis=1))
    offset = 1 / np.maximum(length, 1e-9)
    normal = planes * offset[:, None]
    result: NDArray[np.bool_] = (
        (normal[:, 1] > math.cos(STEEPEST))
        & (np.abs(normal[:, 0]) < math.sin(ROLL))
        & (offset > HEIGHTS_M[0])
        & (offset < HEIGHTS_M[1])
    )
    return result


def _beyond(plane: Floats, depth_m: Float32, rays: Floats) -> Floats:
    """The relative distance of each pixel beyond the plane; positive below the floor."""
    result: Floats = rays @ plane * depth_m - 1
    return result


def _rising(plane: Plane, rays: Floats, depth_m: Float32) -> NDArray[np.bool_]:
    """The pixels where depth grows upwards at least half as fast as on the floor.

    On a wall, depth stays the same. The upper part of the image is excluded: few views, from a
    height, show floor there, and in many others a wall would be taken for floor.
    """
    nearness = rays @ (np.array(plane.normal) / plane.offset_m)
    floor_m = 1 / np.maximum(nearness, 1e-3)
    rows = max(1, len(depth_m) // _GROWTH_ROWS)
    rising = np.ones(depth_m.shape, bool)
    rising[:-rows] = depth_m[:-rows] - depth_m[rows:] > (floor_m[:-rows] - floor_m[rows:]) / 2
    rising[: len(rising) * 9 // 20] = False
    return rising


def _reaching_down(shown: UInt8) -> PixelNumbers:
    """The regions of an estimated floor that are connected to the bottom edge.

    Other regions are mostly wall that happens to be at the plane's distance.
    """
    import cv2

    _, regions = cv2.connectedComponents(shown, connectivity=4)
    below = np.unique(regions[-max(1, len(shown) // 10) :])
    return _positions(np.isin(regions, below[below > 0]))


def _shown(
    plane: Plane, rays: Floats, depth_m: Float32, tolerance: float, where: NDArray[np.bool_]
) -> UInt8:
    """uint8 [h, w], 1 at the pixels that show the floor, without specks."""
    import cv2

    coefficients = np.array(plane.normal) / plane.offset_m
    on = where & (np.abs(_beyond(coefficients, depth_m, rays)) < tolerance)
    cleaned = cv2.morphologyEx(on.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    return np.asarray(cleaned, np.uint8)


def _positions(shown: NDArray[Any]) -> PixelNumbers:
    return np.flatnonzero(shown).astype(np.uint32)
