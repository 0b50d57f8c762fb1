"""HEIC and AVIF, which only some installations read, and damaged files of all formats."""

from __future__ import annotations

import io
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from depthmask.errors import UsageError
from depthmask.stages.source import _colours as colours
from depthmask.stages.source import _formats as formats
from depthmask.stages.source import _images as images
from depthmask.stages.source import _looks
from depthmask.stages.source._folder import AssetError
from depthmask.stages.source.assets import Assets

SIZE = (32, 48)
UPRIGHT = np.zeros((32, 48, 3), np.uint8)
UPRIGHT[:16, :24] = (255, 0, 0)
UPRIGHT[:16, 24:] = (0, 255, 0)
UPRIGHT[16:, :24] = (0, 0, 255)
STORED = {1: UPRIGHT, 3: UPRIGHT[::-1, ::-1], 6: np.rot90(UPRIGHT), 8: np.rot90(UPRIGHT, -1)}
"""EXIF orientation -> how the pixels lie in the file."""


def heic(image: Image.Image, orientation: int = 1) -> bytes:
    pillow_heif = pytest.importorskip("pillow_heif")
    pillow_heif.register_heif_opener()
    exif = Image.Exif()
    exif[274] = orientation
    file = io.BytesIO()
    image.save(file, "HEIF", quality=95, exif=exif.tobytes())
    return file.getvalue()


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("name", ["x.heic", "x.HEIC", "x.heif", "x.jpg"])
def test_heic_stands_upright(assets_root: Path, name: str, orientation: int) -> None:
    pixels = np.ascontiguousarray(STORED[orientation])
    (assets_root / "bg" / name).write_bytes(heic(Image.fromarray(pixels), orientation))
    source = Assets(root=str(assets_root))
    assert "x" in source.check(SIZE).backgrounds
    seen = source.background("x", SIZE).image.astype(int)
    for y, x in ((8, 12), (8, 36), (24, 12), (24, 36)):
        assert np.abs(seen[y, x] - UPRIGHT[y, x]).max() < 25


def test_heic_with_transparency(assets_root: Path) -> None:
    image = Image.fromarray(np.dstack([UPRIGHT, UPRIGHT.max(axis=2)]))
    (assets_root / "fg" / "x.heic").write_bytes(heic(image))
    cut_out = Assets(root=str(assets_root), foreground_scale=None).foreground("x", SIZE)
    assert cut_out.rgba[24, 36, 3] < 20
    assert cut_out.rgba[8, 12, 3] > 235


def test_damaged_heic(assets_root: Path) -> None:
    (assets_root / "bg" / "x.heic").write_bytes(heic(Image.fromarray(UPRIGHT))[:-80])
    with pytest.raises(UsageError, match=r"bg/x.heic: cannot be decoded"):
        Assets(root=str(assets_root)).check(SIZE)


@pytest.mark.parametrize(
    ("suffix", "brand", "reason"),
    [
        ("HEIC", b"heic", "HEIC; install depthmask[heic] with pip to read it, or save as JPEG"),
        ("avif", b"avif", "AVIF; install a Pillow with AVIF to read it, or save as JPEG or PNG"),
    ],
)
def test_what_this_installation_does_not_read(
    assets_root: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, brand: bytes, reason: str
) -> None:
    """A file of that name is not used, which a run counts; under another name it is bad."""
    monkeypatch.setattr(formats, "is_readable", lambda name: name not in ("HEIC", "AVIF"))
    (assets_root / "bg" / f"x.{suffix}").write_bytes(b"")
    (left_out,) = Assets(root=str(assets_root)).check(SIZE).left_out
    assert left_out.file == f"bg/x.{suffix}"
    assert left_out.reason.startswith(reason)
    (assets_root / "bg" / "y.jpg").write_bytes(b"\0\0\0\x18ftyp" + brand + bytes(12))
    with pytest.raises(UsageError) as caught:
        Assets(root=str(assets_root)).check(SIZE)
    assert f"bg/y.jpg: not a picture of a format that is read but {reason}" in str(caught.value)


def seeds() -> list[bytes]:
    """Small files of the formats whose decoders raise more than Pillow's own."""
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8))
    kinds: list[tuple[str, dict[str, Any]]] = [
        ("TIFF", {}), ("TIFF", {"compression": "tiff_lzw"}), ("TIFF", {"compression": "jpeg"}),
        ("TIFF", {"compression": "tiff_deflate"}), ("BMP", {}), ("GIF", {}), ("AVIF", {}),
    ]  # fmt: skip
    files = []
    for form, save in kinds:
        file = io.BytesIO()
        image.save(file, form, **save)
        files.append(file.getvalue())
    return files


@pytest.mark.parametrize("number", range(7))
def test_damaged_files_are_refused_or_read(number: int, assets_root: Path) -> None:
    """No exception but `AssetError`, and no warning, for 300 mutations of a file."""
    rng = random.Random(number)
    good = seeds()[number]
    texts: list[str] = []
    for _ in range(300):
        data = bytearray(good)
        for _ in range(rng.choice((1, 2, 8))):
            data[rng.randrange(min(len(data), rng.choice((60, 400, 9999))))] = rng.choice(
                (0, 1, 127, 255, rng.randrange(256))
            )
        if rng.random() < 0.3:
            del data[rng.randrange(20, len(data)) :]
        try:
            picture = images.load_for(Path("x"), bytes(data), (16, 16))
            assert colours.resize_picture(picture, (16, 16)).shape == (16, 16, 3)
        except AssetError as error:
            texts.append(str(error))
    assert len(texts) > 30
    assert not [text for text in texts if "\n" in text]


def test_a_side_that_nothing_can_resize(assets_root: Path) -> None:
    Image.new("1", (65_536, 2)).save(assets_root / "bg" / "x.png")
    with pytest.raises(UsageError, match=r"x.png: 65536x2 has a side of over 65,535 pixels"):
        Assets(root=str(assets_root)).check(SIZE)


def test_avif_whose_first_brand_is_common(assets_root: Path) -> None:
    file = io.BytesIO()
    Image.fromarray(UPRIGHT).save(file, "AVIF", quality=95)
    data = file.getvalue()
    assert formats.format_of(data) == "AVIF"
    assert formats.format_of(data[:8] + b"mif1" + data[12:]) == "AVIF"
    assert formats.format_of(b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic") == "HEIC"


def test_files_are_looked_at_anew_where_more_formats_are_read(
    assets_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was refused for want of a package is not refused for ever."""
    path = assets_root / "bg" / "y.jpg"
    file = io.BytesIO()
    Image.fromarray(UPRIGHT).save(file, "AVIF", quality=95)
    path.write_bytes(file.getvalue())
    # Looks at files that have just changed are not kept.
    monkeypatch.setattr(_looks, "_SETTLED_NS", -(10**18))
    with monkeypatch.context() as patch:
        patch.setattr(formats, "is_readable", lambda name: name not in ("HEIC", "AVIF"))
        with pytest.raises(UsageError, match=r"but AVIF; install a Pillow with AVIF"):
            Assets(root=str(assets_root)).check(SIZE)
    assert "y" in Assets(root=str(assets_root)).check(SIZE).backgrounds
