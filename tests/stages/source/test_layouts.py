"""Assets as people keep them: what each layout, format and table gives, in one table of cases."""

from __future__ import annotations

import io
import os
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from depthmask.errors import UsageError
from depthmask.stages.source.assets import Assets

SIZE = (32, 32)
RED, GREEN, BLUE = (220, 30, 40), (20, 190, 60), (30, 50, 210)
Make = Callable[[Path], object]


def solid(colour: tuple[int, int, int], mode: str = "RGB") -> Image.Image:
    return Image.new("RGB", (32, 32), colour).convert(mode)


def cut_out(colour: tuple[int, int, int]) -> Image.Image:
    """The left half shows."""
    image = solid(colour, "RGBA")
    alpha = np.zeros((32, 32), np.uint8)
    alpha[:, :16] = 255
    image.putalpha(Image.fromarray(alpha))
    return image


def mask() -> Image.Image:
    return cut_out(RED).getchannel("A")


def encoded(image: Image.Image, form: str, **save: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **save)
    return file.getvalue()


def put(name: str, content: Image.Image | bytes | str, **save: Any) -> Make:
    def make(root: Path) -> None:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Image.Image):
            content.save(path, **save)
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())

    return make


def marked(image: Image.Image, name: str) -> Image.Image:
    """The image with one pixel that no other name gives."""
    number = zlib.crc32(os.fsencode(name))
    image.putpixel(
        (31, 0), (number & 255, number >> 8 & 255, number >> 16 & 255, 0)[: len(image.getbands())]
    )
    return image


def bg(name: str, colour: tuple[int, int, int] = GREEN, folder: str = "bg") -> Make:
    return put(f"{folder}/{name}", marked(solid(colour), name))


def fg(name: str, colour: tuple[int, int, int] = RED, folder: str = "fg") -> Make:
    return put(f"{folder}/{name}", marked(cut_out(colour), name))


def table(text: str | bytes) -> Make:
    return put("assets.csv", text)


def renamed(folder: str, name: str) -> Make:
    return lambda root: (root / folder).rename(root / name)


def both(*makes: Make) -> Make:
    return lambda root: [make(root) for make in makes]


def link_outward(root: Path) -> None:
    (root.parent / "private").mkdir()
    solid(BLUE).save(root.parent / "private" / "x.png")
    (root / "bg" / "holiday").mkdir()
    (root / "bg" / "holiday" / "x.png").symlink_to(root.parent / "private" / "x.png")


def linked_folder(root: Path) -> None:
    (root.parent / "private").mkdir()
    solid(BLUE).save(root.parent / "private" / "x.png")
    (root / "bg" / "holiday").symlink_to(root.parent / "private")


def frames(form: str) -> bytes:
    return encoded(solid(RED), form, save_all=True, append_images=[solid(BLUE)])


@dataclass(frozen=True)
class Case:
    """What a change of the base folder, `bg/room.png` and `fg/cup.png`, gives.

    backgrounds, labels: the keys, and the label of each cut-out, None for those of the base.
    colour: of the background `x`, within 6 of 255. splits: key -> split. error: a part of the
    message that refuses the folder. left_out, note: parts of what is said about it.
    """

    make: Make
    backgrounds: tuple[str, ...] = ("room",)
    labels: Mapping[str, str] = field(default_factory=lambda: {"cup": "foreground"})
    colour: tuple[int, int, int] | None = None
    splits: Mapping[str, str] = field(default_factory=dict)
    heights: Mapping[str, float] = field(default_factory=dict)
    error: str = ""
    left_out: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)


CUP = {"cup": "foreground"}


def picture(
    name: str, content: Image.Image | bytes, colour: tuple[int, int, int], **save: Any
) -> Case:
    """A background `x` of another format, and its colour in the samples."""
    return Case(put(f"bg/{name}", content, **save), backgrounds=("room", "x"), colour=colour)


def refused(make: Make, error: str, **settings: Any) -> Case:
    return Case(make, error=error, settings=settings)


def rows(text: str | bytes, labels: Mapping[str, str], *makes: Make, **more: Any) -> Case:
    """A table, and the labels that it gives."""
    return Case(both(*makes, table(text)), labels=labels, **more)


CHAIR = both(fg("chair/x.png"), fg("chair/y.png"))
KEYS = "key,label\n"

CASES: dict[str, Case] = {
    # Folders by class
    "folder by class": Case(CHAIR, labels={"chair/x": "chair", "chair/y": "chair", **CUP}),
    "two classes with one name": Case(
        both(fg("chair/1.png"), fg("table/1.png", BLUE)),
        labels={"chair/1": "chair", **CUP, "table/1": "table"},
    ),
    "nested folders": Case(
        fg("furniture/chair/x.png"), labels={**CUP, "furniture/chair/x": "chair"}
    ),
    "a folder beside a file of its name": Case(
        fg("cup/x.png"), labels={"cup": "foreground", "cup/x": "cup"}
    ),
    "folder with spaces and accents": Case(
        fg("Stühle alt/x.png"), labels={"Stühle alt/x": "Stühle alt", **CUP}
    ),
    "backgrounds in folders": Case(
        both(bg("indoor/x.png"), bg("outdoor/a/x.png", BLUE)),
        backgrounds=("indoor/x", "outdoor/a/x", "room"),
    ),
    "mask in the same sub-folder": Case(
        both(put("fg/chair/x.jpg", solid(RED)), put("fg_mask/chair/x.png", mask())),
        labels={"chair/x": "chair", **CUP},
    ),
    "mask without the sub-folder": refused(
        both(put("fg/chair/x.jpg", solid(RED)), put("fg_mask/x.png", mask())),
        "fg_mask/x.png: no picture of that name in fg/; rename or remove it (did you mean chair/x",
    ),
    "depth in the same sub-folder": Case(
        both(
            bg("a/x.png"),
            put("bg_depth/a/x.png", Image.fromarray(np.full((32, 32), 900, np.uint16))),
        ),
        backgrounds=("a/x", "room"),
    ),
    "sub-folders that are not to be read": Case(
        CHAIR,
        left_out={"fg/chair": "in a sub-folder; move into fg/"},
        settings={"subfolders": False},
    ),
    "hidden sub-folder": Case(
        put("bg/@eaDir/x.png", b""), left_out={"bg/@eaDir": "hidden, or made by the system"}
    ),
    "hidden file in a sub-folder": Case(
        put("bg/a/._x.png", b""), left_out={"bg/a/._x.png": "hidden, or made by the system"}
    ),
    "text in a sub-folder": Case(
        put("bg/a/notes.txt", b""), left_out={"bg/a/notes.txt": ".txt; not a picture"}
    ),
    "empty sub-folder": Case(lambda root: (root / "bg" / "a").mkdir()),
    "folders that differ in case": refused(
        both(fg("Chair/x.png"), fg("chair/x.png", BLUE)),
        "fg/Chair/x.png: chair/x.png has the same name but for case",
    ),
    "one key in two formats of a folder": refused(
        both(bg("a/x.png"), put("bg/a/x.jpg", solid(GREEN))), "bg/a/x.jpg: x.png has the same name;"
    ),
    "folder that is not UTF-8": refused(
        bg(os.fsdecode(b"caf\xe9/x.png")), "bg/caf\\xe9/x.png: its name is not UTF-8 text"
    ),
    "link outward in a sub-folder": refused(
        link_outward, "holiday/x.png: a link out of source.root"
    ),
    "folder that is a link outward": Case(
        linked_folder, left_out={"bg/holiday": "a link to a folder; put its files into bg/"}
    ),
    "damaged file in a sub-folder": refused(
        put("fg/chair/x.png", b"hello"), "fg/chair/x.png: not a picture of a format that is read"
    ),
    # Names of the folders
    "backgrounds/": Case(renamed("bg", "backgrounds")),
    "Foregrounds/": Case(renamed("fg", "Foregrounds")),
    "cut-outs/ with a folder by class": Case(
        both(CHAIR, renamed("fg", "cut-outs")),
        labels={"chair/x": "chair", "chair/y": "chair", **CUP},
    ),
    "masks/": Case(
        both(put("fg/x.jpg", solid(RED)), put("masks/x.png", mask())),
        labels={**CUP, "x": "foreground"},
    ),
    "masks/ that nothing needs": Case(
        both(put("masks/cup.png", mask()), put("masks/other.png", b"hello")),
        left_out={
            "masks/cup.png": "its cut-out has alpha of its own",
            "masks/other.png": "no cut-out of that name",
        },
    ),
    "backgrounds/ beside bg/": Case(bg("x.png", folder="backgrounds")),
    "two usual names": refused(
        both(renamed("bg", "backgrounds"), bg("x.png", folder="bgs")),
        "did you mean backgrounds/ or bgs/? Rename one of them to bg",
    ),
    "a typo is no usual name": refused(
        renamed("bg", "backgruonds"), "did you mean backgruonds/? Rename it to bg"
    ),
    "depth/ is not read": Case(
        put("depth/room.png", Image.fromarray(np.full((32, 32), 900, np.uint16))),
        left_out={"depth": "in depth/; rename it to bg_depth"},
    ),
    # Formats and modes
    "TIFF": picture("x.tif", solid(RED), RED),
    "TIFF in capitals": picture("x.TIFF", encoded(solid(RED), "TIFF"), RED),
    "TIFF, LZW": picture("x.tif", solid(RED), RED, compression="tiff_lzw"),
    "TIFF of 16-bit grey": picture(
        "x.tif", Image.fromarray(np.full((32, 32), 0x7F20, np.uint16)), (127, 127, 127)
    ),
    "TIFF of 1 bit": picture("x.tif", Image.new("1", (32, 32), 1), (255, 255, 255)),
    "TIFF with a palette": picture("x.tif", solid(BLUE).quantize(4), BLUE),
    "TIFF of CMYK": picture("x.tif", Image.new("CMYK", (32, 32), (0, 255, 255, 0)), (255, 0, 0)),
    "TIFF with grey and alpha": picture(
        "x.tif", Image.merge("LA", (Image.new("L", (32, 32), 90), mask())), (90, 90, 90)
    ),
    "TIFF of several pages": picture("x.tif", frames("TIFF"), RED),
    "TIFF of floats": refused(
        put("bg/x.tif", Image.new("F", (32, 32), 0.5)), "bg/x.tif: numbers of 32 bits; save as 8"
    ),
    "TIFF of 32-bit numbers": refused(
        put("bg/x.tif", Image.new("I", (32, 32), 70_000)), "bg/x.tif: numbers of 32 bits; save as 8"
    ),
    "TIFF of CIELAB": refused(
        put("bg/x.tif", Image.new("LAB", (32, 32))),
        "bg/x.tif: colours of the mode LAB; save as RGB",
    ),
    "TIFF that is cut": refused(
        put("bg/x.tif", encoded(solid(RED), "TIFF")[:-200]), "bg/x.tif: cannot be decoded"
    ),
    "BMP": picture("x.BMP", encoded(solid(GREEN), "BMP"), GREEN),
    "BMP with a palette": picture("x.bmp", solid(BLUE).quantize(4), BLUE),
    "GIF": picture("x.gif", solid(RED), RED),
    "GIF that moves": picture("x.gif", frames("GIF"), RED),
    "GIF as cut-out": Case(fg("x.gif"), labels={**CUP, "x": "foreground"}),
    "AVIF": picture("x.avif", solid(RED), RED, quality=95),
    "GIF named .png": picture("x.png", encoded(solid(RED), "GIF"), RED),
    "TIFF beside a JPEG of its name": Case(
        both(put("bg/x.jpg", solid(RED)), put("bg/x.tif", solid(BLUE))),
        backgrounds=("room", "x"),
        colour=RED,
        left_out={"bg/x.tif": "x.jpg is used, which has the same name"},
    ),
    # Labels by a pattern
    "pattern with a number": Case(
        both(fg("red_chair_12.png"), fg("cup7.png", BLUE)),
        labels={"cup": "foreground", "cup7": "foreground", "red_chair_12": "red_chair"},
        settings={"label_pattern": "LABEL_NUMBER"},
        note="label_pattern=LABEL_NUMBER: no label for 2: cup, cup7",
    ),
    "pattern with any end": Case(
        fg("chair_old_3.png"),
        labels={"chair_old_3": "chair", **CUP},
        settings={"label_pattern": "LABEL_*"},
        note="no label for 1: cup",
    ),
    "pattern with the number first": Case(
        fg("0012-chair.png"),
        labels={"0012-chair": "chair", **CUP},
        settings={"label_pattern": "NUMBER-LABEL"},
        note="no label for 1: cup",
    ),
    "the folder before the pattern": Case(
        fg("chair/x_1.png"),
        labels={"chair/x_1": "chair", **CUP},
        note="no label for 1: cup",
        settings={"label_pattern": "LABEL_NUMBER"},
    ),
    "pattern with folders before the folder": Case(
        fg("chair/front/x.png"),
        labels={"chair/front/x": "chair", **CUP},
        settings={"label_pattern": "LABEL/*/*"},
        note="no label for 1: cup",
    ),
    "the table before the pattern": rows(
        KEYS + "chair_1,Stuhl\n",
        {"chair_1": "Stuhl", **CUP},
        fg("chair_1.png"),
        note="no label for 1: cup",
        settings={"label_pattern": "LABEL_NUMBER"},
    ),
    # Tables
    "the table before the folder": rows(
        KEYS + "chair/x,Stuhl\n", {"chair/x": "Stuhl", "chair/y": "chair", **CUP}, CHAIR
    ),
    "key with suffix": rows(KEYS + "cup.png,mug\n", {"cup": "mug"}),
    "key with suffix in capitals": rows(KEYS + "cup.PNG,mug\n", {"cup": "mug"}),
    "key with the folder": rows(KEYS + "fg/cup,mug\n", {"cup": "mug"}),
    "key with all of the path": rows(
        KEYS + "./fg/chair/x.png,mug\n", {"chair/x": "mug", "chair/y": "chair", **CUP}, CHAIR
    ),
    "key with backslashes": rows(
        KEYS + "chair\\x.png,mug\n", {"chair/x": "mug", "chair/y": "chair", **CUP}, CHAIR
    ),
    "key with the usual name of the folder": rows(
        KEYS + "foregrounds/cup.png,mug\n", {"cup": "mug"}, renamed("fg", "foregrounds")
    ),
    "key with another suffix": refused(
        table(KEYS + "cup.jpg,mug\n"), "line 2: no picture named cup.jpg (did you mean cup?)"
    ),
    "key without its sub-folder": refused(
        both(CHAIR, table(KEYS + "y,mug\n")), "line 2: no picture named y (did you mean chair/y?)"
    ),
    "key that leads out": refused(
        table(KEYS + "../fg/cup.png,mug\n"), "line 2: no picture named ../fg/cup.png"
    ),
    "a key that looks like another's file": rows(
        KEYS + "a.jpg,person\n",
        {"a.jpg": "person", **CUP},
        fg("a.jpg.png"),
        put("bg/a.jpg", solid(RED)),
        backgrounds=("a", "room"),
    ),
    "two rows of one picture": rows(
        KEYS + "cup,a\ncup.png,b\n",
        {"cup": "b"},
        note="assets.csv: cup.png and cup are rows of one picture; the first counts",
    ),
    "bad row by a path": refused(
        table("key,height_m\nfg/cup.png,tall\n"),
        "line 2: height_m=tall of fg/cup.png is not a number",
    ),
    "split": rows(
        "key,split\ncup,val\nroom,Training\n", CUP, splits={"cup": "val", "room": "train"}
    ),
    "split that is none": refused(
        table("key,split\ncup,val\nroom,dev\n"),
        "line 3: split=dev of room is none of train, val, test",
    ),
    "split that means something else": rows(
        "key,split\ncup,a\nroom,b\n", CUP, note="column 'split' is not used; none of its cells is"
    ),
    "semicolons, UTF-16, Windows lines": rows(
        "Datei;Class;Filename\r\n;Stühle;fg/cup.png\r\n".encode("utf-16"),
        {"cup": "Stühle"},
        note="column 'Filename' is read as key",
    ),
    "tabs and a byte order mark": rows(
        "\ufefffile\tlabel\theight\ncup.png\tTasse\t0.1\n",
        {"cup": "Tasse"},
        heights={"cup": 0.1},
        note="column 'height' is read as height_m",
    ),
    "quotes, and commas in a label": rows(
        '"sep=,"\n"key","label"\n"cup.png","cup, small"\n', {"cup": "cup, small"}
    ),
    # Copies
    "a copy in another folder": Case(
        both(put("fg/a/x.png", cut_out(BLUE)), put("fg/b/y.png", cut_out(BLUE))),
        labels={"a/x": "a", "b/y": "b", **CUP},
        note="1 of the foregrounds is a copy of others, and drawn as often: fg/a/x.png = fg/b/y",
    ),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "assets"
    bg("room.png")(root)
    fg("cup.png")(root)
    return root


def test_there_are_sixty_cases() -> None:
    assert len(CASES) >= 60


@pytest.mark.parametrize("name", CASES)
def test_layouts(root: Path, name: str) -> None:
    case = CASES[name]
    case.make(root)
    source = Assets(root=str(root), **case.settings)
    if case.error:
        with pytest.raises(UsageError) as caught:
            source.check(SIZE)
        assert case.error in str(caught.value)
        return
    catalogue = source.check(SIZE)
    assert catalogue.backgrounds == source.backgrounds() == case.backgrounds
    assert catalogue.foregrounds == source.foregrounds()
    cut_outs = {key: source.foreground(key, SIZE) for key in catalogue.foregrounds}
    assert {key: one.label for key, one in cut_outs.items()} == case.labels
    assert catalogue.foreground_labels == tuple(sorted(set(case.labels.values())))
    assert all(one.size == (30, 15) for one in cut_outs.values())
    assert {key: cut_outs[key].height_m for key in case.heights} == case.heights
    if case.colour:
        seen = source.background("x", SIZE).image
        assert np.abs(seen.astype(int) - case.colour).max() <= 6
    assert {**catalogue.background_splits, **catalogue.foreground_splits} == case.splits
    assert {one.file: one.reason for one in catalogue.left_out} == case.left_out
    assert case.note in "\n".join(catalogue.notes)
    assert bool(case.note) == bool(catalogue.notes)
