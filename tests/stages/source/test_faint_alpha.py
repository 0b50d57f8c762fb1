"""Faint alpha around an object: it neither counts as visible nor moves the box of a cut-out."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from depthmask.data import FAINT_ALPHA
from depthmask.errors import UsageError
from depthmask.stages.source._alpha import visible_box
from depthmask.stages.source.assets import Assets
from tests.support.paths import SHARED

SIZE = (160, 160)
BLOCK = np.zeros((200, 300), np.uint8)
BLOCK[80:120, 100:180] = 255
"""An object of 40 x 80 pixels in a picture of 200 x 300."""
NOISE = np.random.default_rng(0)


def save_cut_out(root: Path, alpha: np.ndarray) -> Assets:
    """The source of a folder with a cut-out of this alpha, and of no other."""
    picture = np.full((*alpha.shape, 3), (200, 90, 30), np.uint8)
    for path in (root / "fg").iterdir():
        path.unlink()
    Image.fromarray(np.dstack([picture, alpha])).save(root / "fg" / "cup.png")
    return Assets(root=str(root))


@pytest.mark.parametrize(
    "faint",
    [
        np.ones_like(BLOCK),
        np.full_like(BLOCK, 2),
        NOISE.integers(0, 3, BLOCK.shape, np.uint8),
        NOISE.integers(0, FAINT_ALPHA + 1, BLOCK.shape, np.uint8),
    ],
    ids=["1", "2", "0 to 2", "0 to 16"],
)
def test_faint_alpha_does_not_count(assets_root: Path, faint: np.ndarray) -> None:
    """The object is as large as without it, to the pixel."""
    clean = save_cut_out(assets_root, BLOCK).foreground("cup", SIZE)
    noisy = save_cut_out(assets_root, np.maximum(BLOCK, faint)).foreground("cup", SIZE)
    assert clean.size == noisy.size == (75, 150)
    assert np.array_equal(clean.rgba, noisy.rgba)


@pytest.mark.parametrize("quality", [50, 75, 85, 95])
def test_the_noise_of_a_jpeg_mask_does_not_count(assets_root: Path, quality: int) -> None:
    """A mask with noise of 0 to 8 all over, as JPEG: noise goes no further than 8 pixels."""
    (assets_root / "fg_mask").mkdir()
    save_cut_out(assets_root, BLOCK)
    noisy = np.maximum(BLOCK, NOISE.integers(0, 9, BLOCK.shape, np.uint8))
    Image.fromarray(noisy).save(assets_root / "fg_mask" / "cup.jpg", quality=quality)
    Image.new("RGB", (300, 200), "red").save(assets_root / "fg" / "cup.png")
    one = Assets(root=str(assets_root)).foreground("cup", SIZE)
    rows, columns = (np.flatnonzero((one.rgba[..., 3] >= 128).any(axis=side)) for side in (1, 0))
    assert 0.98 * len(rows) <= np.ptp(rows) + 1 <= len(rows)
    assert np.ptp(columns) + 1 >= 150 * 80 / (80 + 2 * 8)


def test_a_soft_edge_and_a_soft_shadow_stay(assets_root: Path) -> None:
    alpha = BLOCK.copy()
    # An edge that is faint on two pixels, and a shadow of 2.4 levels a pixel below the object.
    alpha[78:80, 100:180] = [[3], [14]]
    alpha[120:170, 100:180] = np.linspace(120, 0, 50, dtype=np.uint8)[:, None]
    left, top, right, bottom = visible_box(Image.fromarray(alpha))
    assert (left, top, right) == (100, 78, 180)
    # The rest of the shadow, too faint to show, is cut off.
    assert alpha[bottom - 1].max() > FAINT_ALPHA >= alpha[bottom].max()
    # What is faint within the box stays as the file has it.
    faint = np.where((alpha == 0) & (np.arange(300) > 150), 2, alpha).astype(np.uint8)
    source = save_cut_out(assets_root, faint)
    assert np.array_equal(
        Assets(root=source.root, foreground_scale=None).foreground("cup", SIZE).rgba[..., 3], faint
    )


@pytest.mark.parametrize("most", [1, FAINT_ALPHA])
def test_a_cut_out_that_is_faint_everywhere_is_refused(assets_root: Path, most: int) -> None:
    """Alpha of 0 and 1, where 0 and 255 was meant, is the commonest of these."""
    source = save_cut_out(assets_root, (BLOCK > 0).astype(np.uint8) * most)
    with pytest.raises(UsageError, match=rf"fg/cup.png: nearly transparent, {most} of 255 at most"):
        source.check(SIZE)


def test_the_faintest_cut_out_that_shows(assets_root: Path) -> None:
    source = save_cut_out(assets_root, (BLOCK > 0).astype(np.uint8) * (FAINT_ALPHA + 1))
    source.check(SIZE)
    assert source.foreground("cup", SIZE).size == (75, 150)


def test_clean_cut_outs_keep_their_box() -> None:
    """All cut-outs of DepthMaskDataset, with soft edges, are trimmed as by any alpha above 0."""
    paths = sorted((SHARED / "seed-assets" / "fg").glob("*.png"))
    assert len(paths) == 100
    for path in paths:
        alpha = Image.open(path).convert("RGBA").getchannel("A")
        framed = Image.new("L", (alpha.width + 40, alpha.height + 40))
        framed.paste(alpha, (20, 20))
        assert visible_box(framed) == framed.getbbox(), path.name


@pytest.mark.parametrize(("quality", "most"), [(95, 8), (85, 24), (75, 39)])
def test_the_noise_that_the_bound_was_chosen_by(quality: int, most: int) -> None:
    """The greatest grey more than a pixel outside of an object, for hard masks as JPEG."""
    y, x = np.mgrid[:150, :150]
    disk = np.where(np.hypot(y - 75, x - 75) < 50, 255, 0).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(disk).save(file, "JPEG", quality=quality)
    found = np.asarray(Image.open(file))
    assert 0 < found[np.hypot(y - 75, x - 75) > 52].max() <= most
