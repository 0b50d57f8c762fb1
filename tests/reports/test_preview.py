"""The contact sheet, and its colours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from depthmask.data import Sample, Size
from depthmask.reports.colormap import colour
from depthmask.reports.preview import SAMPLES, contact_sheet, thinned

MakeSample = Callable[..., Sample]


@pytest.fixture
def plain(make_sample: MakeSample) -> Callable[..., Sample]:
    """One colour, half a mask, one depth."""

    def make(
        rgb: tuple[int, int, int], depth: float | None = None, size: Size = (160, 160)
    ) -> Sample:
        height, width = size
        mask = np.zeros(size, np.uint8)
        mask[height // 2 :] = 255
        sample = make_sample(0, size, depth=False)
        return replace(
            sample,
            image=np.full((*size, 3), rgb, np.uint8),
            mask=mask,
            depth=None if depth is None else np.full((height // 2, width // 2), depth, np.float32),
        )

    return make


def test_tiles_show_image_and_mask(plain: Callable[..., Sample]) -> None:
    sheet = np.asarray(contact_sheet([plain((200, 10, 30)), plain((0, 90, 0))], "title"))
    # Margin 24, tiles of 2 x 160 with 12 between them, from row 60 on.
    assert sheet.shape == (60 + 160 + 24, 24 + 320 + 12 + 320 + 24, 3)
    assert (sheet[60:220, 24:184] == (200, 10, 30)).all()
    assert (sheet[60:140, 184:344] == 0).all()
    assert (sheet[140:220, 184:344] == 255).all()
    assert (sheet[60:220, 356:516] == (0, 90, 0)).all()


def test_depth_shares_one_scale(plain: Callable[..., Sample]) -> None:
    near, far = plain((9, 9, 9), 1.0), plain((9, 9, 9), 5.0)
    sheet = np.asarray(contact_sheet([near, far], "title")).astype(int)
    red, _, blue = sheet[140, 24 + 400]
    assert red > 2 * blue
    # The far end of Turbo is almost black.
    assert sheet[140, 24 + 480 + 12 + 400].sum() < 120


def test_rows_of_four(plain: Callable[..., Sample]) -> None:
    for count, rows, columns in ((1, 1, 1), (4, 1, 4), (5, 2, 4), (SAMPLES, 6, 4)):
        sheet = contact_sheet([plain((1, 2, 3))] * count, "title")
        assert sheet.size == (48 + columns * 332 - 12, 84 + rows * 172 - 12)


@pytest.mark.parametrize("size", [(8, 300), (300, 8), (8, 8)])
def test_other_shapes_keep_their_aspect(plain: Callable[..., Sample], size: Size) -> None:
    sheet = contact_sheet([plain((1, 2, 3), 2.0, size)], "a title that is longer than the sheet")
    assert sheet.width == 48 + 3 * round(160 * size[1] / size[0])


def test_the_legend_of_a_narrow_sheet_stands_below_the_title(
    plain: Callable[..., Sample],
) -> None:
    samples = [plain((9, 9, 9), depth) for depth in (1.0, 5.0)]
    beside = contact_sheet(samples, "title")
    below = contact_sheet(samples, "a title of so many words that nothing fits beside it, " * 2)
    assert below.size == (beside.width, beside.height + 26)
    # The bar is as it was, 26 rows deeper; where it was there is no colour any more.
    old, new = np.asarray(beside), np.asarray(below)
    (right,) = np.nonzero(
        (old[30:36].astype(int).max(axis=2) - old[30:36].min(axis=2)).min(axis=0) > 60
    )
    bar = slice(right[0], right[-1])
    np.testing.assert_array_equal(new[56:62, bar], old[30:36, bar])
    assert (new[24:50].max(axis=2) - new[24:50].min(axis=2)).max() < 10


def test_depth_without_a_valid_pixel(plain: Callable[..., Sample]) -> None:
    sheet = np.asarray(contact_sheet([plain((9, 9, 9), 0.0)], "title"))
    assert (sheet[60:220, 24 + 320 : 24 + 480] == 64).all()


def test_colours_run_from_red_to_blue_and_invalid_is_grey() -> None:
    depth = np.array([[1, 2, 2.75, 0, 3, 9, 0.5]], np.float32)
    found = colour(depth, 1.0, 3.0)
    assert found.dtype == np.uint8
    assert found.shape == (1, 7, 3)
    near, middle, distant, invalid, far, beyond, before = found[0].astype(int)
    assert near[0] > near[1] + 50
    assert near[0] > near[2] + 50
    assert middle[1] == max(middle)
    assert distant[2] > distant[0] + 50
    assert invalid.tolist() == [64, 64, 64]
    assert beyond.tolist() == far.tolist()
    assert before.tolist() == near.tolist()


def test_a_flat_map_has_a_colour() -> None:
    found = colour(np.full((2, 2), 3, np.float32), 3.0, 3.0)
    assert len(np.unique(found.reshape(-1, 3), axis=0)) == 1


def test_photographs_of_several_sizes_share_a_sheet(plain: Callable[..., Sample]) -> None:
    """A panorama is drawn smaller."""
    sizes = [(60, 40), (40, 60), (10, 400)]
    samples = [plain((200, 2, 3), 2.0, size) for size in sizes]
    sheet = contact_sheet(samples, "three")
    assert sheet.width == 48 + 3 * (107 + 240 + 640) + 2 * 12


def test_large_photographs_are_thinned(plain: Callable[..., Sample]) -> None:
    small = plain((1, 2, 3), 2.0, (1500, 2000))
    assert thinned(small).image is small.image
    large = thinned(plain((1, 2, 3), 2.0, (3000, 4200)))
    assert large.size == (750, 1050)
    assert large.depth is not None
    assert large.depth.shape == (750, 1050)


def test_photographs_without_foregrounds_are_shown_without_masks() -> None:
    def width(mask: int) -> int:
        image, depth = np.full((40, 50, 3), 9, np.uint8), np.full((40, 50), 2.0, np.float32)
        samples = [
            Sample(str(number), image, np.full((40, 50), alpha, np.uint8), None, depth, {})
            for number, alpha in enumerate((0, mask))
        ]
        return contact_sheet(samples, "t").width

    assert width(255) - width(0) == 2 * 200


def test_each_column_is_as_wide_as_its_pictures(plain: Callable[..., Sample]) -> None:
    sizes = [(40, 80), (40, 20), (40, 20), (40, 20), (40, 80), (40, 20)]
    samples = [plain((9, 9, 9), 2.0, size) for size in sizes]
    assert contact_sheet(samples, "t").width == 48 + 3 * 12 + 3 * (320 + 3 * 80)


@pytest.mark.parametrize("size", [(1, 8000), (8000, 1), (8, 8192), (8192, 8), (1, 1)])
def test_a_sheet_of_any_aspect_can_be_a_jpeg(plain: Callable[..., Sample], size: Size) -> None:
    samples = [thinned(plain((9, 90, 200), None, size))] * SAMPLES
    sheet = contact_sheet(samples, "title")
    assert max(sheet.size) <= 50_000
    assert (np.asarray(sheet) == (9, 90, 200)).all(axis=-1).any()


def test_wide_pictures_leave_no_gaps(plain: Callable[..., Sample]) -> None:
    sheet = contact_sheet([plain((9, 90, 200), None, (8, 1024))] * 8, "title")
    # Two rows of 32 pixels, the title, and margins.
    assert sheet.height == 24 + 24 + 12 + 2 * 32 + 12 + 24
