"""The points where rays hit surfaces."""

from __future__ import annotations

import numpy as np

from depthmask.kernels.rays import Bodies, SurfacePoints, surface_points
from depthmask.stages.source._rooms.raycast import Hits
from depthmask.stages.source._rooms.view import Grid, View


def points(
    view: View, grid: Grid, hits: Hits, solids: Bodies, oversample: int = 1
) -> SurfacePoints:
    """The points of all rays that hit a surface. The grid and the hits are float32."""
    pose = np.concatenate([view.basis.ravel(), view.eye]).astype(np.float32)
    return surface_points(grid.u, grid.v, (hits.z, hits.surface), pose, solids, oversample)
