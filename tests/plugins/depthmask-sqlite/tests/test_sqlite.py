"""The requirements on a writer."""

import pytest
from depthmask_sqlite import Sqlite

from depthmask import SettingError
from depthmask.testing import WriterSuite


class TestSqlite(WriterSuite):
    stage_class = Sqlite


def test_pages_of_a_size_that_sqlite_lacks() -> None:
    with pytest.raises(SettingError, match="must be a power of two"):
        Sqlite(page_size=1000)
