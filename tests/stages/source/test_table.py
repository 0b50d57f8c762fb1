"""Numbers, columns and keys of `assets.csv` that are most likely not meant so."""

from __future__ import annotations

from pathlib import Path

import pytest

from depthmask.errors import UsageError
from depthmask.stages.source.assets import Assets
from tests.support import tiny

SIZE = (32, 32)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tiny.make_assets(tmp_path / "assets")


def error_of(root: Path, table: str) -> str:
    (root / "assets.csv").write_text(table)
    with pytest.raises(UsageError) as caught:
        Assets(root=str(root)).check(SIZE)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("cell", "hint"),
    [
        ("90", "height_m=90 of box0 is over 20 metres; 90 cm is 0.9"),
        ("20.5", "is over 20 metres"),
        ("175", "175 cm is 1.75"),
        ("1750", "1750 mm is 1.75"),
        ("1e9", "is over 20 metres"),
        ('"1,75"', "is not a number of metres; write 1.75"),
        ("175cm", "is not a number of metres; write 1.75"),
        ("1.75 m", "is not a number of metres; write 1.75"),
        ("1750 mm", "is not a number of metres; write 1.75"),
        ("0", "is not a number of metres above 0"),
        ("-1", "is not a number of metres above 0"),
        ("nan", "is not a number of metres"),
        ("inf", "is not a number of metres"),
        ("tall", "is not a number of metres"),
    ],
)
def test_heights(root: Path, cell: str, hint: str) -> None:
    text = error_of(root, f"key,height_m\nbox1,0.5\nbox0,{cell}\n")
    assert text.startswith(f"{root}/assets.csv: row 2: height_m=")
    assert hint in text


@pytest.mark.parametrize(
    ("cell", "height_m"), [("20", 20.0), ("", None), ("  ", None), ("0.9", 0.9)]
)
def test_heights_that_can_be(root: Path, cell: str, height_m: float | None) -> None:
    (root / "assets.csv").write_text(f"key,height_m\nbox0,{cell}\n")
    assert Assets(root=str(root)).foreground("box0", SIZE).height_m == height_m


def test_a_number_with_a_comma_is_not_cut(root: Path) -> None:
    text = error_of(root, "key,height_m\nbox0,1,75\n")
    assert "row 1: the row of box0 has more cells than columns (75)" in text
    assert "1.75" in text


@pytest.mark.parametrize(
    ("f_px", "hint"), [("2", "f_px=2 in assets.csv"), ("9999", "40 pixels across")]
)
def test_focal_lengths_that_no_camera_has(root: Path, f_px: str, hint: str) -> None:
    text = error_of(root, f"key,f_px\nwall0,{f_px}\n")
    assert f"{root}/bg/wall0.png: " in text
    assert hint in text


@pytest.mark.parametrize(
    ("column", "meant"),
    [
        *(("heigth_m", "height_m"), ("height", "height_m"), ("Height_m", "height_m")),
        *((" label", "label"), ("lable", "label"), ("class", "label"), ("license", "licence")),
        *(("f-px", "f_px"), ("focal_length", "f_px")),
    ],
)
def test_a_column_of_nearly_the_right_name_is_noted(root: Path, column: str, meant: str) -> None:
    (root / "assets.csv").write_text(f"key,{column}\nbox0,1\n")
    notes = Assets(root=str(root)).check(SIZE).notes
    assert notes == (f"assets.csv: column {column!r} is not used; did you mean {meant!r}?",)


def test_columns_of_the_owner_and_repeated_keys(root: Path) -> None:
    (root / "assets.csv").write_text("key,label,weight,remark\nbox0,a,1,x\nbox0,b,1,y\n")
    (note,) = Assets(root=str(root)).check(SIZE).notes
    assert note == "assets.csv: box0 has 2 rows; the last one that can be used counts"


@pytest.mark.parametrize(
    ("table", "hint"),
    [
        ("key;label\nbox0;a\n", "separated by semicolons: save it with commas"),
        ("key\tlabel\nbox0\ta\n", "separated by tabs: save it with commas"),
        ("Key,label\nbox0,a\n", "rename the column 'Key' to key"),
        ("filename,label\nbox0,a\n", "rename the column 'filename' to key"),
        ("key,label\nbox0.png,a\n", "no picture named box0.png (did you mean box0?)"),
        ("key,label\nBox0,a\n", "no picture named Box0 (did you mean box0?)"),
    ],
)
def test_headers_and_keys(root: Path, table: str, hint: str) -> None:
    assert hint in error_of(root, table)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("key,label\nbox0,Küche\n".encode("latin-1"), "can't decode byte"),
        ("key,label\nbox0,box\n".encode("utf-16"), "can't decode byte"),
        (b"PK\3\4\x14\0\6\0\x08\0\xfa\xfb", "it is a workbook of a spreadsheet program"),
    ],
)
def test_what_is_no_text_in_utf_8(root: Path, content: bytes, problem: str) -> None:
    (root / "assets.csv").write_bytes(content)
    with pytest.raises(UsageError, match="save it in the format CSV UTF-8") as caught:
        Assets(root=str(root)).check(SIZE)
    assert problem in str(caught.value)


def test_heights_that_may_be_centimetres_are_noted(root: Path) -> None:
    (root / "assets.csv").write_text("key,height_m\nbox0,12\nbox1,2.5\nbox2,18\n")
    (note,) = Assets(root=str(root)).check(SIZE).notes
    assert note.startswith("assets.csv: height_m is over 3 metres: box0 12, box2 18; ")
    assert "12 cm is 0.12" in note


@pytest.mark.parametrize("table", ["", "key,label\n", "box0,box\n"])
def test_a_table_without_rows_is_noted(root: Path, table: str) -> None:
    (root / "assets.csv").write_text(table)
    (note,) = Assets(root=str(root)).check(SIZE).notes
    assert note == "assets.csv: has no rows below the names of the columns"


def test_rows_are_named_in_their_order(root: Path) -> None:
    (root / "assets.csv").write_text("key,height_m\nzebra,1\nbox0,tall\naunt,1\n")
    with pytest.raises(UsageError) as caught:
        Assets(root=str(root)).check(SIZE)
    assert [line.split("row ")[1][0] for line in str(caught.value).splitlines()] == ["1", "2", "3"]
