"""What depthmask expects of every placement; add what you expect of this one."""

from depthmask.testing import PlacementSuite

from depthmask_old_placement.old_placement import OldPlacementPlacement


class TestOldPlacementPlacement(PlacementSuite):
    stage_class = OldPlacementPlacement
