"""What depthmask expects of every source; add what you expect of this one."""

from depthmask.testing import SourceSuite

from depthmask_old_source.old_source import OldSourceSource


class TestOldSourceSource(SourceSuite):
    stage_class = OldSourceSource
