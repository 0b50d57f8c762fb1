"""The `repr` of data objects: short, whatever they hold."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import typing
from typing import Any

import numpy as np
import pytest

from depthmask import (
    AssetCatalogue,
    Background,
    Composite,
    Encoded,
    FinishedSample,
    Foreground,
    Layer,
    LeftOut,
    Patch,
    Recipe,
    Record,
    Sample,
    Scene,
)
from depthmask.data import LayerPixels, StripSource
from depthmask.plan.plan import SplitAssets

IMAGE = np.arange(160 * 160 * 3, dtype=np.uint32).astype(np.uint8).reshape(160, 160, 3)
MASK = IMAGE[..., 0]
DEPTH = np.linspace(0, 4.25, 160 * 160, dtype=np.float32).reshape(160, 160)
KEYS = tuple(f"asset{number:05d}" for number in range(10_000))
META = {"notes": "x" * 10_000, "keypoints": [[1, 2]] * 1000}
BACKGROUND = Background("wall", IMAGE, DEPTH, floor=np.arange(9, dtype=np.uint32), meta=META)
RGBA = np.zeros((30, 20, 4), np.uint8)
FOREGROUND = Foreground("box", "box", RGBA, DEPTH, 0.5, META)
LAYER = Layer("box", "box", 1, 2, 30, 20, False, 1.5, meta=META)
PIXELS = LayerPixels(1, 0, 0, MASK, MASK, DEPTH)
RECIPE = Recipe(3, "000000003", "train", "wall", tuple((key, True) for key in KEYS), 3)
COMPOSITE = Composite(RECIPE, IMAGE, MASK, (LAYER,) * 50, BACKGROUND, (PIXELS,) * 50)
SAMPLE = Sample(
    "000000123", IMAGE, MASK, MASK, DEPTH, {"layers": [{"label": "sofa"}, {"label": "chair"}]},
    StripSource(IMAGE, (0, 160)), {"grey": MASK},
)  # fmt: skip


@pytest.mark.parametrize(
    "value",
    [
        BACKGROUND,
        FOREGROUND,
        LAYER,
        PIXELS,
        RECIPE,
        COMPOSITE,
        SAMPLE,
        StripSource(IMAGE, (0, 160)),
        Scene(3, BACKGROUND, (LAYER,) * 50, (FOREGROUND,) * 50, IMAGE),
        Encoded("000000123", {"jpg": b"x" * 10_000}, {"image": IMAGE}),
        FinishedSample(COMPOSITE, DEPTH, None),
        Patch(IMAGE, MASK),
        AssetCatalogue("abc", (LeftOut("bg/x.jpg", "broken"),) * 500, {}, {}, KEYS, KEYS),
        LeftOut("rows/12.csv", "broken", contents={"rows/12.csv": b"x" * 10_000}),
        SplitAssets("train", 10**6, KEYS, KEYS),
        Record("train-000000", "train", "abc", 0, 9, (), {"jpg": DEPTH}, {"image": KEYS}, {}),  # type: ignore[dict-item]
    ],
    ids=lambda value: type(value).__name__,
)
def test_no_pixels_and_no_long_collections(value: object) -> None:
    text = repr(value)
    assert text.startswith(f"{type(value).__name__}(")
    assert len(text) < 1200, text
    assert "\n" not in text


def test_a_background() -> None:
    assert repr(Background("wall", IMAGE)) == (
        "Background(key='wall', image=uint8 [160, 160, 3], guessed=False)"
    )


def test_a_sample() -> None:
    assert repr(SAMPLE) == (
        "Sample(000000123: image 160x160; mask; depth 160x160 from 0.000166 to 4.25; instances; "
        "layers [sofa, chair]; labels grey)"
    )


@pytest.mark.parametrize("layers", [None, 3, [3], [{"label": 3}, {}], "abc"])
def test_a_sample_of_a_file_with_anything_in_its_json(layers: object) -> None:
    sample = Sample(
        "000000001", IMAGE, MASK, None, np.zeros((2, 3), np.float32), {"layers": layers}
    )
    assert repr(sample).startswith("Sample(000000001: image 160x160; mask; depth 2x3 all invalid")
    assert "depth" not in repr(Sample("000000001", IMAGE, MASK, None, None, {}))


FEW = (
    LAYER,
    dataclasses.replace(RECIPE, foregrounds=()),
    Scene(3, Background("wall", IMAGE)),
    Encoded("000000123", {"jpg": b"x"}, {}),
    StripSource(IMAGE, (0, 160)),
    Patch(IMAGE, MASK),
)


@pytest.mark.parametrize("value", FEW, ids=lambda one: type(one).__name__)
def test_what_is_made_often_is_as_dataclass_makes_it(value: Any) -> None:
    cls: Any = type(value)
    names = [item.name for item in dataclasses.fields(cls)]
    assert list(inspect.signature(cls).parameters) == names
    values = {name: getattr(value, name) for name in names}
    copies = (cls(**values), cls(*values.values()), copy.copy(value), dataclasses.replace(value))
    for one in (*copies, pickle.loads(pickle.dumps(value))):
        assert type(one) is cls
        assert repr(one) == repr(value)
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(one, names[0], None)
        with pytest.raises(dataclasses.FrozenInstanceError):
            delattr(one, names[0])
    with pytest.raises(TypeError, match=rf"{cls.__name__}.__init__\(\) missing .* '{names[0]}'"):
        cls()


def test_what_is_made_often_has_type_hints() -> None:
    """As tools that build objects from settings read them."""
    hints = typing.get_type_hints(Layer.__init__)
    assert hints["top"] is int
    assert hints["meta"] == typing.get_type_hints(Layer)["meta"]
    assert Layer.__init__.__module__ == "depthmask.data.composite"


def test_each_object_has_its_own_default() -> None:
    one, other = (Sample("0", IMAGE, MASK, None, None, {}) for _ in range(2))
    assert one.labels == {} == other.labels
    assert one.labels is not other.labels


@dataclasses.dataclass(frozen=True, slots=True)
class Wheeled(Layer):
    """A layer of a plugin, with a field of its own."""

    wheels: int = 4


class Named(Layer):
    """A layer of a plugin, without slots."""

    name = "a layer"


def test_a_subclass_of_what_is_made_often_keeps_its_class_and_fields() -> None:
    values = ("box", "box", 1, 2, 30, 20, False)
    for cls in (Wheeled, Named):
        layer = cls(*values, depth_m=2.5)
        assert type(layer) is cls
        assert (layer.left, layer.depth_m, layer.visible) == (2, 2.5, 1.0)
        assert pickle.loads(pickle.dumps(layer)) == layer
        with pytest.raises(dataclasses.FrozenInstanceError):
            layer.top = 3  # type: ignore[misc]
    assert Wheeled(*values).wheels == 4
    assert dataclasses.replace(Wheeled(*values), wheels=6, top=7).top == 7
