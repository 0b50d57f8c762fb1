"""What a source leaves out is kept in `quarantine/`, and nothing is written anywhere else."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from depthmask.data import AssetCatalogue, LeftOut
from depthmask.engine.quarantine import check_contents, quarantine, without_contents
from depthmask.errors import UsageError
from depthmask.storage.location import location


def test_contents_are_kept_with_the_reason(tmp_path: Path) -> None:
    row = LeftOut("rows.jsonl: 12", "no caption", contents={"rows/12.json": b"{}", "13": b""})
    check_contents([row], "mine")
    quarantine(location(tmp_path), [row])
    files = {
        path.relative_to(tmp_path / "quarantine").as_posix(): path.read_bytes()
        for path in tmp_path.rglob("*")
        if path.is_file()
    }
    reason = b"rows.jsonl: 12: no caption\n"
    assert files == {"rows/12.json": b"{}", "rows/12.json.txt": reason, "13": b"", "13.txt": reason}


@pytest.mark.parametrize(
    "name", ["../x", "a/../../x", "/etc/x", "", ".", "a//b", "a\\b", "a\0b", "a\nb", 3, "x" * 5000]
)
def test_names_that_lead_elsewhere_are_refused(name: Any) -> None:
    bad = LeftOut("row 1", "why", contents={name: b""})
    with pytest.raises(
        UsageError, match=r"^source=mine: LeftOut.contents of row 1: the name "
    ) as e:
        check_contents([LeftOut("row 0", "why"), bad], "mine")
    assert str(e.value).endswith("does not stay below quarantine/")


def test_contents_that_cannot_be_written_are_refused() -> None:
    one = LeftOut("row 1", "why", contents={"a": b""})
    with pytest.raises(UsageError, match=r"of row 2: the name 'a' is given twice$"):
        check_contents([one, LeftOut("row 2", "why", contents={"a": b""})], "mine")
    text: Any = {"a": "text"}
    with pytest.raises(UsageError, match=r"'a' is not bytes$"):
        check_contents([LeftOut("row 1", "why", contents=text)], "mine")


def test_workers_get_no_contents() -> None:
    one = LeftOut("row 1", "why", contents={"a": bytes(100_000)})
    catalogue = without_contents(AssetCatalogue("digest", (one,)))
    assert len(pickle.dumps(catalogue)) < 1000
    assert catalogue.left_out == (LeftOut("row 1", "why"),)


def test_left_out_assets_are_hashable() -> None:
    assert hash(LeftOut("a", "b", contents={"a": b""})) == hash(LeftOut("a", "b"))


def test_copies_keep_the_names_that_the_source_gives(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.png").write_bytes(folder.encode())
    copies = tmp_path / "a" / "x.png", tmp_path / "b" / "x.png"
    named = LeftOut("fg/a/x.png", "why", copies=copies, names=("fg/a/x.png", "2/fg/x.png"))
    check_contents([named], "mine")
    quarantine(location(tmp_path / "out"), [named])
    kept = tmp_path / "out" / "quarantine"
    assert (kept / "fg" / "a" / "x.png").read_bytes() == b"a"
    assert (kept / "2" / "fg" / "x.png").read_bytes() == b"b"


@pytest.mark.parametrize("names", [("x",), ("x", "../y"), ("x", "/y"), ("x", "a//y"), ("x", 3)])
def test_names_of_copies_that_lead_elsewhere_are_refused(tmp_path: Path, names: Any) -> None:
    bad = LeftOut("row 1", "why", copies=(tmp_path / "a", tmp_path / "b"), names=names)
    with pytest.raises(UsageError, match=r"^source=mine: LeftOut.names of row 1: must be a path"):
        check_contents([bad], "mine")
