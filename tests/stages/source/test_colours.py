"""Pictures of other colour spaces than sRGB, against the published matrices of these spaces."""

from __future__ import annotations

import io
import random
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

import depthmask
from depthmask.data import UInt8
from depthmask.stages.source import _colours as colours
from depthmask.stages.source import _images as images
from depthmask.stages.source.assets import Assets
from tests.support.profiles import (
    ADOBE_RGB,
    D50,
    DISPLAY_P3,
    SRGB,
    Space,
    cmyk_profile,
    encoded,
    grey_profile,
    in_srgb,
    profile,
    rgb_profile,
    xyz_tag,
)

SPACES = {"Display P3": DISPLAY_P3, "Adobe RGB": ADOBE_RGB}
STEPS = np.arange(0, 256, 51, dtype=np.uint8)
CHART = np.stack(np.meshgrid(STEPS, STEPS, STEPS), axis=-1).reshape(12, 18, 3)
"""Colours [12, 18, 3] all over the space, of which sRGB has not all."""
RAMP = np.arange(0, 256, 5, dtype=np.uint8)[None]
ADOBE = rgb_profile(ADOBE_RGB)
BLACK_AND_WHITE = Image.fromarray(np.array([[0, 0, 255, 255]], np.uint8))


def read(image: Image.Image, name: str = "a.png", **options: Any) -> Image.Image:
    """The picture, through a file of this name."""
    file = io.BytesIO()
    kind = name.rpartition(".")[2].replace("jpg", "jpeg")
    image.save(file, kind, **options)
    return colours.load_picture(Path(name), file.getvalue())


def near(picture: Any, expected: UInt8, tolerance: int = 2) -> bool:
    difference = np.asarray(picture).astype(int) - expected
    return bool(abs(difference).max() <= tolerance)


def same(picture: Image.Image, expected: Image.Image | UInt8) -> bool:
    return np.array_equal(np.asarray(picture), np.asarray(expected))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder of assets with a plain background and cut-out."""
    for name in ("bg", "fg", "fg_mask", "bg_depth"):
        (tmp_path / name).mkdir()
    Image.new("RGB", (16, 16), (9, 9, 9)).save(tmp_path / "bg/b.png")
    cut_out = Image.new("RGBA", (8, 8), (60, 180, 60, 255))
    cut_out.putpixel((0, 0), (60, 180, 60, 0))
    cut_out.save(tmp_path / "fg/f.png", icc_profile=ADOBE)
    return tmp_path


@pytest.mark.parametrize("version", [2, 4])
@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
@pytest.mark.parametrize(
    ("name", "options"), [("a.png", {}), ("a.webp", {"lossless": True, "exact": True})]
)
def test_wide_colours(name: str, options: dict[str, Any], space: Space, version: int) -> None:
    picture = read(Image.fromarray(CHART), name, icc_profile=rgb_profile(space, version), **options)
    expected = in_srgb(CHART, space)
    assert abs(expected.astype(int) - CHART).max() > 100
    assert picture.mode == "RGB"
    assert near(picture, expected)
    assert "icc_profile" not in picture.info


def test_a_profile_in_several_segments_of_a_jpeg() -> None:
    """A segment holds 65,519 bytes of it at most."""
    large = rgb_profile(ADOBE_RGB).ljust(150_000, b"\0")
    image = Image.new("RGB", (16, 16), (60, 180, 60))
    file = io.BytesIO()
    image.save(file, "jpeg", quality=100, subsampling=0, icc_profile=large)
    assert file.getvalue().count(b"ICC_PROFILE\0") == 3
    picture = colours.load_picture(Path("a.jpg"), file.getvalue())
    assert near(picture, in_srgb(np.array([60, 180, 60], np.uint8), ADOBE_RGB))


def test_turned_pictures_are_converted_too() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = read(Image.fromarray(CHART), icc_profile=ADOBE, exif=exif)
    assert near(picture, np.rot90(in_srgb(CHART, ADOBE_RGB), -1))


def test_alpha_stays() -> None:
    alpha = np.arange(12 * 18, dtype=np.uint8).reshape(12, 18)
    picture = read(Image.fromarray(np.dstack([CHART, alpha])), icc_profile=ADOBE)
    assert picture.mode == "RGBA"
    assert same(picture.getchannel("A"), alpha)
    assert near(picture.convert("RGB"), in_srgb(CHART, ADOBE_RGB))


def test_a_transparent_colour_is_that_of_the_file() -> None:
    image = Image.new("RGB", (4, 1), (60, 180, 60))
    image.putpixel((0, 0), (255, 0, 255))
    picture = read(image, icc_profile=ADOBE, transparency=(255, 0, 255))
    assert [*picture.getchannel("A").tobytes()] == [0, 255, 255, 255]
    assert near(picture.convert("RGB"), in_srgb(np.asarray(image), ADOBE_RGB))


@pytest.mark.parametrize("is_transparent", [False, True])
def test_palettes(is_transparent: bool) -> None:
    image = Image.new("P", (3, 1))
    values = [60, 180, 60, 200, 30, 30, 10, 20, 200]
    image.putpalette(values)
    image.putdata([0, 1, 2])
    options: dict[str, Any] = {"transparency": bytes([255, 90, 0])} if is_transparent else {}
    picture = read(image, icc_profile=ADOBE, **options)
    assert picture.mode == ("RGBA" if is_transparent else "RGB")
    if is_transparent:
        assert [*picture.getchannel("A").tobytes()] == [255, 90, 0]
    expected = in_srgb(np.array(values, np.uint8).reshape(1, 3, 3), ADOBE_RGB)
    assert near(picture.convert("RGB"), expected)


@pytest.mark.parametrize("gamma", [1.0, 1.8])
def test_grey(gamma: float) -> None:
    picture = read(Image.fromarray(RAMP), icc_profile=grey_profile(gamma))
    expected = encoded((RAMP / 255) ** gamma)
    assert picture.mode == "RGB"
    assert near(picture, np.repeat(expected[..., None], 3, axis=2))


def test_grey_with_alpha() -> None:
    alpha = RAMP[:, ::-1].copy()
    image = Image.merge("LA", [Image.fromarray(RAMP), Image.fromarray(alpha)])
    picture = read(image, icc_profile=grey_profile(1.0))
    assert same(picture.getchannel("A"), alpha)
    assert near(picture.getchannel("G"), encoded(RAMP / 255))


def test_grey_of_16_bits() -> None:
    """By its upper 8 bits; a transparent value is compared with all 16."""
    deep = RAMP.astype(np.uint16) << 8
    picture = read(Image.fromarray(deep), icc_profile=grey_profile(1.0))
    assert near(picture.getchannel("G"), encoded(RAMP / 255))
    image = Image.fromarray(deep)
    picture = read(image, icc_profile=grey_profile(1.0), transparency=int(deep[0, 3]))
    assert [*picture.getchannel("A").tobytes()[:5]] == [255, 255, 255, 0, 255]
    assert near(picture.getchannel("G"), encoded(RAMP / 255))


def test_grey_with_the_profile_of_an_rgb_space() -> None:
    """Programs keep it when they turn a photograph grey, and browsers heed it."""
    picture = read(Image.fromarray(RAMP), icc_profile=rgb_profile(ADOBE_RGB))
    expected = in_srgb(np.repeat(RAMP[..., None], 3, axis=2), ADOBE_RGB)
    assert near(picture, expected)


def test_black_and_white_stay() -> None:
    picture = read(BLACK_AND_WHITE.convert("1"), icc_profile=grey_profile(1.0))
    assert [*picture.convert("L").tobytes()] == [0, 0, 255, 255]


def test_cmyk() -> None:
    """A press whose cyan is Lab (55, -36, -38), as ISO 12647-2 has it, and not (0, 255, 255)."""
    icc = cmyk_profile({(1, 0, 0, 0): (55, -36, -38), (0, 1, 0, 0): (48, 70, 0)})
    image = Image.new("CMYK", (32, 16), (255, 0, 0, 0))
    image.paste((0, 0, 0, 255), (16, 0, 32, 16))
    picture = read(image, "a.jpg", quality=100, icc_profile=icc)
    plain = read(image, "a.jpg", quality=100)
    assert near(plain.convert("RGB").crop((0, 0, 1, 1)), np.array([0, 255, 255], np.uint8))
    assert near(picture.crop((0, 0, 1, 1)), lab_in_srgb(55, -36, -38), 3)
    assert near(picture.crop((24, 8, 25, 9)), np.zeros(3, np.uint8))


def lab_in_srgb(lightness: float, a: float, b: float) -> UInt8:
    """By the definition of CIELAB, with the white D50, and sRGB's matrix adapted to it."""
    y = (lightness + 16) / 116
    roots = np.array([y + a / 500, y, y - b / 200])
    xyz = np.where(roots > 6 / 29, roots**3, 3 * (6 / 29) ** 2 * (roots - 4 / 29)) * D50
    # http://www.brucelindbloom.com/Eqn_RGB_XYZ_Matrix.html
    matrix = [
        [3.1338561, -1.6168667, -0.4906146],
        [-0.9787684, 1.9161415, 0.0334540],
        [0.0719453, -0.2289914, 1.4052427],
    ]
    return encoded(np.array(matrix) @ xyz)


SRGB_PROFILES = {
    "LittleCMS": ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
    "version 2": rgb_profile(SRGB, 2),
    "version 4": rgb_profile(SRGB, 4),
}


@pytest.mark.parametrize("icc", SRGB_PROFILES.values(), ids=SRGB_PROFILES)
def test_srgb_changes_nothing(icc: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    every = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    assert same(read(Image.fromarray(every), icc_profile=icc), every)
    # The profile was seen: it is not opened again.
    monkeypatch.setattr(ImageCms, "ImageCmsProfile", None)
    assert same(read(Image.fromarray(every), icc_profile=icc), every)


DAMAGED = {
    "empty": b"\0",
    "random": random.Random(1).randbytes(3000),
    "cut in the header": ADOBE[:100],
    "cut in the tags": ADOBE[:200],
    "without curves": profile(b"RGB ", {b"rXYZ": xyz_tag(D50)}),
    "of grey": grey_profile(1.0),
    "of CMYK": cmyk_profile({}),
    "of Lab": ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes(),
    "a link": rgb_profile(ADOBE_RGB).replace(b"mntr", b"link"),
    "of six inks": profile(b"6CLR", {}),
}


@pytest.mark.parametrize("icc", DAMAGED.values(), ids=DAMAGED)
@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp"])
def test_profiles_of_no_use_are_ignored(
    name: str, icc: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    image = Image.fromarray(CHART)
    assert same(read(image, name, icc_profile=icc), read(image, name))
    assert capfd.readouterr() == ("", "")


def test_a_profile_for_rgb_is_of_no_use_for_cmyk() -> None:
    image = Image.new("CMYK", (16, 16), (200, 20, 20, 0))
    assert read(image, "a.jpg", icc_profile=ADOBE).mode == "CMYK"


def test_a_huge_profile_is_ignored() -> None:
    image = Image.fromarray(CHART)
    picture = read(image, "a.jpg", icc_profile=ADOBE.ljust(5_000_000, b"\0"))
    assert same(picture, read(image, "a.jpg"))


def test_threads_share_a_conversion() -> None:
    rng = np.random.default_rng(0)
    charts = [rng.integers(0, 256, (64, 64, 3), dtype=np.uint8) for _ in range(8)]
    files = []
    for chart in charts:
        file = io.BytesIO()
        Image.fromarray(chart).save(file, "png", icc_profile=ADOBE)
        files.append(file.getvalue())
    alone = [np.asarray(colours.load_picture(Path("a.png"), file)) for file in files]
    colours._conversion_of.cache_clear()
    with ThreadPoolExecutor(8) as threads:
        together = threads.map(lambda file: colours.load_picture(Path("a.png"), file), files * 8)
        for number, picture in enumerate(together):
            assert same(picture, alone[number % 8])


def test_backgrounds_and_cut_outs(root: Path) -> None:
    Image.fromarray(CHART).save(root / "bg/b.png", icc_profile=ADOBE)
    source = Assets(root=str(root), foreground_scale=None)
    assert near(source.background("b", (12, 18)).image, in_srgb(CHART, ADOBE_RGB))
    cut_out = source.foreground("f", (12, 18)).rgba
    assert near(cut_out[..., :3], in_srgb(np.array([60, 180, 60], np.uint8), ADOBE_RGB))


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "CMYK"])
def test_resized_backgrounds(mode: str, root: Path) -> None:
    """Colours are converted after the resize, which mixes those of a file by their own curve."""
    press = cmyk_profile({(1, 0, 0, 0): (55, -36, -38)})
    icc = {"L": grey_profile(1.8), "CMYK": press}.get(mode, ADOBE)
    small = Image.fromarray(CHART).convert(mode)
    path = root / f"bg/c.{'jpg' if mode == 'CMYK' else 'png'}"
    options: dict[str, Any] = {"quality": 100} if mode == "CMYK" else {}
    small.resize((180, 120), Image.Resampling.NEAREST).save(path, icc_profile=icc, **options)
    large = Image.fromarray(Assets(root=str(root)).background("c", (120, 180)).image)
    image = Assets(root=str(root)).background("c", (60, 90)).image
    assert near(image[2::5, 2::5], np.asarray(large)[5::10, 5::10], 4)
    assert abs(image[2::5, 2::5].astype(int) - CHART).max() > 60


def test_masks_and_depth_have_no_colours(root: Path) -> None:
    """A profile of grey says how light its values are, and not how opaque, or how far."""
    icc = grey_profile(1.0)
    Image.fromarray(RAMP).convert("RGB").save(root / "fg/m.png", icc_profile=ADOBE)
    Image.fromarray(RAMP).save(root / "fg_mask/m.png", icc_profile=icc)
    depth = np.full((16, 16), 1000, np.uint16)
    Image.fromarray(depth).save(root / "bg_depth/b.png", icc_profile=icc)
    source = Assets(root=str(root), foreground_scale=None)
    assert np.array_equal(source.foreground("m", (16, 16)).rgba[..., 3], RAMP)
    depth_m = source.background("b", (16, 16)).depth_m
    assert depth_m is not None
    assert (depth_m == 1).all()


def test_samples_are_in_srgb_and_without_a_profile(root: Path, tmp_path: Path) -> None:
    """As every reader of a dataset takes them to be."""
    Image.new("RGB", (64, 64), (60, 180, 60)).save(root / "bg/b.png", icc_profile=ADOBE)
    words = ["source=assets", f"source.root={root}", "size=[64,64]", "samples=1", "depth=none"]
    expected = in_srgb(np.array([60, 180, 60], np.uint8), ADOBE_RGB)
    for image in ("jpeg", "png"):
        dataset = depthmask.make(
            [*words, f"encode.image={image}", "runner.workers=1"], output=tmp_path / image
        )
        data = dataset.encoded(0).members["jpg" if image == "jpeg" else "png"]
        with Image.open(io.BytesIO(data)) as picture:
            assert "icc_profile" not in picture.info
            background = np.asarray(picture)[dataset[0].mask == 0]
            assert near(np.median(background, axis=0), expected)


def test_all_other_readers_keep_the_values(tmp_path: Path) -> None:
    """`images.load` reads masks and depth; a file without a profile is read as ever."""
    Image.fromarray(CHART).save(tmp_path / "a.png", icc_profile=ADOBE)
    assert same(images.load(tmp_path / "a.png"), CHART)
    Image.fromarray(CHART).save(tmp_path / "b.png")
    assert same(colours.load_picture(tmp_path / "b.png"), CHART)


def test_nobody_reads_pictures_past_their_profiles() -> None:
    """These modules alone call `images.load` or `load_for`: for masks and checks, and to resize."""
    package = Path(depthmask.__file__).parent
    callers = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if re.search(r"images\.load(_for)?\(", path.read_text(encoding="utf-8"))
    }
    assert callers == {
        *("stages/source/_colours.py", "stages/source/_masks.py", "stages/source/assets.py"),
        "stages/source/asset_files.py",
        *("engine/inputs/photographs.py", "engine/inputs/picture_list.py"),
    }
