"""Keeps the assets of sources: backgrounds and foregrounds, prepared for a canvas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthmask.asset_store.entry import Entry
from depthmask.asset_store.folder import is_stored, load, save
from depthmask.asset_store.names import entry_name
from depthmask.data import Background, BackgroundInstance, Camera, Flags, Foreground, Plane

_INSTANCES = "instances"


def load_background(source: str, identity: str, key: str) -> Background | None:
    """The background of an identity, under this key; None if it is not stored.

    source: the name of the source; entries are counted by it.
    """
    entry = load(entry_name(f"{source}-backgrounds", identity))
    if entry is None:
        return None
    arrays, fields = entry.arrays, entry.fields
    return Background(
        key=key,
        image=arrays["image"],
        depth_m=arrays.get("depth_m"),
        camera=as_camera(fields["camera"]),
        plane=as_plane(fields["plane"]),
        floor=arrays.get("floor"),
        guessed=fields["guessed"],
        meta=fields["meta"],
        instances=_as_instances(fields.get(_INSTANCES, ()), arrays.get(_INSTANCES)),
    )


def save_background(source: str, identity: str, background: Background) -> None:
    """Keep a background; never raises for a disk that is full or cannot be written."""
    fields: dict[str, Any] = {
        "camera": camera_fields(background.camera),
        "plane": plane_fields(background.plane),
        "guessed": bool(background.guessed),
        "meta": background.meta,
    }
    arrays: dict[str, NDArray[Any] | None]
    arrays = {"depth_m": background.depth_m, "floor": background.floor}
    if background.instances:
        fields[_INSTANCES] = [*map(_instance_fields, background.instances)]
        arrays[_INSTANCES] = _packed([one.mask for one in background.instances])
    name = entry_name(f"{source}-backgrounds", identity)
    save(name, Entry(fields, {"image": background.image, **present(arrays)}))


def load_foreground(source: str, identity: str, key: str) -> Foreground | None:
    """The foreground of an identity, under this key; None if it is not stored."""
    entry = load(entry_name(f"{source}-foregrounds", identity))
    if entry is None:
        return None
    fields = entry.fields
    return Foreground(
        key=key,
        label=fields["label"],
        rgba=entry.arrays["rgba"],
        relief_m=entry.arrays.get("relief_m"),
        height_m=fields["height_m"],
        meta=fields["meta"],
    )


def save_foreground(source: str, identity: str, foreground: Foreground) -> None:
    """Keep a foreground; never raises for a disk that is full or cannot be written."""
    height_m = foreground.height_m
    fields = {
        "label": foreground.label,
        "height_m": None if height_m is None else float(height_m),
        "meta": foreground.meta,
    }
    arrays = {"rgba": foreground.rgba, **present({"relief_m": foreground.relief_m})}
    save(entry_name(f"{source}-foregrounds", identity), Entry(fields, arrays))


def load_jpeg(source: str, identity: str, settings: Sequence[object]) -> memoryview | None:
    """The JPEG file of a background, coded with these settings; None if it is not stored."""
    entry = load(entry_name(f"{source}-jpegs", identity, *settings))
    return None if entry is None else entry.arrays["file"].data


def save_jpeg(source: str, identity: str, settings: Sequence[object], content: bytes) -> None:
    """Keep the JPEG file of a background; never raises for a disk that cannot be written."""
    name = entry_name(f"{source}-jpegs", identity, *settings)
    save(name, Entry(arrays={"file": np.frombuffer(content, np.uint8)}))


def present(arrays: Mapping[str, NDArray[Any] | None]) -> dict[str, NDArray[Any]]:
    """The arrays that are not None."""
    return {name: array for name, array in arrays.items() if array is not None}


def has_background(source: str, identity: str) -> bool:
    """Whether there is a file for a background; it may be damaged."""
    return is_stored(entry_name(f"{source}-backgrounds", identity))


def has_foreground(source: str, identity: str) -> bool:
    """Whether there is a file for a foreground; it may be damaged."""
    return is_stored(entry_name(f"{source}-foregrounds", identity))


def camera_fields(camera: Camera | None) -> list[float] | None:
    """A camera as plain data; floats of 64 bits come back as they were."""
    if camera is None:
        return None
    values = (camera.f_px, camera.cx, camera.cy, camera.height_m, camera.pitch)
    return [float(value) for value in values]


def as_camera(fields: list[float] | None) -> Camera | None:
    """The camera of `camera_fields`."""
    return None if fields is None else Camera(*fields)


def plane_fields(plane: Plane | None) -> list[float] | None:
    """A plane as plain data."""
    return None if plane is None else [*map(float, plane.normal), float(plane.offset_m)]


def as_plane(fields: list[float] | None) -> Plane | None:
    """The plane of `plane_fields`."""
    if fields is None:
        return None
    a, b, c, offset_m = fields
    return Plane((a, b, c), offset_m)


def _instance_fields(instance: BackgroundInstance) -> list[Any]:
    """An instance as plain data, without its pixels."""
    place = [int(one) for one in (instance.top, instance.left, *instance.mask.shape)]
    flags = [bool(instance.is_crowd), bool(instance.is_in_mask)]
    return [instance.label, *place, *flags, instance.meta]


def _packed(masks: Sequence[Flags]) -> NDArray[np.uint8]:
    """The pixels of masks one after another, eight in a byte."""
    return np.packbits(np.concatenate([mask.ravel() for mask in masks]))


def _as_instances(
    fields: Sequence[list[Any]], packed: NDArray[np.uint8] | None
) -> tuple[BackgroundInstance, ...]:
    """The instances of `_instance_fields` and `_packed`, with read-only masks."""
    if packed is None:
        return ()
    instances, flags, end = [], np.unpackbits(packed).view(np.bool_), 0
    flags.setflags(write=False)
    for label, top, left, height, width, is_crowd, is_in_mask, meta in fields:
        start, end = end, end + height * width
        mask = flags[start:end].reshape(height, width)
        instances.append(BackgroundInstance(label, mask, top, left, is_crowd, is_in_mask, meta))
    return tuple(instances)
