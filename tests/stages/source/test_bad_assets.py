"""Every kind of bad input, and what becomes of it: one table, under fail, skip and quarantine."""

from __future__ import annotations

import errno
import io
import json
import os
import pickle
import shutil
import struct
import unicodedata
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin

import depthmask
from depthmask.cli.main import main
from depthmask.data import AssetCatalogue
from depthmask.engine.quarantine import check_contents, quarantine
from depthmask.errors import MachineError, UsageError
from depthmask.stages.source._inspection import OnBadAsset
from depthmask.stages.source.assets import Assets
from depthmask.storage.location import location

SIZE = (24, 32)
NOISE = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
PHOTO = Image.fromarray(NOISE)
CUT_OUT = Image.fromarray(np.dstack([NOISE, np.where(NOISE[..., 0] > 99, 255, 0).astype(np.uint8)]))
Make = Callable[[Path], object]


def data(image: Image.Image, form: str, **save: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **save)
    return file.getvalue()


def put(name: str, content: bytes | Image.Image, **save: Any) -> Make:
    """A case that writes one file."""

    def make(root: Path) -> None:
        path = root / name
        path.parent.mkdir(exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            content.save(path, **save)

    return make


def both(*makes: Make) -> Make:
    return lambda root: [make(root) for make in makes]


def cut(form: str, part: float) -> bytes:
    whole = data(PHOTO, form)
    return whole[: int(len(whole) * part)]


def turned(orientation: int) -> Make:
    exif = Image.Exif()
    exif[274] = orientation
    return put(f"bg/turned{orientation}.jpg", data(PHOTO, "JPEG", exif=exif))


def bomb(side: int) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(bytes(99))), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def text_bomb() -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text("comment", "x" * (80 << 20), zip=True)
    return data(PHOTO, "PNG", pnginfo=info)


def link(name: str, target: str) -> Make:
    """A link to a target relative to the root."""

    def make(root: Path) -> None:
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).symlink_to(root / target)

    return make


def outside(root: Path) -> None:
    PHOTO.save(root.parent / "private.png")
    (root / "bg" / "out.png").symlink_to(root.parent / "private.png")


def linked_folder(root: Path) -> None:
    (root.parent / "depths").mkdir()
    Image.fromarray(np.ones((24, 32), np.uint16)).save(root.parent / "depths" / "room1.png")
    (root / "bg_depth").symlink_to(root.parent / "depths")


def pipe_for_a_mask(root: Path) -> None:
    (root / "fg_mask").mkdir()
    os.mkfifo(root / "fg_mask" / "cup.png")


def unreadable(root: Path) -> None:
    put("bg/locked.png", PHOTO)(root)
    (root / "bg" / "locked.png").chmod(0)


def deep(height: int, width: int) -> Image.Image:
    return Image.fromarray(np.full((height, width), 2000, np.uint16))


def animation(form: str) -> bytes:
    frames = [Image.new("RGB", (64, 48), colour) for colour in ("red", "blue")]
    return data(frames[0], form, save_all=True, append_images=frames[1:], duration=50)


def palette() -> Image.Image:
    return PHOTO.quantize(16)


def grey(*values: int) -> Image.Image:
    return Image.fromarray(np.resize(np.array(values, np.uint8), (48, 64)))


@dataclass(frozen=True)
class Case:
    """used: the keys that the case adds. refused: file -> a part of the reason.

    unused: file -> the reason why it is not used, which is no fault.
    """

    make: Make
    used: tuple[str, ...] = ()
    refused: dict[str, str] | None = None
    loses: tuple[str, ...] = ()
    """Keys of the plain folder that leave with what is refused."""
    unused: dict[str, str] = field(default_factory=dict)


def used(make: Make, *keys: str) -> Case:
    return Case(make, used=keys)


def unused(name: str, content: bytes, reason: str, file: str = "") -> Case:
    return Case(put(name, content), unused={file or name: reason})


def bad(name: str, content: bytes | Image.Image, reason: str, **save: Any) -> Case:
    return Case(put(name, content, **save), refused={name: reason})


UNDECODABLE = "cannot be decoded"
NO_PICTURE = "not a picture of a format that is read"
ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
HUGE_EXIF = b"Exif\0\0" + b"MM\0*\0\0\0\x08\0\0" + bytes(64_000)
NFD = unicodedata.normalize("NFD", "Blüte")

# The stated results. What is refused ends the run, or is left out with all that belongs to it.
TABLE: dict[str, Case] = {
    # Files that are cut or no pictures
    "PNG cut early": bad("bg/a.png", cut("PNG", 0.02), UNDECODABLE),
    "PNG cut in the middle": bad("bg/a.png", cut("PNG", 0.5), UNDECODABLE),
    "PNG cut late": bad("fg/a.png", data(CUT_OUT, "PNG")[:-30], UNDECODABLE),
    "JPEG cut early": bad("bg/a.jpg", cut("JPEG", 0.02), UNDECODABLE),
    "JPEG cut in the middle": bad("bg/a.jpg", cut("JPEG", 0.5), UNDECODABLE),
    "JPEG cut late": bad("bg/a.jpg", cut("JPEG", 0.95), UNDECODABLE),
    "WebP cut": bad("bg/a.webp", cut("WEBP", 0.5), UNDECODABLE),
    "no bytes": bad("bg/a.png", b"", NO_PICTURE),
    "text named .jpg": bad("bg/a.jpg", b"hello\n", NO_PICTURE),
    "BMP named .png": used(put("bg/a.png", data(PHOTO, "BMP")), "a"),
    "GIF named .png": used(put("bg/a.png", animation("GIF")), "a"),
    "float TIFF named .png": bad(
        "bg/a.png",
        data(Image.fromarray(NOISE[..., 0].astype(np.float32)), "TIFF"),
        "numbers of 32 bits; save as 8 or 16 bits",
    ),
    "PNG with a wrong checksum": bad(
        "bg/a.png", data(PHOTO, "PNG")[:60] + b"\xff\xff" + data(PHOTO, "PNG")[62:], UNDECODABLE
    ),
    "PNG named .jpg": used(put("bg/a.jpg", data(PHOTO, "PNG")), "a"),
    "pixel bomb": bad("bg/a.png", bomb(10_001), "more than 100,000,000 pixels"),
    "larger pixel bomb": bad("bg/a.png", bomb(60_000), UNDECODABLE),
    "80 MB of text in a PNG": bad("bg/a.png", text_bomb(), UNDECODABLE),
    # Modes
    "CMYK": used(put("bg/a.jpg", PHOTO.convert("CMYK")), "a"),
    "palette": used(put("bg/a.png", palette()), "a"),
    "palette with transparency": used(put("fg/a.png", palette(), transparency=3), "a"),
    "LA": used(put("fg/a.png", Image.merge("LA", (grey(7), grey(0, 255)))), "a"),
    "16-bit grey": used(put("bg/a.png", deep(48, 64)), "a"),
    "8-bit grey": used(put("bg/a.png", grey(1, 2, 3)), "a"),
    "bilevel": used(put("bg/a.png", grey(0, 255).convert("1")), "a"),
    "RGBA background": used(put("bg/a.png", CUT_OUT), "a"),
    "ICC profile": used(put("bg/a.png", PHOTO, icc_profile=ICC), "a"),
    "64 kB of EXIF": used(put("bg/a.jpg", PHOTO, exif=HUGE_EXIF), "a"),
    "EXIF that is none": used(put("bg/a.jpg", PHOTO, exif=b"Exif\0\0garbage"), "a"),
    "interlaced PNG": used(lambda root: interlaced(root / "bg" / "a.png"), "a"),
    "progressive JPEG": used(put("bg/a.jpg", PHOTO, progressive=True), "a"),
    # Of an animation, the first picture is used.
    "animated WebP": used(put("bg/a.webp", animation("WEBP")), "a"),
    "animated PNG": used(put("bg/a.png", animation("PNG")), "a"),
    "GIF": used(put("bg/a.gif", animation("GIF")), "a"),
    "TIFF": used(put("fg/a.tif", data(CUT_OUT, "TIFF")), "a"),
    "BMP of no cut-out": unused("fg_mask/a.bmp", data(PHOTO, "BMP"), "no cut-out of that name"),
    "depth as TIFF": unused(
        "bg_depth/a.tif", data(deep(48, 64), "TIFF"), "TIFF; save as 16-bit PNG in millimetres"
    ),
    "depth as EXR": unused("bg_depth/a.exr", b"", "OpenEXR; save as 16-bit PNG in millimetres"),
    "raw": unused("bg/a.CR2", b"", "camera raw; save as JPEG or PNG"),
    "JPEG of Windows": unused("bg/a.jfif", data(PHOTO, "JPEG"), ".jfif; rename to .jpg"),
    "no suffix": unused(
        "bg/photo",
        data(PHOTO, "JPEG"),
        "without a suffix; a picture needs that of its format, such as .jpg",
    ),
    "Thumbs.db": unused("bg/Thumbs.db", b"", "hidden, or made by the system"),
    "Photoshop named .jpg": bad("bg/a.jpg", b"8BPS", "read but Photoshop; save as JPEG or PNG"),
    **{f"EXIF orientation {n}": used(turned(n), f"turned{n}") for n in range(1, 9)},
    "one pixel": used(put("bg/a.png", Image.new("RGB", (1, 1))), "a"),
    # Cut-outs and masks
    "wholly transparent": bad("fg/a.png", Image.new("RGBA", (8, 8)), "wholly transparent"),
    "opaque, no mask": bad("fg/a.png", PHOTO, "no transparency and no mask"),
    "alpha of 255, no mask": bad(
        "fg/a.png", Image.new("RGBA", (8, 8), "red"), "no transparency and no mask"
    ),
    "opaque with mask": used(both(put("fg/a.png", PHOTO), put("fg_mask/a.png", grey(0, 255))), "a"),
    "larger than the background": used(put("fg/a.png", CUT_OUT.resize((200, 160))), "a"),
    "mask of another size": Case(
        both(put("fg/a.png", PHOTO), put("fg_mask/a.png", Image.new("L", (9, 9), 255))),
        refused={"fg_mask/a.png": "a mask needs the size of its cut-out"},
    ),
    "mask of nothing but black": Case(
        both(put("fg/a.png", PHOTO), put("fg_mask/a.png", grey(0))),
        refused={"fg_mask/a.png": "wholly transparent or black"},
    ),
    "mask of classes": Case(
        both(put("fg/a.png", PHOTO), put("fg_mask/a.png", grey(0, 1, 2))),
        refused={"fg_mask/a.png": "its greys 0, 1, 2 are most likely class or object numbers"},
    ),
    "mask that is faint everywhere": Case(
        both(put("fg/a.png", PHOTO), put("fg_mask/a.png", Image.merge("LA", [grey(9)] * 2))),
        refused={"fg_mask/a.png": "nearly transparent, 9 of 255 at most"},
    ),
    "faint everywhere": bad(
        "fg/a.png", Image.new("RGBA", (8, 8), (9, 9, 9, 1)), "nearly transparent, 1 of 255 at most"
    ),
    "mask that is cut": Case(
        both(put("fg/a.png", PHOTO), put("fg_mask/a.png", cut("PNG", 0.5))),
        refused={"fg_mask/a.png": UNDECODABLE},
    ),
    "mask of no cut-out": bad("fg_mask/a.png", grey(0, 255), "no picture of that name in fg/"),
    "mask beside alpha, of any size": used(
        both(put("fg/a.png", CUT_OUT), put("fg_mask/a.png", Image.new("L", (9, 9)))), "a"
    ),
    # Depth: a background never goes on without the depth that was meant for it.
    "depth of another aspect": Case(
        both(put("bg/a.png", PHOTO), put("bg_depth/a.png", deep(48, 48))),
        refused={"bg_depth/a.png": "has another aspect than its picture"},
    ),
    "depth of 8 bits": Case(
        both(put("bg/a.png", PHOTO), put("bg_depth/a.png", grey(9))),
        refused={"bg_depth/a.png": "has to be a 16-bit grey PNG"},
    ),
    "depth of no background": bad("bg_depth/a.png", deep(48, 64), "no picture of that name in bg/"),
    "depth of half the size": used(
        both(put("bg/a.png", PHOTO), put("bg_depth/a.png", deep(24, 32))), "a"
    ),
    "depth of a picture that is cut": Case(
        both(put("bg/a.png", cut("PNG", 0.5)), put("bg_depth/a.png", deep(48, 64))),
        refused={"bg/a.png": UNDECODABLE},
    ),
    # Names
    "the same content twice": used(both(put("bg/a.png", PHOTO), put("bg/b.png", PHOTO)), "a", "b"),
    "one name in bg and fg": used(both(put("bg/a.png", PHOTO), put("fg/a.png", CUT_OUT)), "a"),
    "one name twice": Case(
        both(put("bg/a.png", PHOTO), put("bg/a.jpg", PHOTO)),
        refused={"bg/a.png": "a.jpg has the same name;", "bg/a.jpg": "a.png has the same name;"},
    ),
    "names that differ in case": Case(
        put("fg/CUP.png", CUT_OUT),
        refused={"fg/CUP.png": "cup.png has the same name but", "fg/cup.png": "CUP.png has"},
        loses=("cup",),
    ),
    "names that differ in the spelling of ü": Case(
        both(put("bg/Blüte.png", PHOTO), put(f"bg/{NFD}.png", PHOTO)),
        refused={"bg/Blüte.png": "the same name but", f"bg/{NFD}.png": "the same name but"},
    ),
    "name that is not UTF-8": Case(
        put(os.fsdecode(b"bg/caf\xe9.png"), data(PHOTO, "PNG")),
        refused={"bg/caf\\xe9.png": "not UTF-8 text"},
    ),
    "name with a line break": Case(
        put("bg/a\nb.png", PHOTO), refused={"bg/a\\nb.png": "not UTF-8 text"}
    ),
    "name with a separator of lines": Case(
        put("bg/a\u2028b.png", PHOTO),
        refused={"bg/a\\u2028b.png": "not seen, U+2028 (line separator); rename it"},
    ),
    "name that turns the direction": Case(
        put("fg/a\u202egnp.png", CUT_OUT), refused={"fg/a\\u202egnp.png": "U+202E (right-to-left"}
    ),
    "name with a joiner": Case(
        put("fg/\U0001f469\u200d\U0001f680.png", CUT_OUT),
        refused={"fg/\U0001f469\\u200d\U0001f680.png": "U+200D (zero width joiner); rename it"},
    ),
    "name of a screenshot of macOS": used(
        put("bg/at 9.41.00\u202fAM.png", PHOTO), "at 9.41.00\u202fAM"
    ),
    "name with spaces": used(put("bg/my room 1.png", PHOTO), "my room 1"),
    "name with dots": used(put("bg/a.tar.v2.png", PHOTO), "a.tar.v2"),
    "name in Chinese, with an emoji": used(put("fg/杯子🙂.png", CUT_OUT), "杯子🙂"),
    "suffix in capitals": used(put("bg/a.PNG", data(PHOTO, "PNG")), "a"),
    "hidden file": unused("bg/._a.png", b"resource fork", "hidden, or made by the system"),
    "other suffix": unused("bg/notes.txt", b"hello", ".txt; not a picture"),
    # Links and what is no file
    "link within the folder": used(link("bg/a.png", "bg/room0.png"), "a"),
    "link out of the folder": Case(outside, refused={"bg/out.png": "a link out of source.root"}),
    "folder that is a link out of it": Case(
        linked_folder,
        refused={"bg_depth/room1.png": "a link out of source.root"},
        loses=("room1",),
    ),
    "link to nothing": Case(link("bg/a.png", "bg/none.png"), refused={"bg/a.png": "leads nowhere"}),
    "link to itself": Case(link("bg/a.png", "bg/a.png"), refused={"bg/a.png": "leads nowhere"}),
    "ring of links": Case(
        both(link("bg/a.png", "bg/b.png"), link("bg/b.png", "bg/a.png")),
        refused={"bg/a.png": "leads nowhere", "bg/b.png": "leads nowhere"},
    ),
    "folder named .png": Case(
        lambda root: (root / "bg" / "a.png").mkdir(), refused={"bg/a.png": "not a regular file"}
    ),
    "pipe named .png": Case(
        lambda root: os.mkfifo(root / "bg" / "a.png"), refused={"bg/a.png": "not a regular file"}
    ),
    "pipe for a mask": Case(
        pipe_for_a_mask,
        refused={"fg_mask/cup.png": "not a regular file"},
        loses=("cup",),
    ),
}


def interlaced(path: Path) -> None:
    """Adam7: seven passes, https://www.w3.org/TR/png-3/#8InterlaceMethods; Pillow writes none."""
    height, width = 48, 64
    passes = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2),
              (1, 0, 2, 1))  # fmt: skip
    rows = b"".join(
        b"\0" + row.tobytes()
        for top, left, down, right in passes
        for row in NOISE[top:height:down, left:width:right]
    )

    def chunk(kind: bytes, content: bytes) -> bytes:
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 1)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    )  # fmt: skip


BASE = {"bg": {"room0", "room1", "room2"}, "fg": {"cup", "vase"}}


def assets(root: Path, mode: OnBadAsset) -> Assets:
    return Assets(root=str(root), on_bad_asset=mode)


def keys(catalogue: AssetCatalogue) -> set[str]:
    return {*catalogue.backgrounds, *catalogue.foregrounds}


def test_the_corpus_is_large() -> None:
    assert len(TABLE) >= 40


@pytest.fixture(params=TABLE, ids=lambda name: name.replace(" ", "-"))
def case(request: pytest.FixtureRequest, assets_root: Path) -> Case:
    case = TABLE[request.param]
    case.make(assets_root)
    return case


def test_fail(case: Case, assets_root: Path) -> None:
    source = assets(assets_root, OnBadAsset.fail)
    if case.refused is None:
        catalogue = source.check(SIZE)
        assert {one.file: one.reason for one in catalogue.left_out} == case.unused
        assert keys(catalogue) == {*BASE["bg"], *BASE["fg"], *case.used}
        return
    with pytest.raises(UsageError) as caught:
        source.check(SIZE)
    text = str(caught.value)
    first = min(case.refused)
    assert text.startswith(f"{assets_root}/{first}: ")
    assert case.refused[first] in text
    lines = text.split("\n")
    assert all(line.isprintable() for line in lines)
    more = len(case.refused) - 1
    assert len(lines) == 1 + more
    assert (f"; {more} more:" in lines[0]) == (more > 0)
    assert all(any(reason in line for line in lines) for reason in case.refused.values())


@pytest.mark.parametrize("mode", [OnBadAsset.skip, OnBadAsset.quarantine])
def test_leaving_out(case: Case, mode: OnBadAsset, assets_root: Path, tmp_path: Path) -> None:
    source = assets(assets_root, mode)
    catalogue = source.check(SIZE)
    expected = case.refused or {}
    assert {one.file for one in catalogue.left_out} == expected.keys() | case.unused.keys()
    for one in catalogue.left_out:
        assert (expected | case.unused)[one.file] in one.reason
    # What is left is whole, also in a worker.
    worker = pickle.loads(pickle.dumps(source))
    assert keys(catalogue) == {*BASE["bg"], *BASE["fg"], *case.used} - set(case.loses)
    for key in catalogue.backgrounds:
        assert worker.background(key, SIZE).image.shape == (*SIZE, 3)
    for key in catalogue.foregrounds:
        assert worker.foreground(key, SIZE).rgba[..., 3].any()
    # Asked again, the answer is the same.
    assert source.check(SIZE) == catalogue
    before = sorted(assets_root.rglob("*"))
    quarantine(location(tmp_path / "out"), catalogue.left_out)
    assert sorted(assets_root.rglob("*")) == before
    kept = list((tmp_path / "out").rglob("*.txt"))
    assert bool(kept) == (mode is OnBadAsset.quarantine and bool(expected))


def test_the_digest_is_that_of_what_is_used(case: Case, assets_root: Path, tmp_path: Path) -> None:
    digest = assets(assets_root, OnBadAsset.skip).check(SIZE).digest
    clean = tmp_path / "clean" / "assets"
    for folder, names in BASE.items():
        (clean / folder).mkdir(parents=True)
        for name in names - set(case.loses):
            shutil.copy(assets_root / folder / f"{name}.png", clean / folder)
    assert (assets(clean, OnBadAsset.fail).check(SIZE).digest == digest) == (not case.used)


def test_files_that_may_not_be_read(assets_root: Path) -> None:
    unreadable(assets_root)
    source = assets(assets_root, OnBadAsset.skip)
    left_out = source.check(SIZE).left_out
    if os.access(assets_root / "bg" / "locked.png", os.R_OK):
        assert left_out == ()
        return
    assert [(one.file, one.reason) for one in left_out] == [
        ("bg/locked.png", "Permission denied; its owner must give this user the right to it")
    ]


@pytest.mark.parametrize("code", [errno.EMFILE, errno.EIO])
def test_what_the_machine_lacks_is_no_fault_of_a_file(
    assets_root: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """It would be left out, and the next run would make another dataset."""
    read = Path.read_bytes

    def refused(path: Path) -> bytes:
        if path.name == "room1.png":
            raise OSError(code, os.strerror(code))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", refused)
    with pytest.raises(MachineError, match=rf"bg/room1\.png: {os.strerror(code)}; "):
        assets(assets_root, OnBadAsset.skip).check(SIZE)


@pytest.mark.parametrize("folder", ["bg", "fg"])
def test_nothing_is_left(assets_root: Path, folder: str) -> None:
    for path in (assets_root / folder).iterdir():
        path.write_bytes(b"hello")
    with pytest.raises(UsageError) as caught:
        assets(assets_root, OnBadAsset.skip).check(SIZE)
    count = len(BASE[folder])
    assert f"{folder}: none of its pictures can be used: " in str(caught.value)
    lines = str(caught.value).splitlines()
    assert len(lines) == count
    assert lines[0].endswith(f"; {count - 1} more:")
    assert all(
        "not a picture of a format that is read; replace or remove it" in line for line in lines
    )


@pytest.mark.parametrize("can_write", [True, False])
def test_more_than_twenty_faults_are_in_a_file(
    assets_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, can_write: bool
) -> None:
    cache = tmp_path / "cache"
    if not can_write:
        cache.write_text("a file")
    monkeypatch.setenv("DEPTHMASK_CACHE", str(cache))
    for number in range(30):
        (assets_root / "bg" / f"a{number:02d}.jpg").write_bytes(b"hello")
    with pytest.raises(UsageError) as caught:
        assets(assets_root, OnBadAsset.fail).check(SIZE)
    lines = str(caught.value).splitlines()
    assert len(lines) == 21
    assert all(f"a{number:02d}.jpg: not a picture" in lines[number] for number in range(20))
    if not can_write:
        assert lines[-1].startswith("  and 10 more: dataset.json lists all of them with source.on_")
        return
    assert lines[-1] == f"  and 10 more: {cache / 'bad_files.txt'} has all of them"
    written = (cache / "bad_files.txt").read_text().splitlines()
    assert len(written) == 30
    assert all(f"a{number:02d}.jpg: not a picture" in written[number] for number in range(30))


def test_a_row_of_what_is_left_out_is_no_error(assets_root: Path) -> None:
    (assets_root / "fg" / "cup.png").write_bytes(b"hello")
    (assets_root / "assets.csv").write_text("key,label\ncup,Tasse\n")
    assert assets(assets_root, OnBadAsset.skip).check(SIZE).left_out[0].file == "fg/cup.png"


TABLE_WITH_FAULTS = (
    "key,label,height_m,meta\ncup,Tasse,tall,\nvase,Vase,0.3,\nroom1,,,3\n"
    "\nnobody,Wer,,\n../../x,,0,\nroom2,,,{}\n"
)


BAD_ROWS = (
    'line 4: room1: column meta must be a JSON object, such as {"page": 3}',
    "line 6: no picture named nobody",
    "line 7: height_m=0 of ../../x is not a number of metres above 0",
)


def test_bad_rows_end_the_run(assets_root: Path) -> None:
    (assets_root / "assets.csv").write_text(TABLE_WITH_FAULTS)
    with pytest.raises(UsageError) as caught:
        assets(assets_root, OnBadAsset.fail).check(SIZE)
    assert str(caught.value) == (
        f"{assets_root}/assets.csv: line 2: height_m=tall of cup is not a number of metres; "
        "source.on_bad_asset=skip leaves out what cannot be used; 3 more:"
        + "".join(f"\n  {assets_root}/assets.csv: {reason}" for reason in BAD_ROWS)
    )


@pytest.mark.parametrize("mode", [OnBadAsset.skip, OnBadAsset.quarantine])
def test_bad_rows_are_left_out(mode: OnBadAsset, assets_root: Path, tmp_path: Path) -> None:
    (assets_root / "assets.csv").write_text(TABLE_WITH_FAULTS)
    catalogue = assets(assets_root, mode).check(SIZE)
    assert keys(catalogue) == {"room0", "room2", "vase"}
    assert [(one.file, one.reason) for one in catalogue.left_out] == [
        ("assets.csv", "height_m=tall of cup is not a number of metres"),
        ("assets.csv", 'room1: column meta must be a JSON object, such as {"page": 3}'),
        ("assets.csv", "no picture named nobody"),
        ("assets.csv", "height_m=0 of ../../x is not a number of metres above 0"),
        (
            "bg/room1.png",
            "line 4 of assets.csv cannot be used: room1: column meta must be a JSON object, such "
            'as {"page": 3}',
        ),
        (
            "fg/cup.png",
            "line 2 of assets.csv cannot be used: height_m=tall of cup is not a number of metres",
        ),
    ]
    check_contents(catalogue.left_out, "assets")
    quarantine(location(tmp_path / "out"), catalogue.left_out)
    kept = {
        path.relative_to(tmp_path / "out" / "quarantine").as_posix()
        for path in (tmp_path / "out").rglob("*")
        if path.is_file() and path.suffix != ".txt"
    }
    if mode is OnBadAsset.skip:
        assert kept == set()
        return
    rows = {f"assets.csv/{number}.csv" for number in (2, 4, 6, 7)}
    assert kept == {"bg/room1.png", "fg/cup.png", *rows}
    row = tmp_path / "out" / "quarantine" / "assets.csv" / "7.csv"
    assert row.read_text() == "key,label,height_m,meta\n../../x,,0,\n"
    assert row.with_suffix(".csv.txt").read_text().startswith("assets.csv: height_m=0 of ../../x")


def test_a_run_without_its_bad_rows(
    assets_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (assets_root / "assets.csv").write_text(TABLE_WITH_FAULTS)
    words = ["source=assets", f"source.root={assets_root}", f"output={tmp_path / 'out'}",
             "size=[24,32]", "samples=6", "+preset=pairs", "shard_size=2", "runner.workers=2",
             "source.on_bad_asset=quarantine"]  # fmt: skip
    assert main(words) == 0
    shown = capsys.readouterr().err
    assert "\nleft out  6 files: assets.csv: height_m=tall of cup is not a number" in shown
    dataset = depthmask.open(tmp_path / "out")
    assert {layer["label"] for one in dataset for layer in one.meta["layers"]} == {"Vase"}
    assert len(list((tmp_path / "out" / "quarantine" / "assets.csv").iterdir())) == 8
    assert main(["verify", str(tmp_path / "out")]) == 0


BROKEN = [
    name
    for name, case in TABLE.items()
    if case.refused and not case.loses and name not in ("ring of links", "one name twice")
]


@pytest.fixture
def many(assets_root: Path, tmp_path: Path) -> Path:
    """All refused cases in one folder, each under names of its own."""
    for number, name in enumerate(BROKEN):
        alone = tmp_path / f"case{number}" / "assets"
        for folder in BASE:
            (alone / folder).mkdir(parents=True)
        TABLE[name].make(alone)
        for path in alone.rglob("*.*"):
            folder, file = path.relative_to(alone).parts
            (assets_root / folder).mkdir(exist_ok=True)
            path.rename(assets_root / folder / f"{number:02d}{file}")
    return assets_root


@pytest.mark.parametrize("mode", ["skip", "quarantine"])
def test_a_run_has_no_holes(
    many: Path, tmp_path: Path, mode: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    words = ["source=assets", f"source.root={many}", f"output={out}", "size=[24,32]", "samples=30",
             "shard_size=8", "runner.workers=2", "+preset=pairs"]  # fmt: skip
    assert main(words) == 2
    assert f"; {len(BROKEN)} more:\n" in capsys.readouterr().err
    assert not out.exists()
    assert main([*words, f"source.on_bad_asset={mode}"]) == 0
    shown = " ".join(capsys.readouterr().err.split())
    count = len(BROKEN) + 1
    assert f"left out {count} files: bg/00a.png: cannot be decoded" in shown
    assert f"and {count - 20} more: dataset.json lists all of them" in shown
    dataset = depthmask.open(out)
    assert [sample.meta["index"] for sample in dataset] == list(range(30))
    assert {sample.meta["background"] for sample in dataset} == BASE["bg"]
    left_out = json.loads((out / "dataset.json").read_text())["left_out"]
    assert len(left_out) == count
    assert all(one.keys() == {"file", "reason"} for one in left_out)
    assert main(["verify", str(out)]) == 0
    assert main(["render", str(out), "--index", "7", "--into", str(tmp_path / "one")]) == 0
    copies = {path.name for path in (out / "quarantine").rglob("*") if path.suffix != ".txt"}
    assert ("00a.png" in copies) == (mode == "quarantine")
    assert (many / "bg" / "00a.png").is_file()
    if mode == "quarantine":
        reason = (out / "quarantine" / "bg" / "00a.png.txt").read_text()
        assert reason.startswith("bg/00a.png: cannot be decoded")


def test_another_set_of_assets_is_another_plan(
    assets_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["source=assets", f"source.root={assets_root}", f"output={tmp_path / 'out'}",
             "size=[24,32]", "samples=3", "+preset=pairs", "source.on_bad_asset=skip"]  # fmt: skip
    assert main(words) == 0
    (assets_root / "bg" / "room1.png").write_bytes(b"hello")
    assert main(words) == 2
    assert "holds another dataset: assets: bg/room1.png gone; choose" in capsys.readouterr().err
