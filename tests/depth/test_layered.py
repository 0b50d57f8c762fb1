"""Objects set into the depth of the background; and no depth at all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from depthmask.data import (
    Background,
    Composite,
    DepthContract,
    DepthKind,
    DepthMode,
    Layer,
    Recipe,
)
from depthmask.depth.base import Depth
from depthmask.depth.layered import Layered
from depthmask.depth.none import NoDepth
from depthmask.errors import UsageError

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


def composite(instances: list[list[int]], depths_m: list[float | None], dtype: str) -> Composite:
    """2x3 pixels over a background of 1..6 m whose last pixel is invalid."""
    depth = np.array([[1, 2, 3], [4, 5, 0]], np.float32)
    pixels = np.zeros((2, 3, 3), np.uint8)
    layers = tuple(Layer("fg", "", 0, 0, 1, 1, False, depth_m) for depth_m in depths_m)
    return Composite(
        Recipe(0, "0", "train", "bg", (), 0),
        pixels,
        pixels[..., 0],
        np.array(instances, dtype),
        layers,
        Background("bg", pixels, depth),
    )


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_objects_lie_flat_at_their_foot_point(dtype: str) -> None:
    one = composite([[1, 1, 2], [0, 2, 0]], [2.5, 0.75], dtype)
    other = composite([[0, 0, 0], [0, 0, 1]], [9.0], dtype)
    first, second = Layered().annotate([one, other])
    assert first.dtype == second.dtype == np.float32
    assert first.tolist() == [[2.5, 2.5, 0.75], [4, 0.75, 0]]
    assert second.tolist() == [[1, 2, 3], [4, 5, 9]]


def test_the_background_keeps_its_depth() -> None:
    one = composite([[0, 0, 0], [0, 0, 0]], [], "uint8")
    (found,) = Layered().annotate([one])
    depth_m = one.background.depth_m
    assert depth_m is not None
    assert np.array_equal(found, depth_m)
    assert not np.shares_memory(found, depth_m)


def test_an_object_without_depth_is_invalid() -> None:
    (found,) = Layered().annotate([composite([[1, 0, 0], [0, 0, 0]], [None], "uint8")])
    assert found.tolist() == [[0, 2, 3], [4, 5, 0]]


def test_the_contract_is_that_of_the_geometry() -> None:
    contract = Layered().contract((2, 3), GEOMETRY)
    assert contract == replace(GEOMETRY, mode=DepthMode.composited)
    assert Layered.reads_geometry


def test_without_geometry_it_says_what_to_choose() -> None:
    with pytest.raises(UsageError, match="choose geometry=auto or depth=none"):
        Layered().contract((2, 3), None)


def test_no_depth_reads_nothing_and_gives_nothing() -> None:
    one = composite([[0, 0, 0], [0, 0, 0]], [], "uint8")
    assert NoDepth().annotate([one, one]) == [None, None]
    stage: Depth = NoDepth()
    assert stage.contract((2, 3), GEOMETRY) is None
    assert not NoDepth.reads_geometry
