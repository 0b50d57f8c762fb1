"""Settings as a table."""

from __future__ import annotations

from depthmask.cli.listing import settings_table
from depthmask.stage import SettingInfo


def info(name: str, default: str) -> SettingInfo:
    return SettingInfo(name, "int", default, "some help", (), "")


def test_columns_are_as_wide_as_their_texts() -> None:
    rows = settings_table([info("a", "1"), info("longer", "20")], "x.").splitlines()
    assert rows == ["x.a=1        int  some help", "x.longer=20  int  some help"]


def test_a_long_default_makes_no_column_wider() -> None:
    rows = settings_table([info("a", "1"), info("names", "n" * 200)], "x.").splitlines()
    assert rows == ["x.a=1  int  some help", f"x.names={'n' * 200}  int  some help"]
