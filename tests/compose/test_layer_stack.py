"""Who hides whom, against loops over single pixels."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from depthmask.compose.asset_cache import ScaledForeground
from depthmask.compose.layer_stack import (
    LayerStack,
    Misfit,
    intersection,
    is_surely_unseen,
)
from depthmask.data import Foreground, Layer, Size, UInt8, UInt16, instance_map

START = st.integers(-9, 12)
SIDE = st.integers(1, 8)
BOXES = st.tuples(START, START, SIDE, SIDE)
CANVAS = (9, 11)


def box(top: int, left: int, height: int, width: int) -> Layer:
    return Layer("fg", "thing", top, left, height, width, False)


def cut_out(alpha: np.ndarray) -> ScaledForeground:
    rgb = np.zeros((*alpha.shape, 3), np.uint8)
    return ScaledForeground(alpha, lambda window: rgb[window], int(alpha.sum(dtype=np.int64)), 128)


def soft(size: Size, seed: int) -> ScaledForeground:
    """Alpha of all sorts: clear, solid and between."""
    rng = np.random.default_rng(seed)
    return cut_out(
        rng.choice(np.array([0, 255, 127, 128, 3, 254], np.uint8), size).astype(np.uint8)
    )


def solid(size: Size, alpha: int = 255) -> ScaledForeground:
    return cut_out(np.full(size, alpha, np.uint8))


def owners(cover: LayerStack) -> UInt8 | UInt16:
    return instance_map(cover.mask.shape, cover.layer_pixels)


def add(
    cover: LayerStack, layer: Layer, what: ScaledForeground, least: float = 0, most: float = 1
) -> bool:
    return cover.add(layer, what, min_visible=least, max_overlap=most) is None


class ByPixel:
    """The same stack, one pixel after another, in Python's integers."""

    def __init__(self, size: Size) -> None:
        self.pixels = [(y, x) for y in range(size[0]) for x in range(size[1])]
        self.mask = dict.fromkeys(self.pixels, 0)
        self.instances = dict.fromkeys(self.pixels, 0)
        self.seen: list[dict[tuple[int, int], int]] = []
        self.whole: list[int] = []

    def add(self, layer: Layer, what: ScaledForeground) -> None:
        own = {
            (y, x): int(what.patch.alpha[y - layer.top, x - layer.left])
            if 0 <= y - layer.top < layer.height and 0 <= x - layer.left < layer.width
            else 0
            for y, x in self.pixels
        }
        for pixel, alpha in own.items():
            for seen in self.seen:
                seen[pixel] = self.over(seen[pixel] * (255 - alpha))
            self.mask[pixel] = 255 - self.over((255 - self.mask[pixel]) * (255 - alpha))
            if alpha >= 128:
                self.instances[pixel] = len(self.seen) + 1
        self.seen.append(own)
        self.whole.append(int(what.patch.alpha.astype(int).sum()))

    def visible(self) -> list[float]:
        pairs = zip(self.seen, self.whole, strict=True)
        return [sum(seen.values()) / whole for seen, whole in pairs]

    @staticmethod
    def over(product: int) -> int:
        return (2 * product + 255) // 510


@given(BOXES)
def test_window_is_where_box_and_canvas_meet(numbers: tuple[int, int, int, int]) -> None:
    layer = box(*numbers)
    meet = intersection(layer, CANVAS)
    area = layer.height * layer.width
    canvas, within = np.zeros(CANVAS, int), np.arange(1, area + 1).reshape(numbers[2:])
    pairs = 0
    for y in range(CANVAS[0]):
        for x in range(CANVAS[1]):
            if 0 <= y - layer.top < layer.height and 0 <= x - layer.left < layer.width:
                canvas[y, x] = within[y - layer.top, x - layer.left]
                pairs += 1
    assert meet.area == pairs
    assert meet.is_whole == (pairs == within.size)
    if pairs:
        assert np.array_equal(canvas[meet.canvas], within[meet.box])
        assert canvas[meet.canvas].size == pairs


@given(numbers=BOXES, seed=st.integers(0, 9))
def test_visible_part_of_one_cut_out(numbers: tuple[int, int, int, int], seed: int) -> None:
    layer, what = box(*numbers), soft(numbers[2:], seed)
    cover, slow = LayerStack(CANVAS), ByPixel(CANVAS)
    accepted = add(cover, layer, what)
    slow.add(layer, what)
    on_canvas = sum(slow.seen[0].values())
    assert accepted == (on_canvas > 0)
    if accepted:
        assert cover.visible == (on_canvas / what.alpha_sum,)
    else:
        assert cover.visible == ()
        assert not cover.mask.any()


@given(st.lists(st.tuples(BOXES, st.integers(0, 99)), min_size=1, max_size=5))
def test_stacks_of_soft_cut_outs(stack: list[tuple[tuple[int, int, int, int], int]]) -> None:
    cover, slow = LayerStack(CANVAS), ByPixel(CANVAS)
    for numbers, seed in stack:
        layer, what = box(*numbers), soft(numbers[2:], seed)
        if add(cover, layer, what):
            slow.add(layer, what)
    assert cover.mask.ravel().tolist() == list(slow.mask.values())
    assert owners(cover).ravel().tolist() == list(slow.instances.values())
    assert cover.visible == pytest.approx(slow.visible(), abs=1e-12)


@given(numbers=BOXES, least=st.floats(0, 1))
def test_min_visible_decides_at_the_canvas_edge(
    numbers: tuple[int, int, int, int], least: float
) -> None:
    layer, what = box(*numbers), solid(numbers[2:])
    cover = LayerStack(CANVAS)
    meet = intersection(layer, CANVAS)
    part = meet.area / (layer.height * layer.width)
    expected = meet.area > 0 and meet.area * 255 >= least * what.alpha_sum
    assert add(cover, layer, what, least) == expected
    if expected:
        assert cover.visible == (part,)


def test_union_and_instances_of_two_by_hand() -> None:
    cover = LayerStack((1, 5))
    assert add(cover, box(0, 0, 1, 3), solid((1, 3)))
    assert add(cover, box(0, 2, 1, 2), cut_out(np.array([[128, 127]], np.uint8)))
    assert cover.mask.tolist() == [[255, 255, 255, 127, 0]]
    # 128 owns the pixel, 127 does not.
    assert owners(cover).tolist() == [[1, 1, 2, 0, 0]]
    assert cover.visible == pytest.approx(((255 + 255 + 127) / 765, 1.0))


def test_soft_alphas_unite_as_independent_screens() -> None:
    cover = LayerStack((1, 1))
    for _ in range(2):
        assert add(cover, box(0, 0, 1, 1), solid((1, 1), 128))
    # 255 - 127 * 127 / 255 = 191.75
    assert cover.mask[0, 0] == 192


def test_a_new_layer_must_not_hide_too_much_of_one_behind() -> None:
    cover = LayerStack((4, 8))
    assert add(cover, box(0, 0, 4, 4), solid((4, 4)), 0.25)
    before = cover.mask.copy(), owners(cover).copy(), cover.visible
    # Leaves 0 of 4 columns; then 1 of 4, which is 0.25 and enough.
    assert not add(cover, box(0, 0, 4, 8), solid((4, 8)), 0.25)
    assert np.array_equal(cover.mask, before[0])
    assert np.array_equal(owners(cover), before[1])
    assert cover.visible == before[2]
    assert add(cover, box(0, 1, 4, 7), solid((4, 7)), 0.25)
    assert cover.visible == (0.25, 1.0)


def test_layers_behind_add_up_what_hides_them() -> None:
    cover = LayerStack((1, 8))
    assert add(cover, box(0, 0, 1, 8), solid((1, 8)), 0.5)
    assert add(cover, box(0, 0, 1, 3), solid((1, 3)), 0.5)
    # 3 of 8 are hidden already; 2 more would leave 3 of 8.
    assert not add(cover, box(0, 6, 1, 2), solid((1, 2)), 0.5)
    assert add(cover, box(0, 7, 1, 1), solid((1, 1)), 0.5)
    assert cover.visible == (0.5, 1.0, 1.0)


def test_what_the_edge_took_counts_against_a_layer_behind() -> None:
    cover = LayerStack((1, 8))
    # Half of it lies beyond the left edge.
    assert add(cover, box(0, -4, 1, 8), solid((1, 8)), 0.4)
    assert cover.visible == (0.5,)
    assert not add(cover, box(0, 3, 1, 4), solid((1, 4)), 0.4)
    assert add(cover, box(0, 4, 1, 4), solid((1, 4)), 0.4)


@pytest.mark.parametrize(
    ("most", "accepted"), [(0.0, False), (0.49, False), (0.5, True), (1, True)]
)
def test_max_overlap_is_the_part_of_the_new_cut_out(most: float, accepted: bool) -> None:
    cover = LayerStack((2, 8))
    assert add(cover, box(0, 0, 2, 6), solid((2, 6)))
    assert add(cover, box(0, 4, 2, 4), solid((2, 4)), 0, most) == accepted


def test_only_the_part_on_the_canvas_counts_for_max_overlap() -> None:
    cover = LayerStack((2, 8))
    assert add(cover, box(0, 0, 2, 7), solid((2, 7)))
    # Two of its four columns lie on the canvas, and one of those on the first layer.
    assert not add(cover, box(0, 6, 2, 4), solid((2, 4)), 0, 0.49)
    assert add(cover, box(0, 6, 2, 4), solid((2, 4)), 0, 0.5)


def test_without_overlap_neighbours_may_touch() -> None:
    cover = LayerStack((2, 8))
    assert add(cover, box(0, 0, 2, 4), solid((2, 4)), 1, 0)
    assert add(cover, box(0, 4, 2, 4), solid((2, 4)), 1, 0)
    assert not add(cover, box(0, 3, 1, 1), solid((1, 1)), 1, 0)
    assert cover.visible == (1.0, 1.0)


def test_transparent_and_distant_cut_outs_are_refused() -> None:
    cover = LayerStack((4, 4))
    assert not add(cover, box(0, 0, 2, 2), solid((2, 2), 0))
    assert not add(cover, box(4, 0, 2, 2), solid((2, 2)))
    assert not add(cover, box(-2, 0, 2, 2), solid((2, 2)))
    clear_side = np.zeros((1, 4), np.uint8)
    clear_side[0, :2] = 255
    assert not add(cover, box(0, -2, 1, 4), cut_out(clear_side))
    assert not cover.mask.any()


def test_more_than_255_layers_need_16_bits() -> None:
    cover = LayerStack((10, 30))
    for number in range(300):
        assert add(cover, box(*divmod(number, 30), 1, 1), solid((1, 1)))
        assert owners(cover).dtype == (np.uint8 if number < 255 else np.uint16)
    assert owners(cover).ravel().tolist() == list(range(1, 301))


def test_the_nearest_owns_the_pixel_in_10000_scenes() -> None:
    rng, size = np.random.default_rng(0), (12, 16)
    stacked = 0
    for _ in range(10_000):
        depth_m = rng.uniform(1, 6, size).astype(np.float32)
        depth_m[rng.random(size) < 0.05] = 0
        cover = LayerStack(size, depth_m)
        nearest = np.where(depth_m > 0, depth_m, np.inf)
        owner, whole, own = np.zeros(size, int), [], []
        for _ in range(int(rng.integers(2, 6))):
            top, left = (int(one) for one in rng.integers(-4, 12, 2))
            height, width = (int(one) for one in rng.integers(1, 9, 2))
            alpha = (rng.random((height, width)) < 0.8).astype(np.uint8) * 255
            there_m = float(rng.uniform(1, 6))
            layer = dataclasses.replace(box(top, left, height, width), depth_m=there_m)
            if not alpha.any() or not add(cover, layer, cut_out(alpha)):
                continue
            whole.append(np.count_nonzero(alpha))
            own.append(there_m)
            for y in range(max(top, 0), min(top + height, size[0])):
                for x in range(max(left, 0), min(left + width, size[1])):
                    if alpha[y - top, x - left] and there_m <= nearest[y, x]:
                        nearest[y, x], owner[y, x] = there_m, len(whole)
        # A layer that another hides wholly is refused only where `min_visible` says so.
        assert np.array_equal(owners(cover), owner)
        assert np.array_equal(cover.mask, np.where(owner > 0, 255, 0))
        shown = [np.count_nonzero(owner == one) / of for one, of in enumerate(whole, start=1)]
        assert cover.visible == pytest.approx(shown, abs=1e-12)
        depths = [own[one - 1] for one in np.unique(owner[owner > 0])]
        stacked += len(depths) > 1
    assert stacked > 5000


def test_patches_come_from_back_to_front() -> None:
    cover = LayerStack((4, 4))
    for depth_m in (3.0, 1.0, 2.0):
        layer = dataclasses.replace(box(0, 0, 4, 4), depth_m=depth_m)
        # A corner each, so that all of them show.
        alpha = np.zeros((4, 4), np.uint8)
        alpha[int(depth_m)] = 255
        alpha[0, 0] = int(depth_m) * 10
        assert add(cover, layer, cut_out(alpha))
    assert [int(patch.alpha[0, 0]) for _, patch, _, _ in cover.patches] == [30, 20, 10]


def test_the_background_hides_what_is_farther_by_more_than_the_tolerance() -> None:
    depth_m = np.array([[1.0, 1.95, 1.99, 2.0, 3.0, 0.0]], np.float32)
    layer = dataclasses.replace(box(0, 0, 1, 6), depth_m=2.0)
    for tolerance, shown in ((0.0, [0, 0, 0, 1, 1, 1]), (0.02, [0, 0, 1, 1, 1, 1])):
        cover = LayerStack((1, 6), depth_m, tolerance)
        assert add(cover, layer, solid((1, 6)))
        assert (cover.mask[0] // 255).tolist() == shown
        assert cover.visible == (sum(shown) / 6,)
    assert not add(LayerStack((1, 6), depth_m), layer, solid((1, 6)), least=0.6)


def test_what_a_nearer_one_would_hide_too_much_of_is_refused() -> None:
    cover = LayerStack((1, 8))
    assert add(cover, dataclasses.replace(box(0, 0, 1, 6), depth_m=1.0), solid((1, 6)))
    behind = dataclasses.replace(box(0, 2, 1, 6), depth_m=2.0)
    assert not add(cover, behind, solid((1, 6)), least=0.5)
    assert add(cover, behind, solid((1, 6)), least=0.3)
    assert owners(cover).tolist() == [[1, 1, 1, 1, 1, 1, 2, 2]]
    assert cover.visible == (1.0, 2 / 6)


@settings(max_examples=200, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.tuples(st.integers(20, 200), st.integers(20, 200)),
    st.floats(0.01, 1),
    st.booleans(),
)
def test_what_is_surely_unseen_would_not_be_added(
    seed: int, scaled: Size, min_visible: float, flip: bool
) -> None:
    rng = np.random.default_rng(seed)
    alpha = np.where(rng.random((12, 9)) < rng.random(), 255, 0).astype(np.uint8)
    alpha[0, 0] = 255
    foreground = Foreground("a", "a", np.dstack([np.zeros((12, 9, 3), np.uint8), alpha]))
    top, left = (int(rng.integers(-one, CANVAS[0])) for one in scaled)
    layer = dataclasses.replace(box(top, left, *scaled), flip=flip)
    image = Image.fromarray(foreground.rgba)
    rgba = np.asarray(image.resize((layer.width, layer.height), Image.Resampling.LANCZOS))
    whole = cut_out(rgba[:, :: -1 if flip else 1, 3])
    misfit = LayerStack(CANVAS).add(layer, whole, min_visible=min_visible, max_overlap=1)
    if is_surely_unseen(layer, foreground.rgba[..., 3], CANVAS, min_visible):
        assert misfit is Misfit.unseen


def test_a_giant_is_surely_unseen_and_what_fits_is_not() -> None:
    alpha = np.full((40, 20), 255, np.uint8)
    assert is_surely_unseen(box(-3000, 0, 3016, 1500), alpha, CANVAS, 0.25)
    assert is_surely_unseen(box(99, 0, 300, 200), alpha, CANVAS, 0.25)
    assert not is_surely_unseen(box(0, 0, 24, 24), alpha, CANVAS, 0.25)
    assert not is_surely_unseen(box(-1, -1, 17, 22), alpha, CANVAS, 0.25)


def test_one_near_pixel_hides_a_layer_wherever_it_is() -> None:
    """Depth is read in blocks first, whose edges must not matter."""
    size, rng = (70, 70), np.random.default_rng(0)
    for _ in range(60):
        row, column = (int(one) for one in rng.integers(0, 70, 2))
        depth_m = np.full(size, 9, np.float32)
        depth_m[row, column] = 1
        layer = dataclasses.replace(box(20, 25, 31, 33), depth_m=5.0)
        cover = LayerStack(size, depth_m)
        assert add(cover, layer, solid((31, 33)))
        is_hidden = 20 <= row < 51 and 25 <= column < 58
        assert np.count_nonzero(cover.mask == 0) == 70 * 70 - 31 * 33 + is_hidden
