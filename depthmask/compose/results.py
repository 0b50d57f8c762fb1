"""Checks what sources, geometries and placements return, and makes shared arrays read-only.

Assets are checked when they are decoded. A layer is checked at each proposal, in 0.6 us.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from depthmask.codec.metadata import plain_meta
from depthmask.compose.depth_check import depth_fault
from depthmask.data import (
    FAINT_ALPHA,
    MOST_BOX_PIXELS,
    MOST_INSTANCE_PIXELS,
    MOST_INSTANCES,
    Background,
    BackgroundInstance,
    Camera,
    DepthContract,
    Foreground,
    Layer,
    Meta,
    Plane,
    Size,
)
from depthmask.errors import DepthmaskError
from depthmask.stage.calls import StageCalls, StageError, described, is_array
from depthmask.stages.source.base import Source
from depthmask.untrusted import is_one_line

A = TypeVar("A", bound=np.ndarray | None)

_INSTANCES_OF_CANVAS = 64
"""How often the boxes of a background's instances may cover the canvas: each sample in the making
holds them, so their memory goes with that of its pixels."""
_LEAST_INSTANCE_PIXELS = 1 << 22
"""So many pixels may all boxes have on any canvas: 4 MB."""


def background_of(source: Source, key: str, size: Size) -> Background:
    """The background of a source, checked and read-only; raises `StageError`."""
    calls = StageCalls(source, "background")
    with calls:
        background = source.background(key, size)
    return checked_background(calls, background, key, size)


def checked_background(calls: StageCalls, background: object, key: str, size: Size) -> Background:
    """What a source gave as the background of a key, checked and read-only."""
    if not isinstance(background, Background):
        raise calls.returned(background, "a Background")
    _require_key(calls, background.key, key)
    _require_pixels(calls, key, background, size)
    return replace(
        background,
        image=read_only(background.image),
        depth_m=read_only(background.depth_m),
        floor=read_only(background.floor),
        meta=_meta(calls, key, background.meta),
        instances=_instances(calls, key, background.instances, size),
    )


def foreground_of(source: Source, key: str, size: Size) -> Foreground:
    """The foreground of a source for a canvas of `size`, as `background_of`."""
    calls = StageCalls(source, "foreground")
    with calls:
        foreground = source.foreground(key, size)
    return checked_foreground(calls, foreground, key)


def checked_foreground(calls: StageCalls, foreground: object, key: str) -> Foreground:
    """What a source gave as the foreground of a key, checked and read-only."""
    if not isinstance(foreground, Foreground):
        raise calls.returned(foreground, "a Foreground")
    _require_key(calls, foreground.key, key)
    _require_cut_out(calls, key, foreground)
    return replace(
        foreground,
        rgba=read_only(foreground.rgba),
        relief_m=read_only(foreground.relief_m),
        meta=_meta(calls, key, foreground.meta),
    )


def measured_backgrounds(
    calls: StageCalls, before: Sequence[Background], after: Any, contract: DepthContract | None
) -> list[Background]:
    """The result of `Geometry.measure` for backgrounds, checked and read-only.

    Metadata stay those of the source, and so do image and instances: others are refused, since the
    labels of a sample are for these. contract: of the geometry; no depth is checked without one.
    """
    expected = f"a list of {len(before)} backgrounds, as it was given"
    if not isinstance(after, Sequence) or len(after) != len(before):
        raise calls.returned(after if not isinstance(after, Sequence) else list(after), expected)
    for old, new in zip(before, after, strict=True):
        if not isinstance(new, Background) or new.key != old.key:
            raise calls.returned(new, f"the background {old.key}")
        _require_pixels(calls, old.key, new, (old.image.shape[0], old.image.shape[1]))
        _require_unchanged(calls, old, new)
        if contract is not None and (fault := depth_fault(new.depth_m, contract)):
            raise calls.fault(f"of background {old.key} returned {fault}")
    return [
        replace(
            new,
            image=old.image,
            depth_m=read_only(new.depth_m),
            meta=old.meta,
            instances=old.instances,
        )
        for old, new in zip(before, after, strict=True)
    ]


def _require_unchanged(calls: StageCalls, old: Background, new: Background) -> None:
    """Raise `StageError` if a geometry returned another image, or other instances than none."""
    if new.image is not old.image and not np.array_equal(new.image, old.image):
        raise calls.fault(f"changed the image of {old.key}; expected the image as it was given")
    if new.instances and not _are_alike(old.instances, new.instances):
        raise calls.fault(f"changed the instances of {old.key}; expected them as they were given")


def _are_alike(before: Sequence[BackgroundInstance], after: object) -> bool:
    """Whether instances are the same; they are compared only if they are other objects."""
    if after is before:
        return True
    if not isinstance(after, Sequence) or len(after) != len(before):
        return False
    pairs = zip(before, after, strict=True)
    return all(one is other or _is_alike(one, other) for one, other in pairs)


def _is_alike(before: BackgroundInstance, after: object) -> bool:
    if not isinstance(after, BackgroundInstance) or not np.array_equal(before.mask, after.mask):
        return False
    return _facts(after) == _facts(before)


def _facts(one: BackgroundInstance) -> tuple[object, ...]:
    """All but the mask."""
    return one.label, one.top, one.left, one.is_crowd, one.is_in_mask, one.meta


def checked_layer(calls: StageCalls, layer: Any, foreground: Foreground) -> Layer:
    """The layer of a placement, with a box of plain integers.

    Raises `StageError` unless it is one of the foreground, and can be made.
    """
    if not isinstance(layer, Layer):
        raise calls.returned(layer, "a Layer")
    layer = _with_plain_box(calls, layer)
    height, width = layer.height, layer.width
    if height < 1 or width < 1:
        raise calls.fault(f"returned a box of {height} x {width} pixels; expected at least 1 x 1")
    if height * width > MOST_BOX_PIXELS:
        raise calls.fault(
            f"returned a box of {height} x {width} pixels; expected at most {MOST_BOX_PIXELS:,}"
        )
    if layer.foreground != foreground.key or layer.label != foreground.label:
        raise calls.fault(
            f"returned a layer of {described(layer.foreground)} with the label "
            f"{described(layer.label)}; expected {foreground.key!r} and {foreground.label!r}"
        )
    if not isinstance(layer.flip, bool | np.bool_):
        raise calls.fault(f"returned flip={described(layer.flip)}; expected True or False")
    depth_m = layer.depth_m
    if depth_m is not None and not (_is_number(depth_m) and 0 < depth_m < math.inf):
        raise calls.fault(f"returned depth_m={described(depth_m)}; expected metres, or None")
    return layer


def _with_plain_box(calls: StageCalls, layer: Layer) -> Layer:
    """The layer with Python's integers, since products of NumPy's, such as int16, overflow."""
    top, left, height, width = box = layer.top, layer.left, layer.height, layer.width
    if type(top) is type(left) is type(height) is type(width) is int:
        return layer
    if not all(map(_is_whole, box)):
        raise calls.fault(f"returned a box {_text(box)}; expected whole pixels")
    return replace(layer, top=int(top), left=int(left), height=int(height), width=int(width))


def read_only(array: A) -> A:
    """A view that cannot be written to; the owner of the array can still write."""
    if array is None or not array.flags.writeable:
        return array
    view = array.view()
    view.setflags(write=False)
    return view


def _require_key(calls: StageCalls, key: object, asked: str) -> None:
    if key != asked:
        raise calls.fault(f"returned the key {described(key)}; expected {asked!r}, as asked for")


def _require_pixels(calls: StageCalls, key: str, background: Background, size: Size) -> None:
    """Raise `StageError` unless all arrays of a background fit the canvas."""
    height, width = size
    if not is_array(background.image, np.uint8, (height, width, 3)):
        raise _wrong(calls, key, "image", background.image, f"uint8 [{height}, {width}, 3]")
    depth_m = background.depth_m
    if depth_m is not None and not is_array(depth_m, np.float32, (height, width)):
        raise _wrong(calls, key, "depth_m", depth_m, f"float32 [{height}, {width}], or None")
    # A NaN fails the comparison.
    if depth_m is not None and not 0 <= depth_m.min() <= depth_m.max() < math.inf:
        raise calls.fault(f"of {key} returned depth_m that is negative or not finite; use 0")
    floor = background.floor
    if floor is not None and not (is_array(floor, np.uint32, (-1,)) and _below(floor, size)):
        raise _wrong(calls, key, "floor", floor, "uint32 [n] of pixel numbers, or None")
    for name, kind in (("camera", Camera), ("plane", Plane)):
        value = getattr(background, name)
        if value is not None and not isinstance(value, kind):
            raise _wrong(calls, key, name, value, f"a {kind.__name__}, or None")


def _instances(
    calls: StageCalls, key: str, instances: Any, size: Size
) -> tuple[BackgroundInstance, ...]:
    """The instances of a background, checked and read-only."""
    if not isinstance(instances, Sequence) or not all(
        isinstance(one, BackgroundInstance) for one in instances
    ):
        raise _wrong(calls, key, "instances", instances, "a sequence of BackgroundInstance")
    if len(instances) > MOST_INSTANCES:
        raise calls.fault(
            f"of {key} returned {len(instances):,} instances; expected at most {MOST_INSTANCES:,}"
        )
    for one in instances:
        _require_instance(calls, key, one, size)
    pixels = sum(one.mask.size for one in instances)
    most = _most_instance_pixels(size)
    if pixels > most:
        raise calls.fault(
            f"of {key} returned instances with boxes of {pixels:,} pixels; expected at most "
            f"{most:,}"
        )
    return tuple(
        replace(
            one,
            top=int(one.top),
            left=int(one.left),
            mask=read_only(one.mask),
            meta=_meta(calls, key, one.meta),
        )
        for one in instances
    )


def _most_instance_pixels(size: Size) -> int:
    """The most pixels of the boxes of all instances of a background on a canvas of `size`."""
    most = max(_INSTANCES_OF_CANVAS * size[0] * size[1], _LEAST_INSTANCE_PIXELS)
    return min(most, MOST_INSTANCE_PIXELS)


def _require_instance(
    calls: StageCalls, key: str, instance: BackgroundInstance, size: Size
) -> None:
    """Raise `StageError` unless an instance has a label, and pixels on the canvas."""
    label, mask, top, left = instance.label, instance.mask, instance.top, instance.left
    if not _is_label(label):
        raise _wrong(calls, key, "label", label, "a text of one line for each instance")
    if not is_array(mask, np.bool_, (-1, -1)) or not mask.size or not _is_trimmed(mask):
        raise _wrong(calls, key, "mask", mask, "bool [h, w] with a pixel at each edge")
    corner = top, left
    if not all(map(_is_whole, corner)) or not all(
        start >= 0 and int(start) + length <= side
        for start, length, side in zip(corner, mask.shape, size, strict=True)
    ):
        raise calls.fault(
            f"of {key} returned an instance of {mask.shape[0]} x {mask.shape[1]} pixels at "
            f"{_text(corner)}; expected it on the canvas of {size[0]} x {size[1]}"
        )
    for name in ("is_crowd", "is_in_mask"):
        if not isinstance(getattr(instance, name), bool | np.bool_):
            raise _wrong(calls, key, name, getattr(instance, name), "True or False")


def _is_trimmed(mask: NDArray[np.bool_]) -> bool:
    """Whether all four edges of a mask have a pixel."""
    return all(edge.any() for edge in (mask[0], mask[-1], mask[:, 0], mask[:, -1]))


def _is_label(label: object) -> bool:
    return isinstance(label, str) and bool(label) and is_one_line(label)


def _require_cut_out(calls: StageCalls, key: str, foreground: Foreground) -> None:
    """Raise `StageError` unless a foreground has a label and visible pixels."""
    label, rgba, relief_m = foreground.label, foreground.rgba, foreground.relief_m
    if not _is_label(label):
        raise _wrong(calls, key, "label", label, "a text of one line")
    if not is_array(rgba, np.uint8, (-1, -1, 4)):
        raise _wrong(calls, key, "rgba", rgba, "uint8 [h, w, 4]")
    if rgba[..., 3].max(initial=0) <= FAINT_ALPHA:
        raise calls.fault(
            f"of {key} returned no visible pixel; expected some alpha above {FAINT_ALPHA} of 255"
        )
    if relief_m is not None and not (
        is_array(relief_m, np.float32, foreground.size) and np.isfinite(relief_m).all()
    ):
        height, width = foreground.size
        raise _wrong(calls, key, "relief_m", relief_m, f"finite float32 [{height}, {width}]")
    height_m = foreground.height_m
    if height_m is not None and not (_is_number(height_m) and 0 < height_m < math.inf):
        raise _wrong(calls, key, "height_m", height_m, "metres above 0, or None")


def _wrong(calls: StageCalls, key: str, field: str, value: object, expected: str) -> DepthmaskError:
    return calls.fault(f"of {key} returned {field}={described(value)}; expected {expected}")


def _meta(calls: StageCalls, key: str, meta: Any) -> Meta | None:
    try:
        return plain_meta(meta, f"{calls.method} {key}")
    except DepthmaskError as error:
        raise StageError(calls.stage, str(error)) from None


def _below(floor: NDArray[np.uint32], size: Size) -> bool:
    return not len(floor) or int(floor.max()) < size[0] * size[1]


def _is_whole(number: object) -> bool:
    return isinstance(number, int | np.integer) and not isinstance(number, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def _text(box: Sequence[object]) -> str:
    return f"({', '.join(map(described, box))})"
