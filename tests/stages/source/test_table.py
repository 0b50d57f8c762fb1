"""Numbers, columns and keys of `assets.csv` that are most likely not meant so."""

from __future__ import annotations

from pathlib import Path

import pytest

from depthmask.data import Meta
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
        ("1_0", "is not a number of metres;"),
    ],
)
def test_heights(root: Path, cell: str, hint: str) -> None:
    text = error_of(root, f"key,height_m\nbox1,0.5\nbox0,{cell}\n")
    assert text.startswith(f"{root}/assets.csv: line 3: height_m=")
    assert hint in text


@pytest.mark.parametrize(
    ("cell", "height_m"), [("20", 20.0), ("", None), ("  ", None), ("0.9", 0.9)]
)
def test_heights_that_can_be(root: Path, cell: str, height_m: float | None) -> None:
    (root / "assets.csv").write_text(f"key,height_m\nbox0,{cell}\n")
    assert Assets(root=str(root)).foreground("box0", SIZE).height_m == height_m


def test_a_number_with_a_comma_is_not_cut(root: Path) -> None:
    text = error_of(root, "key,height_m\nbox0,1,75\n")
    assert "line 2: the row of box0 has more cells than columns (75)" in text
    assert "1.75" in text


@pytest.mark.parametrize(
    ("f_px", "hint"), [("2", "f_px=2 in assets.csv"), ("9999", "40 pixels across")]
)
def test_focal_lengths_that_no_camera_has(root: Path, f_px: str, hint: str) -> None:
    text = error_of(root, f"key,f_px\nwall0,{f_px}\n")
    assert f"{root}/bg/wall0.png: " in text
    assert hint in text


def notes_of(root: Path, table: str | bytes) -> tuple[str, ...]:
    data = table if isinstance(table, bytes) else table.encode()
    (root / "assets.csv").write_bytes(data)
    return tuple(Assets(root=str(root)).check(SIZE).notes)


@pytest.mark.parametrize(
    ("column", "name"),
    [
        *((" label", "label"), ("Label", "label"), ("class", "label"), ("category", "label")),
        *(("height", "height_m"), ("Height (m)", "height_m"), ("Height-M", "height_m")),
        *(("HEIGHT_M ", "height_m"), ("Meta.caption", "meta.caption")),
    ],
)
def test_a_column_of_nearly_the_right_name_is_read(root: Path, column: str, name: str) -> None:
    assert notes_of(root, f"key,{column}\nbox0, 0.5 \n") == (
        f"assets.csv: column {column!r} is read as {name}",
    )
    box = Assets(root=str(root)).foreground("box0", SIZE)
    values = {"label": box.label, "height_m": box.height_m, **prefixed(box.meta)}
    assert values[name] == (0.5 if name == "height_m" else "0.5")


def prefixed(meta: Meta | None) -> Meta:
    return {f"meta.{name}": value for name, value in (meta or {}).items()}


def test_the_focal_length_and_the_licence_are_read(root: Path) -> None:
    table = "File_Name,License,focal px\nwall0,CC0,35\n"
    assert len(notes_of(root, table)) == 3
    source = Assets(root=str(root))
    assert source.check(SIZE).licences["backgrounds"] == {"CC0": 1}
    camera = source.background("wall0", (30, 40)).camera
    assert camera is not None
    assert camera.f_px == 35


@pytest.mark.parametrize(
    ("column", "meant"),
    [
        *(("heigth_m", "height_m"), ("lable", "label"), ("Height (cm)", "height_m")),
        *(("focal_length", "f_px"), ("licenc", "licence"), ("height_mm", "height_m")),
    ],
)
def test_a_typo_and_another_unit_are_named(root: Path, column: str, meant: str) -> None:
    assert notes_of(root, f"key,{column}\nbox0,1\n") == (
        f"assets.csv: column {column!r} is not used; did you mean {meant!r}?",
    )


def test_the_best_name_is_read_and_the_others_are_named(root: Path) -> None:
    notes = notes_of(root, "key,name,class, Label,label,weight,,\nbox0,n,c,L,l,1,,\n")
    assert notes == (
        "assets.csv: not used: 'name', 'class', ' Label', 'weight'; a column meta.NAME goes into "
        "the JSON of samples",
    )
    assert Assets(root=str(root)).foreground("box0", SIZE).label == "l"


@pytest.mark.parametrize(
    ("header", "both"),
    [
        ("key,label,label", "two columns may be label: 'label' and 'label'"),
        ("key,Label,LABEL ", "two columns may be label: 'Label' and 'LABEL '"),
        ("key,class,category", "two columns may be label: 'class' and 'category'"),
        ("file,name,label", "two columns may be key: 'file' and 'name'"),
        ("key,meta.a, meta.a,meta.a", "two columns may be meta.a: 'meta.a' and 'meta.a'"),
    ],
)
def test_two_columns_of_one_meaning(root: Path, header: str, both: str) -> None:
    assert error_of(root, f"{header}\nbox0,a,b\n") == (
        f"{root}/assets.csv: line 1: {both}; keep one of them"
    )


def test_rows_of_one_key_are_named_by_their_lines(root: Path) -> None:
    table = 'key,label,meta.note\nbox0,a\n\nbox1,b,"two\nlines"\n box0 ,d\n'
    assert notes_of(root, table) == (
        "assets.csv: box0 is in lines 2, 6; the last one that can be used counts",
    )
    source = Assets(root=str(root))
    assert [source.foreground(key, SIZE).label for key in ("box0", "box1")] == ["d", "b"]


TABLE = "key,label,height_m\nbox0,Kü,1.5\nbox1,,\n"


@pytest.mark.parametrize(
    "table",
    {
        "semicolons": TABLE.replace(",", ";").encode(),
        "tabs": TABLE.replace(",", "\t").encode(),
        "a byte order mark": TABLE.encode("utf-8-sig"),
        "as Unicode text of Excel": TABLE.replace(",", "\t").replace("\n", "\r\n").encode("utf-16"),
        "UTF-16, big end first": b"\xfe\xff" + TABLE.encode("utf-16-be"),
        "lines of Windows": TABLE.replace("\n", "\r\n").encode(),
        "lines of old Macs": TABLE.replace("\n", "\r").encode(),
        "no last end of line": TABLE.strip().encode(),
        "blank rows": f"\n{TABLE}\n,,\n , ,\n".encode(),
        "quotes": b'"key","label","height_m"\n"box0","K\xc3\xbc","1.5"\n',
        "more delimiters than columns": b"key,label,height_m,,\nbox0,K\xc3\xbc,1.5,,,,\n",
        "the delimiter told": b"sep=;\r\nkey;label;height_m\r\nbox0;K\xc3\xbc;1.5\r\n",
        "the delimiter told in quotes": b'"sep=\t"\nkey\tlabel\theight_m\nbox0\tK\xc3\xbc\t1.5\n',
        "the delimiter told among commas": b"sep=,,\nkey,label,height_m\nbox0,K\xc3\xbc,1.5\n",
        "spaces": b"key, label , height_m\nbox0 , K\xc3\xbc,\xc2\xa01.5\n",
    }.items(),
    ids=lambda table: table[0],
)
def test_tables_of_spreadsheet_programs(root: Path, table: tuple[str, bytes]) -> None:
    notes_of(root, table[1])
    box = Assets(root=str(root)).foreground("box0", SIZE)
    assert (box.label, box.height_m) == ("Kü", 1.5)


def test_lines_are_numbered_as_editors_do(root: Path) -> None:
    rows = [
        "",
        "key;meta.note;height_m",
        'box1;"two',
        'lines";',
        "",
        ";;",
        "box0;a;1,75",
        ";b;",
        "x",
    ]
    table = "".join(f"{row}\r\n" for row in rows)
    (root / "assets.csv").write_bytes(table.encode())
    with pytest.raises(UsageError) as caught:
        Assets(root=str(root)).check(SIZE)
    first, *others = str(caught.value).splitlines()
    assert (
        "assets.csv: line 7: height_m=1,75 of box0 is not a number of metres; write 1.75" in first
    )
    assert [line.partition("assets.csv: ")[2] for line in others] == [
        "line 8: no key; write the name of the picture in the column key",
        "line 9: no picture named x",
    ]


def test_one_key_in_two_spellings_of_an_accent(root: Path) -> None:
    (root / "fg" / "box0.png").rename(root / "fg" / "te\u0301 .png")
    notes_of(root, "key,label\nt\u00e9,Tasse\n")
    assert Assets(root=str(root)).foreground("te\u0301 ", SIZE).label == "Tasse"


@pytest.mark.parametrize(
    ("table", "hint"),
    [
        ("label;size\na;1\n", "assets.csv: line 1: no column named key in 'label', 'size'"),
        ("\nkeys,label\nbox0,a\n", "line 2: no column named key in 'keys', 'label'; rename"),
        ("sep=;\nkeys;label\nbox0;a\n", "line 2: no column named key in 'keys', 'label'; rename"),
        ('sep=;\nkey;label\nbox0;"a\nbox1;b\n', "line 3: label of box0: must be one line of text"),
        ("key,label\nbox0,#N/A\n", "line 2: label of box0: must be one line of text"),
        (
            "x" * 99 + ",a,a,a,a,a,a,a,a,b\n1,2\n",
            "x...', 'a', 'a', 'a', 'a', 'a', 'a', 'a' and 2 more",
        ),
        ("key,label\nbg/box0.png,a\n", "no picture named bg/box0.png (did you mean box0?)"),
        ("key,label\nfg\\Box0,a\n", "no picture named fg\\Box0 (did you mean box0?)"),
        ("key,label\nbox0.jpg,a\n", "no picture named box0.jpg (did you mean box0?)"),
        ("key,label\nBox0,a\n", "no picture named Box0 (did you mean box0?)"),
    ],
)
def test_headers_and_keys(root: Path, table: str, hint: str) -> None:
    assert hint in error_of(root, table)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("key,label\nbox0,Küche\n".encode("latin-1"), "can't decode byte"),
        ("key,label\nbox0,box\n".encode("utf-16-le"), "it has bytes that are 0"),
        ("key,label\nbox0,box\n".encode("utf-16")[:-1], "truncated data"),
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


def test_lines_are_named_in_their_order(root: Path) -> None:
    (root / "assets.csv").write_text("key,height_m\nzebra,1\nbox0,tall\naunt,1\n")
    with pytest.raises(UsageError) as caught:
        Assets(root=str(root)).check(SIZE)
    assert [line.split("line ")[1][0] for line in str(caught.value).splitlines()] == ["2", "3", "4"]
