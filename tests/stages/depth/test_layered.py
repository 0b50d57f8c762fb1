"""Objects set into the depth of the background; and no depth at all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from depthmask.compose.depth_check import check_depth
from depthmask.data import (
    Background,
    Camera,
    Composite,
    DepthContract,
    DepthKind,
    DepthMode,
    Layer,
    LayerPixels,
    Recipe,
)
from depthmask.errors import UsageError
from depthmask.stages.depth.base import Depth
from depthmask.stages.depth.layered import Layered
from depthmask.stages.depth.none import NoDepth

GEOMETRY = DepthContract(
    kind=DepthKind.metric_z,
    unit="m",
    near=0.5,
    far=10.0,
    invalid=0.0,
    clip=True,
    resolution=(2, 3),
    estimator="somebody",
    weights_sha256="abc",
    mode=DepthMode.estimated,
)

CAMERA = Camera(f_px=4.0, cx=1.5, cy=1.0, height_m=1.5, pitch=0.0)


def composite(owners: list[list[int]], depths_m: list[float | None]) -> Composite:
    """2x3 pixels over a background of 1..6 m whose last pixel is invalid."""
    depth = np.array([[1, 2, 3], [4, 5, 0]], np.float32)
    pixels = np.zeros((2, 3, 3), np.uint8)
    layers = tuple(Layer("fg", "", 0, 0, 1, 1, False, depth_m) for depth_m in depths_m)
    return Composite(
        Recipe(0, "0", "train", "bg", (), 0),
        pixels,
        pixels[..., 0],
        layers,
        Background("bg", pixels, depth),
        [own_part(np.array(owners) == number, number) for number in range(1, 1 + len(layers))],
    )


def own_part(owned: np.ndarray, number: int) -> LayerPixels:
    alpha = np.where(owned, 255, 0).astype(np.uint8)
    return LayerPixels(number, 0, 0, alpha, alpha)


def test_objects_lie_flat_at_their_foot_point() -> None:
    one = composite([[1, 1, 2], [0, 2, 0]], [0.9, 0.75])
    other = composite([[0, 0, 0], [0, 0, 1]], [9.0])
    first, second = Layered().annotate([one, other])
    assert first.dtype == second.dtype == np.float32
    assert first.tolist() == [[np.float32(0.9)] * 2 + [0.75], [4, 0.75, 0]]
    assert second.tolist() == [[1, 2, 3], [4, 5, 9]]


def with_relief(relief: list[list[float]] | None, camera: Camera | None = CAMERA) -> Composite:
    """One object of 2x2 pixels, 2 m tall at its depth of 4 m, on columns 1 and 2."""
    flat = composite([[0, 1, 1], [0, 1, 1]], [4.0])
    depth_m = np.array([[3, 9, 9], [9, 4.5, 0]], np.float32)
    alpha = np.full((2, 2), 255, np.uint8)
    own = None if relief is None else np.array(relief, np.float32)
    return replace(
        flat,
        layers=(replace(flat.layers[0], left=1, height=2, width=2),),
        background=replace(flat.background, depth_m=depth_m, camera=camera),
        layer_pixels=(LayerPixels(1, 0, 1, alpha, alpha, own),),
    )


def test_relief_grows_with_the_metres_that_the_box_spans() -> None:
    # 2 pixels at 4 m with f = 4 pixels are 2 m, so a relief of 0.25 is half a metre.
    (found,) = Layered().annotate([with_relief([[0.25, -0.25], [0.0, 0.0]])])
    assert found.tolist() == [[3, 4.5, 3.5], [9, 4, 4]]


def test_relief_stays_within_the_range_of_the_background() -> None:
    (found,) = Layered().annotate([with_relief([[9.0, -9.0], [9.0, 9.0]])])
    # Nothing of the background is nearer than 3 m. Behind is at 9 m, 9 m, 4.5 m, and at an invalid
    # pixel, where nobody knows.
    assert found.tolist() == [[3, 9, 3], [9, 4.5, 4]]


@pytest.mark.parametrize("near", [0.5, 3.0, 3.9])
def test_relief_keeps_to_a_contract_that_begins_just_before_the_foot(near: float) -> None:
    one = with_relief([[9.0, -9.0], [-0.2, 0.0]])
    depth_m = np.full((2, 3), near, np.float32)
    one = replace(one, background=replace(one.background, depth_m=depth_m))
    (found,) = Layered().annotate([one])
    check_depth(found, replace(GEOMETRY, near=near), "0")


@pytest.mark.parametrize(
    ("stage", "one"),
    [
        (Layered(relief=False), with_relief([[0.25, 0.25], [0.25, 0.25]])),
        (Layered(), with_relief(None)),
        (Layered(), with_relief([[0.25, 0.25], [0.25, 0.25]], camera=None)),
    ],
)
def test_flat_where_asked_for_or_nothing_is_known(stage: Layered, one: Composite) -> None:
    (found,) = stage.annotate([one])
    assert found.tolist() == [[3, 4, 4], [9, 4, 4]]


def test_of_two_the_one_in_front_has_the_last_word() -> None:
    one = composite([[1, 1, 0], [0, 0, 0]], [0.75, 0.5])
    soft = np.array([[127, 128, 255]], np.uint8)
    (found,) = Layered().annotate(
        [replace(one, layer_pixels=[*one.layer_pixels[:1], LayerPixels(2, 0, 0, soft, soft)])]
    )
    assert found.tolist() == [[0.75, 0.5, 0.5], [4, 5, 0]]


def test_no_pixel_is_farther_than_what_it_covers() -> None:
    """A network's depth, which a placement's tolerance shows through; and another layer."""
    one = composite([[1, 1, 1], [1, 1, 1]], [4.5, 2.5])
    other = np.array([[255, 255, 255]], np.uint8)
    (found,) = Layered().annotate([one])
    assert found.tolist() == [[1, 2, 3], [4, 4.5, 4.5]]
    layers = [one.layer_pixels[0], LayerPixels(2, 1, 0, other, other)]
    (found,) = Layered().annotate([replace(one, layer_pixels=layers)])
    assert found.tolist() == [[1, 2, 3], [2.5, 2.5, 2.5]]
    # In front of a layer whose relief makes it nearer.
    near = with_relief([[-0.25, -0.5], [-0.5, -0.5]])
    near = replace(near, layers=(*near.layers, replace(near.layers[0], depth_m=3.8)))
    pixels = near.layer_pixels[0]
    near = replace(near, layer_pixels=(pixels, replace(pixels, number=2, relief=None)))
    (found,) = Layered().annotate([near])
    assert found.tolist() == [[3, 3.5, 3], [9, 3, 3]]


def test_what_belongs_to_glass() -> None:
    one = composite([[0, 0, 0], [0, 0, 0]], [0.5])
    alpha = np.array([[59, 60, 120]], np.uint8)
    (found,) = Layered().annotate(
        [replace(one, layer_pixels=[LayerPixels(1, 0, 0, alpha, alpha, None, 60)])]
    )
    assert found.tolist() == [[1, 0.5, 0.5], [4, 5, 0]]


def test_the_background_keeps_its_depth() -> None:
    one = composite([[0, 0, 0], [0, 0, 0]], [])
    (found,) = Layered().annotate([one])
    depth_m = one.background.depth_m
    assert depth_m is not None
    assert np.array_equal(found, depth_m)
    assert not np.shares_memory(found, depth_m)


def test_an_object_without_depth_is_invalid() -> None:
    (found,) = Layered().annotate([composite([[1, 0, 0], [0, 0, 0]], [None])])
    assert found.tolist() == [[0, 2, 3], [4, 5, 0]]


def test_the_contract_is_that_of_the_geometry() -> None:
    contract = Layered().contract((2, 3), GEOMETRY)
    assert contract == replace(GEOMETRY, mode=DepthMode.composited)
    assert Layered.reads_geometry


def test_without_geometry_it_says_what_to_choose() -> None:
    with pytest.raises(UsageError, match="choose geometry=auto or depth=none"):
        Layered().contract((2, 3), None)


def test_no_depth_reads_nothing_and_gives_nothing() -> None:
    one = composite([[0, 0, 0], [0, 0, 0]], [])
    assert NoDepth().annotate([one, one]) == [None, None]
    stage: Depth = NoDepth()
    assert stage.contract((2, 3), GEOMETRY) is None
    assert not NoDepth.reads_geometry
