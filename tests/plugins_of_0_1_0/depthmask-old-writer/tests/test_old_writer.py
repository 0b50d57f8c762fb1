"""What depthmask expects of every writer; add what you expect of this one."""

from depthmask.testing import WriterSuite

from depthmask_old_writer.old_writer import OldWriterWriter


class TestOldWriterWriter(WriterSuite):
    stage_class = OldWriterWriter
