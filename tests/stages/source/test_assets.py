"""One's own photographs and cut-outs: all that comes in, and one clear line for what cannot."""

from __future__ import annotations

import errno
import io
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from depthmask.data import AssetFiles, Camera
from depthmask.errors import SettingError, UsageError
from depthmask.stages.source import _images
from depthmask.stages.source.assets import Assets
from depthmask.storage.local import LocalPath
from tests.support.paths import SHARED

SIZE = (160, 160)
SEED_ASSETS = SHARED / "seed-assets"


def assets(root: Path, **settings: Any) -> Assets:
    return Assets(root=str(root), **settings)


def slope(height: int, width: int) -> np.ndarray:
    """Smooth RGB: red grows downwards, green to the right."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [y * 255 // max(1, height - 1), x * 255 // max(1, width - 1), np.full_like(y, 60)]
    return np.stack(planes, axis=-1).astype(np.uint8)


def background(root: Path, name: str, image: Image.Image, **save: Any) -> Path:
    path = root / "bg" / name
    image.save(path, **save)
    return path


def foreground(root: Path, name: str, image: Image.Image, **save: Any) -> Path:
    path = root / "fg" / name
    image.save(path, **save)
    return path


def refused(root: Path, *parts: str, size: tuple[int, int] = SIZE) -> str:
    """What `check` says: a line, and others below it if more is wrong; it holds these parts."""
    with pytest.raises(UsageError) as caught:
        assets(root).check(size)
    text = str(caught.value)
    assert all(line.startswith("  ") for line in text.splitlines()[1:])
    for part in parts:
        assert part in text
    return text


# Backgrounds


def test_keys_are_the_names_in_order(assets_root: Path) -> None:
    (assets_root / "bg" / "notes.txt").write_text("no picture")
    (assets_root / "bg" / ".hidden.png").write_bytes(b"no picture")
    (assets_root / "bg" / "room1.png").rename(assets_root / "bg" / "ROOM.PNG")
    source = assets(assets_root)
    assert source.backgrounds() == ("ROOM", "room0", "room2")
    assert source.foregrounds() == ("cup", "vase")
    source.check(SIZE)


@pytest.mark.parametrize(
    ("size", "box"),
    [
        ((20, 20), (slice(None), slice(10, 30))),  # wide picture, square canvas
        ((10, 40), (slice(5, 15), slice(None))),
        ((20, 40), (slice(None), slice(None))),
    ],
)
def test_backgrounds_are_cropped_at_the_centre(
    assets_root: Path, size: tuple[int, int], box: tuple[slice, slice]
) -> None:
    picture = slope(20, 40)
    background(assets_root, "wide.png", Image.fromarray(picture))
    found = assets(assets_root).background("wide", size).image
    assert np.array_equal(found, picture[box])


def test_backgrounds_are_resized_by_lanczos(assets_root: Path) -> None:
    picture = Image.fromarray(slope(30, 60))
    background(assets_root, "wide.png", picture)
    found = assets(assets_root).background("wide", (12, 16))
    # 30x60 at 3:4 is 30x40, from column 10 on.
    expected = picture.crop((10, 0, 50, 30)).resize((16, 12), Image.Resampling.LANCZOS)
    assert found.image.dtype == np.uint8
    assert np.abs(found.image.astype(int) - np.asarray(expected)).max() <= 12
    assert np.median(np.abs(found.image.astype(int) - np.asarray(expected))) <= 1
    assert (found.depth_m, found.camera, found.plane) == (None, None, None)


@pytest.mark.parametrize(
    ("suffix", "save"),
    [
        (".jpg", {"quality": 95}),
        (".jpeg", {"quality": 95, "progressive": True}),
        (".png", {}),
        (".webp", {"lossless": True}),
    ],
)
def test_picture_formats(assets_root: Path, suffix: str, save: dict[str, Any]) -> None:
    background(assets_root, f"photo{suffix}", Image.fromarray(slope(32, 32)), **save)
    found = assets(assets_root).background("photo", (32, 32)).image.astype(int)
    assert np.abs(found - slope(32, 32)).max() <= (8 if suffix.startswith(".j") else 0)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_pictures_stand_upright_by_their_exif(
    assets_root: Path, orientation: int, suffix: str
) -> None:
    upright = np.zeros((32, 48, 3), np.uint8)
    upright[:16, :24] = (255, 0, 0)
    upright[:16, 24:] = (0, 255, 0)
    upright[16:, :24] = (0, 0, 255)
    # How the pixels lie in the file; https://www.exif.org/Exif2-2.PDF, tag 274.
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: np.swapaxes(upright, 0, 1),
        6: np.rot90(upright),
        7: np.swapaxes(upright[::-1, ::-1], 0, 1),
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[274] = orientation
    image = Image.fromarray(np.ascontiguousarray(stored))
    background(assets_root, f"photo{suffix}", image, exif=exif)
    found = assets(assets_root).background("photo", (32, 48)).image
    corners = found[8, 12], found[8, 36], found[24, 12], found[24, 36]
    expected = (255, 0, 0), (0, 255, 0), (0, 0, 255), (0, 0, 0)
    for corner, colour in zip(corners, expected, strict=True):
        assert np.abs(corner.astype(int) - colour).max() < 20


def test_modes_of_backgrounds(assets_root: Path) -> None:
    grey = np.arange(64, dtype=np.uint8).reshape(8, 8) * 3
    rgb = Image.fromarray(slope(8, 8))
    red = Image.new("RGB", (8, 8), (255, 0, 0))
    alpha = Image.fromarray(grey)
    la = Image.merge("LA", (alpha, alpha))
    rgba = rgb.copy()
    rgba.putalpha(alpha)
    palette = red.quantize(4)
    pictures: dict[str, tuple[Image.Image, dict[str, Any], np.ndarray]] = {
        "grey.png": (alpha, {}, np.repeat(grey[..., None], 3, axis=2)),
        "deep.png": (
            Image.fromarray(grey.astype(np.uint16) * 256 + 255),
            {},
            np.repeat(grey[..., None], 3, axis=2),
        ),
        "la.png": (la, {}, np.repeat(grey[..., None], 3, axis=2)),
        "rgba.png": (rgba, {}, slope(8, 8)),
        "bit.png": (
            Image.fromarray(grey > 90),
            {},
            np.repeat(((grey > 90) * 255)[..., None], 3, 2),
        ),
        "palette.png": (palette, {}, np.asarray(red)),
        "holes.png": (palette, {"transparency": bytes([0, 128])}, np.asarray(red)),
        "trns.png": (red, {"transparency": (255, 0, 0)}, np.asarray(red)),
        "cmyk.jpg": (Image.new("CMYK", (8, 8), (0, 255, 255, 0)), {"quality": 95}, np.asarray(red)),
    }
    for name, (image, save, _) in pictures.items():
        background(assets_root, name, image, **save)
    source = assets(assets_root)
    for name, (_, _, expected) in pictures.items():
        found = source.background(Path(name).stem, (8, 8)).image
        assert found.shape == (8, 8, 3), name
        assert np.abs(found.astype(int) - expected).max() <= (3 if name == "cmyk.jpg" else 0), name


# Cut-outs


def cut_out(height: int, width: int, *, margin: int = 0) -> Image.Image:
    """An opaque block with a clear margin around it."""
    pixels = np.zeros((height + 2 * margin, width + 2 * margin, 4), np.uint8)
    pixels[margin : margin + height, margin : margin + width] = (10, 200, 30, 255)
    if margin == 0:
        pixels[0, 0, 3] = 0
    return Image.fromarray(pixels)


@pytest.mark.parametrize(
    ("shape", "canvas", "expected"),
    [
        ((60, 30), (160, 160), (150, 75)),
        ((30, 60), (160, 160), (75, 150)),
        ((300, 600), (160, 160), (75, 150)),
        ((60, 30), (160, 320), (150, 75)),
        ((60, 30), (32, 16), (15, 8)),
        ((500, 1), (160, 160), (150, 1)),
    ],
)
def test_the_long_side_is_150_of_160(
    assets_root: Path, shape: tuple[int, int], canvas: tuple[int, int], expected: tuple[int, int]
) -> None:
    foreground(assets_root, "block.png", cut_out(*shape, margin=7))
    found = assets(assets_root).foreground("block", canvas)
    assert found.size == expected
    assert found.rgba.dtype == np.uint8
    assert found.rgba[expected[0] // 2, expected[1] // 2].tolist() == [10, 200, 30, 255]
    assert (found.key, found.label, found.height_m) == ("block", "foreground", None)


def test_a_cut_out_is_trimmed_to_its_alpha(assets_root: Path) -> None:
    foreground(assets_root, "block.png", cut_out(30, 15, margin=9))
    found = assets(assets_root, foreground_scale=0.75).foreground("block", (40, 40))
    assert found.size == (30, 15)
    assert (found.rgba == (10, 200, 30, 255)).all()


def test_without_a_scale_cut_outs_stay_as_they_are(assets_root: Path) -> None:
    picture = cut_out(200, 20, margin=4)
    foreground(assets_root, "block.png", picture)
    found = assets(assets_root, foreground_scale=None).foreground("block", SIZE)
    assert np.array_equal(found.rgba, np.asarray(picture))


@pytest.mark.parametrize("scale", [0.0, -1.0, 4.5])
def test_the_scale_has_a_range(assets_root: Path, scale: float) -> None:
    with pytest.raises(SettingError, match="foreground_scale"):
        assets(assets_root, foreground_scale=scale)


def test_modes_of_cut_outs(assets_root: Path) -> None:
    half = np.zeros((8, 8), np.uint8)
    half[:, :4] = 255
    alpha = Image.fromarray(half)
    grey = Image.new("L", (8, 8), 77)
    red = Image.new("RGB", (8, 8), (255, 0, 0))
    two = Image.fromarray(np.where(half[..., None] > 0, (255, 0, 0), (0, 0, 9)).astype(np.uint8))
    rgba = red.copy()
    rgba.putalpha(alpha)
    palette = two.quantize(4)
    clear = int(np.asarray(palette)[0, 7])
    foreground(assets_root, "la.png", Image.merge("LA", (grey, alpha)))
    foreground(assets_root, "palette.png", palette, transparency=clear)
    foreground(
        assets_root,
        "bytes.png",
        palette,
        transparency=bytes(0 if i == clear else 255 for i in range(4)),
    )
    foreground(assets_root, "trns.png", two, transparency=(0, 0, 9))
    foreground(assets_root, "rgba.webp", rgba, lossless=True)
    source = assets(assets_root, foreground_scale=None)
    for name, colour in (
        ("la", (77, 77, 77)),
        ("palette", (255, 0, 0)),
        ("bytes", (255, 0, 0)),
        ("trns", (255, 0, 0)),
        ("rgba", (255, 0, 0)),
    ):
        found = source.foreground(name, (8, 8)).rgba
        assert np.array_equal(found[..., 3], half), name
        assert (found[:, :4, :3] == colour).all(), name
    source.check(SIZE)


@pytest.mark.parametrize("kind", ["L", "RGB", "P", "deep", "1", "bytes"])
def test_the_mask_may_lie_in_fg_mask(assets_root: Path, kind: str) -> None:
    grey = np.zeros((8, 8), np.uint8)
    grey[2:6, 1:7] = 255
    mask = Image.fromarray(grey)
    stored = {
        "L": mask,
        "RGB": mask.convert("RGB"),
        "P": mask.convert("RGB").quantize(2),
        "bytes": mask.convert("RGB").quantize(2),
        "1": mask.convert("1"),
        "deep": Image.fromarray(grey.astype(np.uint16) * 257),
    }[kind]
    (assets_root / "fg_mask").mkdir()
    save: dict[str, Any] = {"transparency": bytes([255, 254])} if kind == "bytes" else {}
    stored.save(assets_root / "fg_mask" / "jug.png", **save)
    foreground(assets_root, "jug.jpg", Image.new("RGB", (8, 8), (90, 60, 30)), quality=95)
    source = assets(assets_root, foreground_scale=None)
    source.check(SIZE)
    found = source.foreground("jug", (8, 8)).rgba
    assert np.array_equal(found[..., 3], grey)
    assert np.abs(found[..., :3].astype(int) - (90, 60, 30)).max() <= 3
    trimmed = assets(assets_root, foreground_scale=1.0).foreground("jug", (6, 6))
    assert trimmed.size == (4, 6)


def test_alpha_that_is_solid_everywhere_is_no_mask(assets_root: Path) -> None:
    foreground(assets_root, "jug.png", Image.new("RGBA", (8, 8), (9, 9, 9, 255)))
    refused(assets_root, "fg/jug.png: no transparency and no mask", "add fg_mask/jug.png")


def test_files_in_use_are_counted_by_kind(assets_root: Path) -> None:
    foreground(assets_root, "solid.png", Image.new("RGB", (6, 5), "red"))
    (assets_root / "fg_mask").mkdir()
    needed = Image.new("L", (6, 5))
    needed.putpixel((2, 2), 255)
    needed.save(assets_root / "fg_mask" / "solid.png")
    Image.new("L", (8, 10), 255).save(assets_root / "fg_mask" / "cup.png")

    def size(pattern: str) -> int:
        return sum(path.stat().st_size for path in assets_root.glob(pattern))

    assert assets(assets_root).check(SIZE).files == {
        "backgrounds": AssetFiles(3, size("bg/*")),
        "foregrounds": AssetFiles(3, size("fg/*")),
        # The cup has alpha of its own.
        "foreground_masks": AssetFiles(1, size("fg_mask/solid.png")),
    }


def test_a_mask_beside_alpha_is_ignored_and_that_is_said_once(assets_root: Path) -> None:
    (assets_root / "fg_mask").mkdir()
    for name in ("cup", "vase"):
        # Of another size: nobody looks at it.
        Image.new("L", (3, 3), 255).save(assets_root / "fg_mask" / f"{name}.png")
    assert assets(assets_root).check(SIZE).notes == (
        "fg_mask/: 2 masks are not used, their cut-outs have alpha of their own",
        "1 of the foregrounds is a copy of others, and drawn as often: fg/cup.png = fg/vase.png",
    )


@pytest.mark.parametrize("clear", [0, 255, 30_000, 65_535])
def test_16_bits_with_a_transparent_value(assets_root: Path, clear: int) -> None:
    """The upper byte of each grey, and alpha 0 where exactly this value is."""
    grey = np.array([[0, 255, 30_000, 30_001], [65_535, 65_534, 40_000, 1]], np.uint16)
    path = assets_root / "fg" / "cup.png"
    Image.fromarray(grey).save(path, transparency=clear)
    cup = assets(assets_root, foreground_scale=None).foreground("cup", SIZE)
    assert np.array_equal(cup.rgba[..., :3], np.repeat(grey[..., None] >> 8, 3, axis=2))
    assert np.array_equal(cup.rgba[..., 3], np.where(grey == clear, 0, 255))


# assets.csv


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_the_table_gives_label_and_height(assets_root: Path, mark: str) -> None:
    table = f"{mark}key,label,height_m,licence\ncup,Tasse,0.09,CC0\nroom0,,,CC0\n"
    (assets_root / "assets.csv").write_text(table, encoding="utf-8")
    source = assets(assets_root)
    source.check(SIZE)
    cup, vase = (source.foreground(key, SIZE) for key in ("cup", "vase"))
    assert (cup.label, cup.height_m) == ("Tasse", 0.09)
    assert (vase.label, vase.height_m) == ("foreground", None)


def test_the_focal_length_follows_crop_and_scale(assets_root: Path) -> None:
    (assets_root / "assets.csv").write_text("key,f_px\nroom0,500\n")
    Image.new("RGB", (640, 400)).save(assets_root / "bg" / "room0.png")
    source = assets(assets_root)
    # 640x400 is cropped to 400x400 and scaled to 100x100.
    camera = source.background("room0", (100, 100)).camera
    assert camera == Camera(f_px=125.0, cx=50.0, cy=50.0, height_m=0.0, pitch=0.0)
    wide = source.background("room0", (100, 320)).camera
    assert wide is not None
    assert (wide.f_px, wide.cx, wide.cy) == (250.0, 160.0, 50.0)
    assert source.background("room1", (100, 100)).camera is None


def test_the_table_gives_metadata(assets_root: Path) -> None:
    table = (
        "key,owner,meta,meta.caption,meta.row\n"
        'cup,me,"{""page"": 3, ""caption"": ""none""}",eine Tasse,007\n'
        'room0,me,"{""page"": 4}",,\nvase,me,,,\n'
    )
    (assets_root / "assets.csv").write_text(table)
    source = assets(assets_root)
    source.check(SIZE)
    # Columns of their own, which tables always could have, are not carried.
    assert source.foreground("cup", SIZE).meta == {"page": 3, "caption": "eine Tasse", "row": "007"}
    assert source.background("room0", SIZE).meta == {"page": 4}
    assert source.foreground("vase", SIZE).meta is None
    assert source.background("room1", SIZE).meta is None


def test_keypoints_follow_crop_and_scale(assets_root: Path) -> None:
    Image.new("RGB", (640, 400)).save(assets_root / "bg" / "room0.png")
    # The cut-out is 10x8; its visible pixels are rows 2..8, columns 1..6.
    table = (
        "key,meta\n"
        'cup,"{""keypoints"": [[1, 2], [7, 9, 2], [0, 0, 0]]}"\n'
        'room0,"{""keypoints"": {""middle"": [320, 200], ""corner"": [120, 0]}}"\n'
    )
    (assets_root / "assets.csv").write_text(table)
    source = assets(assets_root)
    cup = source.foreground("cup", (32, 32))
    assert cup.size == (30, 26)
    assert cup.meta == {"keypoints": [[0, 0], [26, 30, 2], [0, 0, 0]]}
    whole = assets(assets_root, foreground_scale=None).foreground("cup", (32, 32))
    assert whole.meta == {"keypoints": [[1, 2], [7, 9, 2], [0, 0, 0]]}
    # 640x400 is cropped to 400x400 and scaled to 100x100.
    room = source.background("room0", (100, 100))
    assert room.meta == {"keypoints": {"middle": [50, 50], "corner": [0, 0]}}


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ("label\nTasse\n", "line 1: no column named key in 'label'"),
        ("key,label\ncupp,Tasse\n", "no picture named cupp"),
        ("label,key\nTasse\nx,zzz\n", "line 2: no key; "),
        ("key,height_m\ncup,tall\n", "height_m=tall of cup is not a number of metres"),
        ("key,height_m\ncup,-1\n", "height_m=-1 of cup"),
        ("key,height_m\ncup,nan\n", "height_m=nan of cup"),
        ("key,height_m\ncup,inf\n", "height_m=inf of cup"),
        ("key,f_px\nroom0,wide\n", "f_px=wide of room0 is not a number of pixels"),
        ("key,f_px\nroom0,0\n", "f_px=0 of room0"),
        ('key,licence\ncup,"CC0\nnot"\n', "licence of cup: must be one line"),
        ("key,licence\ncup," + "x" * 201, "licence of cup: must be one line of up to 200"),
        ("key,meta\ncup,page 3\n", "cup: column meta is no JSON"),
        ("key,meta\ncup,3\n", 'cup: column meta must be a JSON object, such as {"page": 3}'),
        ('key,meta\ncup,"{""a"": NaN}"\n', "cup: column meta is no JSON"),
        ("key,meta\ncup," + "[" * 9999, "cup: column meta is no JSON"),
        ("key,meta.caption\ncup," + "x" * 70_000, "cup: meta takes 70,014 bytes as JSON"),
        ("key,meta.keypoints\ncup,3\n", "cup: meta.keypoints must be a list of [x, y]"),
        (b"key,label\ncup,\xe4\n", "cannot be read as UTF-8 CSV"),
        ("key,label\ncup," + "x" * 200_000, "cannot be read as UTF-8 CSV"),
    ],
)
def test_a_bad_table_is_refused(assets_root: Path, table: str | bytes, text: str) -> None:
    data = table if isinstance(table, bytes) else table.encode()
    (assets_root / "assets.csv").write_bytes(data)
    refused(assets_root, "assets.csv: ", text)


# Depth


def save_depth(root: Path, name: str, millimetres: np.ndarray) -> Path:
    (root / "bg_depth").mkdir(exist_ok=True)
    path = root / "bg_depth" / name
    Image.fromarray(millimetres).save(path)
    return path


def test_depth_comes_in_metres_and_invalid_stays_0(assets_root: Path) -> None:
    millimetres = (np.arange(24 * 32, dtype=np.uint16) * 85).reshape(24, 32)
    millimetres[5, 5] = 65535
    save_depth(assets_root, "room1.png", millimetres)
    source = assets(assets_root)
    source.check((24, 32))
    assert [source.has_depth(key) for key in source.backgrounds()] == [False, True, False]
    found = source.background("room1", (24, 32)).depth_m
    assert found is not None
    assert found.dtype == np.float32
    assert np.array_equal(found, millimetres.astype(np.float32) / np.float32(1000))
    assert found[0, 0] == 0


def test_depth_is_cropped_with_its_picture_and_never_mixed(assets_root: Path) -> None:
    millimetres = np.full((48, 64), 1000, np.uint16)
    millimetres[:, 32:] = 9000
    millimetres[10:20, 20:40] = 0
    # Twice the size of its picture.
    save_depth(assets_root, "room1.png", millimetres)
    found = assets(assets_root).background("room1", (16, 16)).depth_m
    assert found is not None
    assert found.shape == (16, 16)
    assert set(np.unique(found)) == {np.float32(0), np.float32(1), np.float32(9)}
    assert (found[15, :8] == 1).all()
    assert (found[15, 8:] == 9).all()


def test_depth_of_another_aspect_is_refused(assets_root: Path) -> None:
    save_depth(assets_root, "room1.png", np.ones((24, 24), np.uint16))
    refused(assets_root, "bg_depth/room1.png: 24x24 has another aspect", "24x32")


def test_depth_of_8_bits_is_refused(assets_root: Path) -> None:
    save_depth(assets_root, "room1.png", np.ones((24, 32), np.uint8))
    refused(assets_root, "bg_depth/room1.png: mode L; depth has to be a 16-bit grey PNG")


# What cannot be used


@pytest.mark.parametrize("method", ["is_dir", "iterdir"])
def test_a_root_that_this_user_cannot_read(
    assets_root: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(LocalPath, method, refuse)
    text = refused(assets_root)
    assert text.endswith(": Permission denied; this user must be able to read source.root")
    assert text.startswith(str(assets_root))


def test_errors_name_the_folder_of_the_root_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name of the root may be a part of any word."""
    monkeypatch.chdir(tmp_path)
    Path("s", "bg").mkdir(parents=True)
    assert refused(Path("s")) == refused(Path("s").absolute()).replace(f"{tmp_path}/", "")
    with pytest.raises(UsageError, match=r"^s/bg: no pictures; put JPEG or PNG files there"):
        Assets(root="./s").check(SIZE)


def test_no_root(tmp_path: Path) -> None:
    refused(tmp_path / "nowhere", "source.root=", "nowhere: no such folder")


@pytest.mark.parametrize("folder", ["bg", "fg"])
def test_a_folder_is_missing_or_empty(assets_root: Path, folder: str) -> None:
    for path in (assets_root / folder).iterdir():
        path.unlink()
    (assets_root / folder / "photo.jp2").write_bytes(b"")
    not_used = "1 file not used: 1 JPEG 2000 (save as JPEG or PNG)"
    refused(assets_root, f"{folder}: no pictures ({not_used}); put JPEG or PNG files there")
    shutil.rmtree(assets_root / folder)
    refused(assets_root, f"{folder}: no such folder; source.root needs bg/ and fg/")


def test_a_home_folder_is_expanded(assets_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(assets_root.parent))
    assert Assets(root="~/assets").backgrounds() == ("room0", "room1", "room2")


def test_a_mask_of_another_size(assets_root: Path) -> None:
    foreground(assets_root, "jug.jpg", Image.new("RGB", (8, 6)))
    (assets_root / "fg_mask").mkdir()
    Image.new("L", (8, 7), 255).save(assets_root / "fg_mask" / "jug.png")
    refused(assets_root, "fg_mask/jug.png: 7x8, but its cut-out jug.jpg is 6x8")


def test_wholly_transparent(assets_root: Path) -> None:
    foreground(assets_root, "ghost.png", Image.new("RGBA", (8, 8)))
    refused(assets_root, "fg/ghost.png: wholly transparent")


def test_two_files_of_one_name(assets_root: Path) -> None:
    background(assets_root, "room1.jpg", Image.new("RGB", (8, 8)))
    refused(assets_root, "bg/room1.jpg: room1.png has the same name; rename one of them")


def encoded(form: str) -> bytes:
    file = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    Image.fromarray(noise).save(file, form)
    return file.getvalue()


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("part", [0.0, 0.02, 0.5, 0.95])
@pytest.mark.parametrize("folder", ["bg", "fg"])
def test_truncated_pictures(assets_root: Path, form: str, part: float, folder: str) -> None:
    data = encoded(form)
    name = f"cut.{form.lower()}"
    (assets_root / folder / name).write_bytes(data[: int(len(data) * part)])
    refused(assets_root, f"{folder}/{name}: ", "replace or remove it")


@pytest.mark.parametrize("content", [b"hello", b"\0" * 1000, b"%PDF-1.7\n"], ids=repr)
def test_not_a_picture(assets_root: Path, content: bytes) -> None:
    (assets_root / "bg" / "odd.png").write_bytes(content)
    refused(assets_root, "bg/odd.png: not a picture of a format that is read")


@pytest.mark.parametrize("form", ["JPEG", "GIF", "BMP", "TIFF"])
def test_a_wrong_suffix_is_no_obstacle(assets_root: Path, form: str) -> None:
    (assets_root / "bg" / "odd.png").write_bytes(encoded(form))
    assert "odd" in assets(assets_root).check(SIZE).backgrounds


def test_a_folder_with_the_name_of_a_picture(assets_root: Path) -> None:
    (assets_root / "bg" / "odd.png").mkdir()
    refused(assets_root, "bg/odd.png: not a regular file")


@pytest.mark.parametrize("side", [10_001, 60_000])
def test_a_pixel_bomb_is_not_decoded(assets_root: Path, side: int) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99))
    (assets_root / "bg" / "bomb.png").write_bytes(data + chunk(b"IEND", b""))
    refused(assets_root, "bg/bomb.png: ", "pixels" if side < 20_000 else "cannot be decoded")


def test_broken_exif_is_one_line(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274], exif[271] = 6, "maker"
    path = tmp_path / "photo.webp"
    Image.new("RGB", (8, 8)).save(path, exif=exif)
    data = bytearray(path.read_bytes())
    rng = np.random.default_rng(0)
    start = data.index(b"EXIF")
    lines = []
    for _ in range(400):
        bad = data.copy()
        for place in rng.integers(start + 8, len(bad), 2):
            bad[place] = rng.integers(0, 256)
        path.write_bytes(bad)
        try:
            _images.load(path)
        except UsageError as error:
            lines.append(str(error))
        except UserWarning:
            # Pillow says that it cannot read the EXIF; no error outside of tests.
            pass
    assert lines
    assert all(line.startswith(f"{path}: ") and "\n" not in line for line in lines)


# The hash


def test_the_hash_changes_with_any_file_and_only_then(assets_root: Path, tmp_path: Path) -> None:
    (assets_root / "assets.csv").write_text("key,label\ncup,Tasse\n")
    save_depth(assets_root, "room1.png", np.ones((24, 32), np.uint16))

    def now(root: Path = assets_root) -> str:
        return assets(root).check((24, 32)).digest

    before = now()
    assert now() == before
    # The canvas, the settings, times of files, and what is no asset do not count.
    assert assets(assets_root, foreground_scale=None).check((8, 8)).digest == before
    (assets_root / "bg" / "room0.png").touch()
    (assets_root / "README.txt").write_text("hello")
    (assets_root / "bg" / "notes.txt").write_text("hello")
    assert now() == before
    copy = shutil.copytree(assets_root, tmp_path / "elsewhere" / "with-another-name")
    assert now(copy) == before
    seen = {before}
    for change in _changes(assets_root):
        change()
        assert now() not in seen
        seen.add(now())


def _changes(root: Path) -> list[Callable[[], object]]:
    return [
        lambda: (root / "bg" / "room0.png").write_bytes((root / "bg" / "room1.png").read_bytes()),
        lambda: (root / "bg" / "room2.png").rename(root / "bg" / "room3.png"),
        lambda: (root / "bg" / "room0.png").unlink(),
        lambda: (root / "fg" / "vase.png").rename(root / "fg" / "vase2.png"),
        lambda: save_depth(root, "room1.png", np.full((24, 32), 2, np.uint16)),
        lambda: (root / "assets.csv").write_text("key,label\ncup,Becher\n"),
        lambda: shutil.copytree(root / "fg", root / "fg_mask"),
    ]


def test_a_second_check_sees_files_that_have_come_and_gone(assets_root: Path) -> None:
    """The pixels are those of the digest, also where the stage has listed its folders before."""
    stage = assets(assets_root)
    first = stage.check(SIZE)
    assert stage.backgrounds() == first.backgrounds
    (assets_root / "bg" / "room0.png").rename(assets_root / "bg" / "room9.png")
    (assets_root / "assets.csv").write_text("key,label\ncup,Becher\n")
    second = stage.check(SIZE)
    assert "room9" in second.backgrounds
    assert stage.backgrounds() == second.backgrounds
    assert stage.background("room9", SIZE).key == "room9"
    assert stage.foreground("cup", SIZE).label == "Becher"


def test_the_same_key_gives_the_same_pixels(assets_root: Path) -> None:
    one, other = assets(assets_root), assets(assets_root)
    for key in one.backgrounds():
        assert np.array_equal(one.background(key, SIZE).image, other.background(key, SIZE).image)
    for key in one.foregrounds():
        assert np.array_equal(one.foreground(key, SIZE).rgba, other.foreground(key, SIZE).rgba)


# The hundred and the hundred of DepthMaskDataset


@pytest.mark.skipif(not SEED_ASSETS.is_dir(), reason=f"no {SEED_ASSETS}")
def test_the_assets_of_depthmaskdataset() -> None:
    source = assets(SEED_ASSETS)
    assert "100 masks are not used" in source.check(SIZE).notes[0]
    assert source.backgrounds() == tuple(f"bg{number:03d}" for number in range(1, 101))
    assert len(source.foregrounds()) == 100
    for key in source.foregrounds():
        found = source.foreground(key, SIZE)
        assert max(found.size) == 150
        assert found.rgba[..., 3].max() > 200
        with Image.open(SEED_ASSETS / "fg" / f"{key}.png") as image:
            alpha = np.asarray(image.getchannel("A"))
        native = assets(SEED_ASSETS, foreground_scale=None).foreground(key, SIZE).rgba
        assert np.array_equal(native[..., 3], alpha)
    assert source.background("bg001", SIZE).image.shape == (160, 160, 3)


def test_copies_in_several_roots_are_named(assets_root: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    for folder in ("bg", "fg"):
        (other / folder).mkdir(parents=True)
    for name, copy in (("bg/room1.png", "bg/a.png"), ("bg/room1.png", "bg/b.png")):
        shutil.copy(assets_root / name, other / copy)
    shutil.copy(assets_root / "fg" / "cup.png", other / "fg" / "mug.png")
    Image.new("RGBA", (8, 8), (1, 2, 3, 99)).save(assets_root / "fg" / "vase.png")
    notes = Assets(root=f"{assets_root}:{other}").check((32, 32)).notes
    assert notes == (
        f"{other}: 1 of the backgrounds is a copy of others, and drawn as often: "
        "bg/a.png = bg/b.png",
        "1 of the backgrounds of several roots is a copy of others, and drawn as often: "
        "bg/room1.png = 2/bg/a.png",
        "1 of the foregrounds of several roots is a copy of others, and drawn as often: "
        "fg/cup.png = 2/fg/mug.png",
    )
