"""What is not used, in one line."""

from __future__ import annotations

from depthmask.data import LeftOut
from depthmask.storage.left_out import left_out_in_one_line


def test_files_and_other_things_are_counted_by_themselves() -> None:
    crowds = LeftOut("a.json: crowds", "a crowd", files=1200, kind="annotation")
    assert left_out_in_one_line([crowds]) == "1,200 annotations not used: 1,200 a crowd"
    files = [LeftOut("a.heic", "HEIC; save as JPEG"), LeftOut("b.heic", "HEIC; save as JPEG")]
    assert left_out_in_one_line([*files, crowds]) == (
        "2 files and 1,200 annotations not used: 1,200 a crowd, 2 HEIC (save as JPEG)"
    )
    one = LeftOut("a.json: annotation 3", "empty", kind="annotation")
    assert left_out_in_one_line([one]) == "1 annotation not used: 1 empty"


def test_nothing() -> None:
    assert left_out_in_one_line([]) == ""
