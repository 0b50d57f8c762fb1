"""The requirements on a depth stage."""

from depthmask_tinynet import TinyNet

from depthmask.testing import DepthSuite


class TestTinyNet(DepthSuite):
    stage_class = TinyNet
