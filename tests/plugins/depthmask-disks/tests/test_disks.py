"""The requirements on a placement."""

from depthmask_disks import Disks

from depthmask.testing import PlacementSuite


class TestDisks(PlacementSuite):
    stage_class = Disks
