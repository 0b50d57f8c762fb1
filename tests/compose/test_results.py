"""What sources and placements return: checked, read-only, and nothing right is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from depthmask.compose.results import (
    background_of,
    checked_layer,
    foreground_of,
    measured_backgrounds,
    read_only,
)
from depthmask.data import (
    MOST_INSTANCES,
    Background,
    BackgroundInstance,
    Camera,
    Foreground,
    Layer,
    Plane,
)
from depthmask.stage.calls import StageCalls, StageError
from depthmask.stages.geometry.source import SourceGeometry
from depthmask.stages.placement.random import Random
from depthmask.stages.source.base import Source

SIZE = 4, 5
WALL = Background("wall", np.zeros((*SIZE, 3), np.uint8))
CUP = Foreground("cup", "cup", np.full((2, 3, 4), 255, np.uint8))
LAYER = Layer("cup", "cup", 1, -1, 2, 3, flip=False)
MUG = BackgroundInstance("mug", np.eye(3, dtype=bool), 1, 2)
AT_A_FLOAT = replace(MUG, left=1.0)  # type: ignore[arg-type]
CROWD_OF_ONE = replace(MUG, is_crowd=1)  # type: ignore[arg-type]
PLACING = StageCalls(Random(), "place")
MEASURING = StageCalls(SourceGeometry(), "measure")


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"depth_m": np.zeros(SIZE, np.float32)},
        {"floor": np.array([0, 19], np.uint32)},
        {"floor": np.array([], np.uint32)},
        {"camera": Camera(1, 2, 3, 4, 5), "plane": Plane((0, 1, 0), 1)},
        {"image": np.zeros((*SIZE, 6), np.uint8)[..., ::2]},
        {"image": np.asfortranarray(WALL.image)},
        {"meta": {"caption": "a wall"}},
    ],
)
def test_right_backgrounds_pass(make_source: Callable[..., Source], change: Any) -> None:
    background = replace(WALL, **change)
    returned = background_of(make_source(background), "wall", SIZE)
    for name in ("image", "depth_m", "floor"):
        array, mine = getattr(returned, name), getattr(background, name)
        assert (array is None) == (mine is None)
        if array is not None:
            assert np.shares_memory(array, mine) or not array.size
            assert not array.flags.writeable
            assert mine.flags.writeable, "the source may still write into its own array"
    assert (returned.camera, returned.meta) == (background.camera, background.meta)


def test_instances_pass(make_source: Callable[..., Source]) -> None:
    """Also at the last row and column; they become read-only."""
    others = [replace(MUG, is_crowd=True, meta={"id": (1, 2)}), replace(MUG, top=0, left=0)]
    source = make_source(replace(WALL, instances=(MUG, *others)))
    returned = background_of(source, "wall", SIZE).instances
    assert [(one.top, one.left, one.is_crowd, one.meta) for one in returned] == [
        (1, 2, False, None),
        (1, 2, True, {"id": [1, 2]}),
        (0, 0, False, None),
    ]
    assert not any(one.mask.flags.writeable for one in returned)


@pytest.mark.parametrize(
    ("size", "most", "said"),
    [
        ((1500, 2000), 44, "135,000,000 pixels; expected at most 134,217,728"),
        ((1000, 1000), 64, "65,000,000 pixels; expected at most 64,000,000"),
        ((100, 100), 419, "4,200,000 pixels; expected at most 4,194,304"),
    ],
)
def test_instances_of_too_many_pixels_are_refused(
    make_source: Callable[..., Source], size: tuple[int, int], most: int, said: str
) -> None:
    """As many as fit the canvas 64 times, or a number for small and for large ones."""
    one = BackgroundInstance("mug", np.ones(size, bool))
    wall = Background("wall", np.zeros((*size, 3), np.uint8), instances=(one,) * most)
    assert len(background_of(make_source(wall), "wall", size).instances) == most
    with pytest.raises(StageError, match=said):
        background_of(make_source(replace(wall, instances=(one,) * (most + 1))), "wall", size)


OWN = replace(WALL, instances=(MUG, replace(MUG, top=0)))
COPIES = tuple(replace(one, mask=one.mask.copy()) for one in OWN.instances)


@pytest.mark.parametrize("change", [{}, {"instances": COPIES}, {"image": WALL.image.copy()}])
def test_a_geometry_may_copy_what_it_was_given(change: Any) -> None:
    (one,) = measured_backgrounds(MEASURING, [OWN], [replace(OWN, **change)], None)
    assert one.image is OWN.image
    assert one.instances is OWN.instances
    # Without instances, it is silent about them.
    (one,) = measured_backgrounds(MEASURING, [OWN], [replace(WALL, **change)], None)
    assert one.instances is OWN.instances


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"image": WALL.image + np.uint8(1)}, "changed the image of wall"),
        ({"instances": (MUG,)}, "changed the instances of wall"),
        ({"instances": (MUG, replace(MUG, top=0, label="cup"))}, "changed the instances of wall"),
        ({"instances": (MUG, MUG)}, "changed the instances of wall"),
        ({"instances": (MUG, replace(COPIES[1], mask=~MUG.mask))}, "changed the instances of wall"),
    ],
)
def test_a_geometry_may_change_neither_image_nor_instances(change: Any, said: str) -> None:
    with pytest.raises(StageError, match=said):
        measured_backgrounds(MEASURING, [OWN], [replace(OWN, **change)], None)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"image": np.zeros((5, 4, 3), np.uint8)}, r"image=uint8 \[5, 4, 3\]; expected uint8 \[4"),
        ({"image": np.zeros(SIZE, np.uint8)}, r"image=uint8 \[4, 5\]; expected"),
        ({"image": np.zeros((*SIZE, 4), np.uint8)}, r"image=uint8 \[4, 5, 4\]; expected"),
        ({"image": WALL.image.tolist()}, "image=a list; expected"),
        ({"depth_m": np.zeros(SIZE)}, r"depth_m=float64 \[4, 5\]; expected float32 \[4, 5\]"),
        ({"depth_m": np.zeros((4, 5, 1), np.float32)}, r"depth_m=float32 \[4, 5, 1\]"),
        ({"depth_m": np.full(SIZE, -1, np.float32)}, "depth_m that is negative"),
        ({"depth_m": np.full(SIZE, np.inf, np.float32)}, "depth_m that is negative or not finite"),
        ({"floor": np.array([20], np.uint32)}, r"floor=uint32 \[1\]; expected uint32 \[n\] of"),
        ({"floor": np.array([1])}, r"floor=int64 \[1\]"),
        ({"camera": (1, 2, 3, 4, 5)}, "camera=a tuple; expected a Camera, or None"),
        ({"plane": [0, 1, 0]}, "plane=a list; expected a Plane, or None"),
        ({"meta": {"when": {1}}}, "background wall: meta must be plain JSON data"),
        ({"instances": None}, "instances=None; expected a sequence of BackgroundInstance"),
        ({"instances": (LAYER,)}, "instances=a tuple; expected a sequence of BackgroundInstance"),
        ({"instances": [MUG] * (MOST_INSTANCES + 1)}, "10,001 instances; expected at most 10,000"),
        ({"instances": (replace(MUG, label=""),)}, "label=''; expected a text of one line"),
        ({"instances": (replace(MUG, label="a\nb"),)}, "expected a text of one line for each"),
        ({"instances": (replace(MUG, top=2),)}, r"3 x 3 pixels at \(2, 2\); expected it on the"),
        ({"instances": (replace(MUG, left=-1),)}, r"at \(1, -1\); expected it on the canvas"),
        (
            {"instances": (AT_A_FLOAT,)},
            r"at \(1, 1.0\); expected it on the canvas",
        ),
        ({"instances": (replace(MUG, mask=np.ones((2, 2), np.uint8)),)}, "mask=uint8"),
        ({"instances": (replace(MUG, mask=np.zeros((2, 2), bool)),)}, "with a pixel at each edge"),
        ({"instances": (replace(MUG, mask=np.ones((0, 2), bool)),)}, "with a pixel at each edge"),
        ({"instances": (CROWD_OF_ONE,)}, "is_crowd=1; expected True or False"),
        ({"instances": (replace(MUG, meta={"a": {1}}),)}, "meta must be plain JSON data"),
    ],
)
def test_wrong_backgrounds_are_refused(
    make_source: Callable[..., Source], change: Any, said: str
) -> None:
    with pytest.raises(StageError, match=said):
        background_of(make_source(replace(WALL, **change)), "wall", SIZE)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"label": ""}, "label=''; expected a text of one line"),
        ({"label": "a\nb"}, "label='a\\\\nb'; expected"),
        ({"label": 3}, "label=3; expected"),
        ({"rgba": np.zeros((0, 3, 4), np.uint8)}, "no visible pixel"),
        ({"rgba": np.full((2, 3, 4), 16, np.uint8)}, "expected some alpha above 16 of 255"),
        ({"rgba": np.ones((2, 3, 4), np.float32)}, r"rgba=float32 \[2, 3, 4\]; expected uint8"),
        ({"relief_m": np.zeros((3, 2), np.float32)}, r"relief_m=float32 \[3, 2\]; expected"),
        ({"relief_m": np.full((2, 3), np.nan, np.float32)}, "expected finite float32"),
        ({"height_m": float("nan")}, "height_m=nan; expected metres above 0, or None"),
        ({"height_m": "1.8"}, "height_m='1.8'; expected metres"),
        ({"height_m": -1}, "height_m=-1; expected"),
    ],
)
def test_wrong_foregrounds_are_refused(
    make_source: Callable[..., Source], change: Any, said: str
) -> None:
    with pytest.raises(StageError, match=said):
        foreground_of(make_source(replace(CUP, **change)), "cup", SIZE)


def test_right_foregrounds_pass(make_source: Callable[..., Source]) -> None:
    relief = np.zeros((2, 3), np.float32)
    for change in ({}, {"relief_m": relief}, {"height_m": np.float32(1.8)}, {"height_m": 2}):
        source = make_source(replace(CUP, **change))
        returned = foreground_of(source, "cup", SIZE)
        assert not returned.rgba.flags.writeable
        assert returned.relief_m is None or not returned.relief_m.flags.writeable


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"top": np.int64(3)},
        {"flip": np.bool_(True)},
        {"depth_m": np.float32(2)},
        {"depth_m": 3},
        {"top": -(10**9), "left": 10**9},
        {"height": 5000, "width": 6000},
    ],
)
def test_right_layers_pass(change: Any) -> None:
    checked_layer(PLACING, replace(LAYER, **change), CUP)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"top": 1.0}, r"a box \(1\.0, -1, 2, 3\); expected whole pixels"),
        ({"left": None}, r"a box \(1, None, 2, 3\); expected whole pixels"),
        ({"height": True}, "expected whole pixels"),
        ({"top": np.float64(2)}, "expected whole pixels"),
        ({"width": -3}, "a box of 2 x -3 pixels; expected at least 1 x 1"),
        ({"height": 10**6, "width": 10**6}, "expected at most 33,554,432"),
        ({"foreground": "mug"}, "a layer of 'mug' with the label 'cup'; expected 'cup' and 'cup'"),
        ({"label": None}, "with the label None"),
        ({"depth_m": 0}, "depth_m=0; expected metres, or None"),
        ({"depth_m": float("inf")}, "depth_m=inf"),
        ({"depth_m": "near"}, "depth_m='near'"),
        ({"flip": 1}, "flip=1; expected True or False"),
    ],
)
def test_wrong_layers_are_refused(change: Any, said: str) -> None:
    with pytest.raises(StageError, match=said):
        checked_layer(PLACING, replace(LAYER, **change), CUP)


@pytest.mark.parametrize("kind", [np.int16, np.uint16, np.int32])
def test_boxes_of_numpy_integers_become_plain(kind: type[np.integer[Any]]) -> None:
    """Products of NumPy's integers overflow: 200 * 200 is more than int16 holds."""
    box: dict[str, Any] = {"top": 10, "left": 3, "height": 200, "width": 200}
    of_numpy: dict[str, Any] = {name: kind(value) for name, value in box.items()}
    layer = checked_layer(PLACING, replace(LAYER, **of_numpy), CUP)
    assert layer == replace(LAYER, **box)
    assert {type(getattr(layer, name)) for name in box} == {int}
    huge: Any = kind(np.iinfo(kind).max)
    if int(huge) ** 2 > 33_554_432:
        with pytest.raises(StageError, match="expected at most 33,554,432"):
            checked_layer(PLACING, replace(LAYER, height=huge, width=huge), CUP)


def test_read_only_arrays_stay_themselves() -> None:
    array = np.zeros(3)
    view = read_only(array)
    assert read_only(view) is view
    assert read_only(None) is None
