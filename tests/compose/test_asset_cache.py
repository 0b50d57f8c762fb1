"""Assets at hand: made once, resized, flipped, and forgotten when there are too many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from depthmask.compose.asset_cache import AssetCache
from depthmask.compose.results import background_of
from depthmask.data import Background, Foreground, Layer, Size, UInt8
from depthmask.stage import setting, stage
from depthmask.stage.calls import StageError
from depthmask.stages.blend.alpha import Alpha
from depthmask.stages.source.base import Source

MakeForeground = Callable[..., Foreground]


def layer(height: int, width: int, *, flip: bool = False) -> Layer:
    return Layer("cup", "", 0, 0, height, width, flip)


@pytest.fixture
def gradient(make_foreground: MakeForeground) -> Foreground:
    """4x6, red growing to the right, the left half clear."""
    thing = make_foreground("cup", (4, 6), np.array([0, 0, 0, 255, 255, 255], np.uint8))
    rgba = thing.rgba.copy()
    rgba[..., 0] = np.arange(6) * 40
    return replace(thing, rgba=rgba)


@pytest.fixture
def shelf(make_source: Callable[..., Source], gradient: Foreground) -> AssetCache:
    source = make_source(gradient)
    return AssetCache(source, (8, 8), lambda key: source.background(key, (8, 8)))


def test_a_cut_out_of_its_own_size_keeps_its_pixels(
    shelf: AssetCache, gradient: Foreground
) -> None:
    found = shelf.scaled_foreground(layer(4, 6))
    assert np.array_equal(found.patch.rgb, gradient.rgba[..., :3])
    assert np.array_equal(found.patch.alpha, gradient.rgba[..., 3])
    assert found.alpha_sum == 4 * 3 * 255


def test_flip_mirrors_left_and_right(shelf: AssetCache, gradient: Foreground) -> None:
    found = shelf.scaled_foreground(layer(4, 6, flip=True))
    assert np.array_equal(found.patch.rgb, gradient.rgba[:, ::-1, :3])
    assert np.array_equal(found.patch.alpha, gradient.rgba[:, ::-1, 3])
    straight, mirrored = (
        shelf.scaled_foreground(layer(8, 12)),
        shelf.scaled_foreground(layer(8, 12, flip=True)),
    )
    assert np.array_equal(straight.patch.rgb[:, ::-1], mirrored.patch.rgb)


def test_metadata_is_checked_once_for_each_asset(
    make_source: Callable[..., Source], gradient: Foreground
) -> None:
    wall = Background("wall", np.zeros((8, 8, 3), np.uint8), meta={"tags": ("a", "b")})
    bad = replace(gradient, key="bad", meta={"caption": "x" * 70_000})
    source = make_source(wall, bad, replace(gradient, meta={}))
    cache = AssetCache(source, (8, 8), lambda key: background_of(source, key, (8, 8)))
    assert cache.background("wall").meta == {"tags": ["a", "b"]}
    assert cache.background("wall").meta is cache.background("wall").meta
    assert cache.foreground("cup").meta is None
    with pytest.raises(StageError, match=r"=\w+: foreground bad: meta takes 70,014 bytes as JSON"):
        cache.foreground("bad")


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (8, 12), (40, 6)])
def test_a_layer_decides_the_size(shelf: AssetCache, size: Size) -> None:
    found = shelf.scaled_foreground(layer(*size))
    assert found.patch.rgb.shape == (*size, 3)
    assert found.patch.alpha.shape == size
    assert found.alpha_sum == int(found.patch.alpha.astype(int).sum())
    assert found.patch.rgb.flags.c_contiguous
    assert found.patch.alpha.flags.c_contiguous


@pytest.mark.parametrize("size", [(5, 3), (30, 20), (59, 40), (90, 41)])
@pytest.mark.parametrize("flip", [False, True])
def test_layers_are_resized_by_lanczos_from_the_whole_foreground(
    make_source: Callable[..., Source], make_foreground: MakeForeground, size: Size, flip: bool
) -> None:
    """Poles of one to four pixels over hidden colours: the hard case for halos."""
    rgba = np.full((60, 40, 4), (255, 255, 255, 0), np.uint8)
    for number, column in enumerate(range(3, 36, 8)):
        rgba[3:-3, column : column + 1 + number % 4] = (9, 9, 9, 255)
    thing = replace(make_foreground("cup", (60, 40)), rgba=rgba)
    shelf = AssetCache(make_source(thing), (64, 64), lambda key: None)  # type: ignore[arg-type,return-value]
    patch = shelf.scaled_foreground(layer(*size, flip=flip)).patch
    direct = np.asarray(Image.fromarray(rgba).resize(size[::-1], Image.Resampling.LANCZOS))
    direct = direct[:, ::-1] if flip else direct
    np.testing.assert_array_equal(patch.rgb, direct[..., :3])
    np.testing.assert_array_equal(patch.alpha, direct[..., 3])
    assert patch.rgb[patch.alpha > 30].max() <= 9 + 4


@stage("reddening")
class Reddening(Alpha):
    """Makes foregrounds red, and counts how often."""

    red: int = setting(200, help="level")

    def __post_init__(self) -> None:
        self.asked = 0

    def mended(self, rgba: UInt8) -> UInt8:
        self.asked += 1
        colours = rgba[..., :3].copy()
        colours[..., 0] = self.red
        return colours


def test_each_variant_of_a_blend_has_its_colours(
    make_source: Callable[..., Source], gradient: Foreground
) -> None:
    blends = [Alpha(), Reddening(red=200), Reddening(red=90)]
    shelf = AssetCache(make_source(gradient), (8, 8), lambda key: None, blends=blends)  # type: ignore[arg-type,return-value]
    plain = shelf.scaled_foreground(layer(8, 12), 0).patch
    for variant, red in ((1, 200), (2, 90)):
        for size in ((8, 12), (4, 6), (2, 3), (8, 12)):
            patch = shelf.scaled_foreground(layer(*size), variant).patch
            # Lanczos overshoots beside the hard edge.
            assert int(patch.rgb[0, -1, 0]) == pytest.approx(red, abs=25)
        assert np.array_equal(patch.alpha, plain.alpha)
        assert np.array_equal(patch.rgb[..., 1:], plain.rgb[..., 1:])
        # Once for all sizes that are scaled, and once for its own size.
        assert blends[variant].asked == 2  # type: ignore[attr-defined]
    assert np.array_equal(shelf.scaled_foreground(layer(8, 12)).patch.rgb, plain.rgb)


@stage("shrinking")
class Shrinking(Alpha):
    """Gives colours of another size."""

    def mended(self, rgba: UInt8) -> UInt8:
        return rgba[:-1, :, :3]


def test_colours_of_another_size_are_refused(
    make_source: Callable[..., Source], gradient: Foreground
) -> None:
    blends = [Shrinking()]
    shelf = AssetCache(make_source(gradient), (8, 8), lambda key: None, blends=blends)  # type: ignore[arg-type,return-value]
    with pytest.raises(StageError, match=r"mended returned uint8 \[3, 6, 3\]; expected uint8"):
        _ = shelf.scaled_foreground(layer(8, 12)).patch


def test_hidden_colours_do_not_bleed_into_a_resized_edge(
    make_source: Callable[..., Source], make_foreground: MakeForeground
) -> None:
    thing = make_foreground("cup", (8, 8), colour=(200, 200, 200))
    rgba = thing.rgba.copy()
    rgba[:, :4] = (0, 0, 0, 0)
    shelf = AssetCache(make_source(replace(thing, rgba=rgba)), (8, 8), lambda key: None)  # type: ignore[arg-type,return-value]
    found = shelf.scaled_foreground(layer(5, 5))
    assert found.patch.rgb[found.patch.alpha > 30].min() >= 195


def test_relief_is_by_the_height_and_follows_size_and_flip(
    make_source: Callable[..., Source], gradient: Foreground
) -> None:
    relief = np.array([[0, 1, 2]] * 2, np.float32).repeat(2, axis=0).repeat(2, axis=1)
    thing = replace(gradient, relief_m=relief, height_m=2.0)
    shelf = AssetCache(make_source(thing), (8, 8), lambda key: None)  # type: ignore[arg-type,return-value]
    found = shelf.scaled_foreground(layer(2, 3)).relief
    assert found is not None
    assert found.tolist() == [[0, 0.5, 1]] * 2
    mirrored = shelf.scaled_foreground(layer(2, 3, flip=True)).relief
    assert mirrored is not None
    assert mirrored.tolist() == [[1, 0.5, 0]] * 2
    unknown = AssetCache(make_source(replace(thing, height_m=None)), (8, 8), lambda key: None)  # type: ignore[arg-type,return-value]
    assert unknown.scaled_foreground(layer(2, 3)).relief is None


def test_assets_are_made_once(
    make_source: Callable[..., Source], gradient: Foreground, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: Counter[str] = Counter()
    source = make_source(gradient)
    plain = source.foreground

    def foreground(key: str, size: Size) -> Foreground:
        calls[key] += 1
        return plain(key, size)

    def background(key: str) -> Background:
        calls[key] += 1
        return Background(key, np.zeros((8, 8, 3), np.uint8))

    monkeypatch.setattr(source, "foreground", foreground)
    shelf = AssetCache(source, (8, 8), background)
    for _ in range(3):
        assert shelf.scaled_foreground(layer(4, 6)) is shelf.scaled_foreground(layer(4, 6))
        shelf.scaled_foreground(layer(2, 3))
        assert shelf.background("room") is shelf.background("room")
    assert calls == {"cup": 1, "room": 1}


def test_the_memory_of_a_relief_counts(
    make_source: Callable[..., Source], gradient: Foreground, monkeypatch: pytest.MonkeyPatch
) -> None:
    thick = replace(gradient, relief_m=np.zeros((4, 6), np.float32))
    source = make_source()
    monkeypatch.setattr(source, "foreground", lambda *_: replace(thick))
    held = 2 * 4 * 6 * 4
    for bound, kept in ((held, True), (held - 2, False)):
        shelf = AssetCache(
            source,
            (8, 8),
            lambda key: source.background(key, (8, 8)),
            most_bytes=-(-48 * bound // 5),
        )
        assert (shelf.foreground("cup") is shelf.foreground("cup")) == kept


def test_the_memory_of_metadata_counts(
    make_source: Callable[..., Source], gradient: Foreground, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_source(replace(gradient, meta={"row": 1}))
    held = gradient.rgba.nbytes + 10 * len('{"row":1}')
    for bound, kept in ((held, True), (held - 2, False)):
        shelf = AssetCache(
            source,
            (8, 8),
            lambda key: source.background(key, (8, 8)),
            most_bytes=-(-48 * bound // 5),
        )
        assert (shelf.foreground("cup") is shelf.foreground("cup")) == kept


def test_memory_is_bounded_and_the_newest_stay(
    make_source: Callable[..., Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def background(key: str) -> Background:
        calls.append(key)
        side = 40 if key == "large" else 8
        return Background(
            key, np.zeros((side, side, 3), np.uint8), np.ones((side, side), np.float32)
        )

    # 5 of 8 are for backgrounds: room for two of 8x8x3 bytes with depth, 192 + 256 each.
    shelf = AssetCache(make_source(), (8, 8), background, most_bytes=1800)
    for key in ("a", "b", "a", "c", "a", "b"):
        shelf.background(key)
    assert calls == ["a", "b", "c", "a", "b"]
    # What is larger than the whole bound is handed out, and pushes nothing out.
    for key in ("large", "large", "b"):
        assert shelf.background(key).key == key
    assert calls[5:] == ["large", "large"]


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("size", [(5, 7), (4, 6)])
def test_a_window_has_the_colours_of_the_whole(
    size: tuple[int, int], flip: bool, make_source: Callable[..., Source], gradient: Foreground
) -> None:
    shelf = AssetCache(make_source(gradient), (8, 8), lambda key: None)  # type: ignore[arg-type,return-value]
    window = slice(1, 4), slice(2, 5)
    first = shelf.scaled_foreground(layer(*size, flip=flip)).colours(window)
    shelf = AssetCache(make_source(gradient), (8, 8), lambda key: None)  # type: ignore[arg-type,return-value]
    scaled = shelf.scaled_foreground(layer(*size, flip=flip))
    np.testing.assert_array_equal(first, scaled.patch.rgb[window])
    np.testing.assert_array_equal(first, scaled.colours(window))
