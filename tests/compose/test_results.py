"""What sources and placements return: checked, read-only, and nothing right is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from depthmask.compose.results import background_of, foreground_of, read_only, require_layer
from depthmask.data import Background, Camera, Foreground, Layer, Plane
from depthmask.stage.calls import StageCalls, StageError
from depthmask.stages.placement.random import Random
from depthmask.stages.source.base import Source

SIZE = 4, 5
WALL = Background("wall", np.zeros((*SIZE, 3), np.uint8))
CUP = Foreground("cup", "cup", np.full((2, 3, 4), 255, np.uint8))
LAYER = Layer("cup", "cup", 1, -1, 2, 3, flip=False)
PLACING = StageCalls(Random(), "place")


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
    require_layer(PLACING, replace(LAYER, **change), CUP)


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
        require_layer(PLACING, replace(LAYER, **change), CUP)


def test_read_only_arrays_stay_themselves() -> None:
    array = np.zeros(3)
    view = read_only(array)
    assert read_only(view) is view
    assert read_only(None) is None
