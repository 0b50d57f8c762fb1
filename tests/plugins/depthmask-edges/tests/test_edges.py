"""The requirements on a label stage."""

from depthmask_edges import Edges

from depthmask.testing import LabelsSuite


class TestEdges(LabelsSuite):
    stage_class = Edges
