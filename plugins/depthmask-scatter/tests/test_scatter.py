from __future__ import annotations

from depthmask.testing import PlacementSuite

from depthmask_scatter.scatter import Scatter


class TestScatter(PlacementSuite):
    stage_class = Scatter
