"""Masks of other programs: what is one shape is read as that shape, the rest is refused by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from depthmask.errors import UsageError
from depthmask.stages.source._folder import AssetError
from depthmask.stages.source._masks import load_mask
from depthmask.stages.source.assets import Assets

Y, X = np.mgrid[:60, :80]
FAR = np.hypot(Y - 30, X - 40)
HARD = np.where(FAR < 20, 255, 0).astype(np.uint8)
"""A disk."""
SOFT = np.clip((24 - FAR) * 40, 0, 255).astype(np.uint8)
"""A disk with a soft edge."""
ONE = (HARD > 0).astype(np.uint8)
UPPER = (Y < 30).astype(np.uint8)
RING = (FAR < 22) & (FAR >= 20)
"""Where Pascal VOC has its void: the line around an object."""
WHITE, BLACK = np.full_like(HARD, 255), np.zeros_like(HARD)
RED = (200, 10, 20)


def rgba(colour: np.ndarray, alpha: np.ndarray) -> Image.Image:
    image = Image.fromarray(colour).convert("RGB")
    image.putalpha(Image.fromarray(alpha))
    return image


def la(grey: np.ndarray, alpha: np.ndarray) -> Image.Image:
    return Image.merge("LA", (Image.fromarray(grey), Image.fromarray(alpha)))


def rgb(colours: Sequence[tuple[int, int, int]], numbers: np.ndarray) -> Image.Image:
    return Image.fromarray(np.array(colours, np.uint8)[numbers])


def indexed(numbers: np.ndarray, palette: Sequence[int]) -> Image.Image:
    image = Image.fromarray(numbers.astype(np.uint8)).copy()
    image.putpalette(palette)
    return image


def voc_palette() -> list[int]:
    """The colours of Pascal VOC: the bits of a number, spread over the channels from the top."""
    colours = []
    for number in range(256):
        colours += [
            sum((number >> (3 * bit + channel) & 1) << (7 - bit) for bit in range(3))
            for channel in range(3)
        ]
    return colours


VOC = voc_palette()


def transparent(image: Image.Image, value: int | bytes) -> Image.Image:
    image.info["transparency"] = value
    return image


def test_the_palette_of_pascal_voc() -> None:
    assert VOC[3:6] == [128, 0, 0]
    assert VOC[45:48] == [192, 128, 128]
    assert VOC[-3:] == [224, 224, 192]


SHAPES: dict[str, tuple[Image.Image, np.ndarray]] = {
    "0 and 255": (Image.fromarray(HARD), HARD),
    "greys": (Image.fromarray(SOFT), SOFT),
    "grey RGB": (Image.fromarray(SOFT).convert("RGB"), SOFT),
    "grey palette": (Image.fromarray(SOFT).convert("P"), SOFT),
    "16-bit greys": (Image.fromarray(SOFT.astype(np.uint16) * 257), SOFT),
    "alpha, white": (rgba(WHITE, SOFT), SOFT),
    "alpha, black": (rgba(BLACK, SOFT), SOFT),
    "alpha, premultiplied": (rgba(SOFT, SOFT), SOFT),
    "LA": (la(BLACK, SOFT), SOFT),
    "greys with solid alpha": (rgba(SOFT, WHITE), SOFT),
    "greys with nearly solid alpha": (rgba(SOFT, WHITE - UPPER), SOFT),
    "LA with solid alpha": (la(SOFT, WHITE), SOFT),
    "transparent index": (transparent(indexed(ONE, [9, 9, 9, *RED]), 0), HARD),
    "transparent 16-bit grey": (transparent(Image.fromarray(ONE.astype(np.uint16)), 0), HARD),
    "0 and 1": (Image.fromarray(ONE), HARD),
    "0 and 1 in 16 bits": (Image.fromarray(ONE.astype(np.uint16)), HARD),
    "0 and 65,535": (Image.fromarray(ONE.astype(np.uint16) * 65535), HARD),
    "0 and 1 as RGB": (Image.fromarray(ONE).convert("RGB"), HARD),
    "bilevel": (Image.fromarray(HARD).convert("1"), HARD),
    "palette of black and grey": (indexed(ONE, [0, 0, 0, 100, 100, 100]), HARD),
    "palette of nearly black and white": (indexed(ONE, [1, 1, 1, 254, 254, 254]), 1 + ONE * 253),
    "palette of black and red": (indexed(ONE, [0, 0, 0, *RED]), HARD),
    "RGB of black and red": (rgb([(0, 0, 0), RED], ONE), HARD),
    "one class of Pascal VOC": (indexed(ONE * 15, VOC), HARD),
    "one class with void": (indexed(np.where(RING, 255, ONE * 15), VOC), HARD),
    "the same as RGB": (indexed(np.where(RING, 255, ONE * 15), VOC).convert("RGB"), HARD),
    "white with levels of grey": (
        Image.fromarray(np.where(RING, 128, HARD).astype(np.uint8)),
        np.where(RING, 128, HARD),
    ),
    "one grey of more than half": (Image.fromarray(ONE * 200), ONE * 200),
    "faint instead of black": (Image.fromarray(np.maximum(HARD, 1)), np.maximum(HARD, 1)),
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_mask_of_one_shape(tmp_path: Path, name: str) -> None:
    image, expected = SHAPES[name]
    image.save(tmp_path / "mask.png")
    mask = load_mask(tmp_path / "mask.png")
    assert mask.mode == "L"
    assert np.array_equal(np.asarray(mask), expected)


NUMBERS = "most likely class or object numbers"
REFUSED: dict[str, tuple[Image.Image, str]] = {
    "0 to 3": (Image.fromarray(ONE * (1 + UPPER + (X < 40).astype(np.uint8))), "greys 0, 1, 2, 3"),
    "0 to 20": (Image.fromarray(ONE * (X % 21).astype(np.uint8)), "greys 0, 1, 2, 3, 4, 5, ..."),
    "0 to 20 and void": (
        Image.fromarray(np.where(RING, 255, ONE * (X % 21)).astype(np.uint8)),
        "greys 0, 1, 2, 3, 4, 5, ...",
    ),
    "one class and void": (
        Image.fromarray(np.where(RING, 255, ONE * 15).astype(np.uint8)),
        "greys 0, 15, 255",
    ),
    "one class": (Image.fromarray(ONE * 15), "greys 0, 15 are"),
    "classes of ADE20K": (
        Image.fromarray(ONE * (3 + UPPER * 17 + (X < 40) * 120).astype(np.uint8)),
        "greys 0, 3, 20, 123, 140",
    ),
    "classes above 20 and void": (
        Image.fromarray(np.where(RING, 255, ONE * (91 + UPPER * 60)).astype(np.uint8)),
        "greys 0, 91, 151, 255",
    ),
    "16-bit objects": (Image.fromarray(ONE * (26001 + UPPER.astype(np.uint16))), "26001, 26002"),
    "8 bits in 16": (Image.fromarray(HARD.astype(np.uint16)), "16-bit greys 0, 255"),
    "classes of Pascal VOC": (
        indexed(np.where(RING, 255, ONE * (1 + UPPER)), VOC),
        "colours #000000, #008000, #800000, #e0e0c0",
    ),
    "nothing but void": (indexed(ONE * 255, VOC), "colours #000000, #e0e0c0"),
    "two colours, no black": (rgb([(0, 0, 9), RED], ONE), "colours #000009, #c80a14"),
    "colours as RGB": (rgb([(0, 0, 0), RED, (0, 0, 1)], ONE * (1 + UPPER)), "colours #000000, "),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_mask_of_several_classes_is_refused(tmp_path: Path, name: str) -> None:
    image, said = REFUSED[name]
    assert said in refusal(tmp_path, image)
    assert NUMBERS in refusal(tmp_path, image)


def refusal(folder: Path, image: Image.Image) -> str:
    image.save(folder / "mask.png")
    with pytest.raises(AssetError) as caught:
        load_mask(folder / "mask.png")
    text = str(caught.value)
    assert text.startswith(f"{folder}/mask.png: ")
    assert text.endswith("save the one object as 255 and the rest as 0, in 8-bit grey")
    return text


@pytest.mark.parametrize(
    "image",
    [
        rgba(UPPER * 255, HARD),
        rgba((X * 3).astype(np.uint8), HARD),
        transparent(indexed(ONE * (1 + UPPER), VOC), 0),
    ],
    ids=["two masks", "a cut-out", "classes, transparent where there is none"],
)
def test_colours_and_transparency_that_disagree_are_refused(
    tmp_path: Path, image: Image.Image
) -> None:
    assert "its colours and its transparency are two shapes" in refusal(tmp_path, image)


def test_a_photograph_is_no_mask(tmp_path: Path) -> None:
    photo = Image.fromarray(np.dstack([Y * 3, X * 3, Y]).astype(np.uint8))
    assert "a picture in colours is no mask" in refusal(tmp_path, photo)


Save = Callable[[Image.Image, Path], None]


def lossy(form: str, quality: int, mode: str, subsampling: int = 2) -> Save:
    def save(image: Image.Image, path: Path) -> None:
        extra = {"subsampling": subsampling} if form == "JPEG" else {}
        image.convert(mode).save(path, form, quality=quality, **extra)

    return save


LOSSY = {
    **{f"JPEG {q}": lossy("JPEG", q, "L") for q in (50, 75, 85, 95, 100)},
    **{f"JPEG {q} RGB": lossy("JPEG", q, "RGB") for q in (50, 75, 95)},
    "JPEG 75 RGB 4:4:4": lossy("JPEG", 75, "RGB", 0),
    "JPEG 90 CMYK": lossy("JPEG", 90, "CMYK", 0),
    "WebP 50": lossy("WEBP", 50, "RGB"),
    "WebP 95": lossy("WEBP", 95, "RGB"),
}


@pytest.mark.parametrize(
    "exact", [HARD, SOFT, HARD[20:40:2, 30:50:2]], ids=["hard", "soft", "tiny"]
)
@pytest.mark.parametrize("name", LOSSY)
def test_the_noise_of_a_mask_is_no_class(tmp_path: Path, name: str, exact: np.ndarray) -> None:
    path = tmp_path / "mask.png"
    LOSSY[name](Image.fromarray(exact), path)
    found = np.asarray(load_mask(path)).astype(int)
    # The middle of a soft edge may fall on either side.
    sure = np.abs(exact.astype(int) - 128) > 60
    assert np.array_equal((found >= 128)[sure], (exact >= 128)[sure])
    # What is nearly black or white has no noise: no grey of 1..16 or 239..254 is left.
    assert not ((found > 0) & (found <= 16)).any()
    assert not ((found >= 239) & (found < 255)).any()


def test_numbers_in_a_jpeg_are_refused(tmp_path: Path) -> None:
    Image.fromarray(ONE * (1 + UPPER)).save(tmp_path / "mask.png", "JPEG", quality=95)
    with pytest.raises(AssetError, match=NUMBERS):
        load_mask(tmp_path / "mask.png")


def test_the_shape_of_a_mask_reaches_the_cut_out(assets_root: Path) -> None:
    """By all of `source=assets`: the shape is in the alpha of a black picture."""
    (assets_root / "fg_mask").mkdir()
    Image.new("RGB", (80, 60), RED).save(assets_root / "fg" / "disk.png")
    rgba(BLACK, HARD).save(assets_root / "fg_mask" / "disk.png")
    source = Assets(root=str(assets_root), foreground_scale=None)
    source.check((160, 160))
    assert np.array_equal(source.foreground("disk", (160, 160)).rgba[..., 3], HARD)


def test_a_refused_mask_names_its_file_and_the_way_out(assets_root: Path) -> None:
    (assets_root / "fg_mask").mkdir()
    Image.new("RGB", (80, 60), RED).save(assets_root / "fg" / "disk.png")
    REFUSED["0 to 3"][0].save(assets_root / "fg_mask" / "disk.png")
    with pytest.raises(UsageError, match=NUMBERS) as caught:
        Assets(root=str(assets_root)).check((160, 160))
    assert str(caught.value).startswith(f"{assets_root}/fg_mask/disk.png: its greys 0, 1, 2, 3 ")
    assert "on_bad_asset=skip" in str(caught.value)
