"""Samples under other encode settings: members are copied where possible, else encoded anew."""

from __future__ import annotations

import io
import logging
from collections.abc import Collection, Mapping, Set
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from depthmask.codec.members import DEPTH_NPZ, MEMBERS, has_depth
from depthmask.codec.npz import read_npz
from depthmask.codec.sample import (
    DepthFormat,
    Encode,
    ImageFormat,
    InstancesFormat,
    MaskFormat,
    decode,
    from_millimetres,
    to_millimetres,
)
from depthmask.data import Encoded, Float32, Sample
from depthmask.errors import DepthmaskError, SettingError

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recoding:
    """How the members of a sample become those of the new dataset.

    changed: the fields of a sample (`image`, `mask`, `instances`, `depth`) that are encoded anew,
    by `encode`. The members of all other fields are copied byte for byte; fields that the input
    keeps as arrays alone are encoded as well.
    """

    encode: Encode
    changed: frozenset[str]

    def apply(self, encoded: Encoded, most_pixels: int, *, arrays: bool) -> Encoded:
        """The sample for the new dataset; arrays: whether its writer reads the arrays."""
        kept = self._kept(encoded)
        if not arrays and not self._missing(kept, has_depth(encoded)):
            return Encoded(encoded.key, _in_order(kept), {})
        return self.filled(encoded, decode(encoded, most_pixels), arrays=arrays)

    def filled(self, encoded: Encoded, sample: Sample, *, arrays: bool) -> Encoded:
        """Like `apply`, for a sample that is decoded already and may have another depth map."""
        kept = self._kept(encoded)
        missing = self._missing(kept, sample.depth is not None)
        if missing:
            self._check_exact(sample, missing)
            made = self.encode.encode(sample).members
            kept |= {name: data for name, data in made.items() if MEMBERS[name].carries in missing}
        return Encoded(encoded.key, _in_order(kept), _arrays(kept, sample) if arrays else {})

    def _kept(self, encoded: Encoded) -> dict[str, bytes]:
        members = encoded.members.items()
        return {name: data for name, data in members if MEMBERS[name].carries not in self.changed}

    def _missing(self, kept: Mapping[str, bytes], depth: bool) -> set[str]:
        """The fields of a sample that no kept member carries."""
        required = {"image", "mask"}
        if depth and self.encode.depth is not DepthFormat.none:
            required.add("depth")
        return required - {MEMBERS[name].carries for name in kept}

    def _check_exact(self, sample: Sample, missing: Collection[str]) -> None:
        """Raise where depth would be rounded although the user did not choose a format for it."""
        if "depth" in missing and "depth" not in self.changed and sample.depth is not None:
            rounded = self.encode.depth in (DepthFormat.png16, DepthFormat.compact)
            if rounded and not is_in_millimetres(sample.depth):
                raise DepthmaskError(
                    f"sample {sample.key}: its depth is not in whole millimetres, as "
                    f"encode.depth={self.encode.depth.name} keeps it; encode.depth=npz keeps it "
                    f"exactly, and with encode.depth={self.encode.depth.name} it is rounded"
                )


def recoding(first: Encoded, current: Encode, requested: Encode, overridden: Set[str]) -> Recoding:
    """Which fields to encode anew: those whose settings differ from the current ones.

    first: a sample of the input, made by the settings `current`. overridden: the names of the
    settings in `requested` that the user set. Fields that the input keeps as arrays alone are kept
    without loss, unless the user sets their format.
    """
    carried = {MEMBERS[name].carries for name in first.members}
    _refuse_what_cannot_be_made(carried, requested, current, overridden)
    encode = replace(current, **{name: getattr(requested, name) for name in overridden})
    new = {name for name in overridden if getattr(encode, name) != getattr(current, name)}
    present = {"image", "mask"} | carried | ({"depth"} if has_depth(first) else set())
    changed = {
        field
        for field, names in _settings_of(encode).items()
        if field in present and (names & new or field in overridden - carried)
    }
    lossless: dict[str, Any] = {}
    if "image" not in carried and "image" not in overridden:
        lossless["image"] = ImageFormat.png
    if "mask" not in carried and "mask" not in overridden:
        lossless["mask"] = MaskFormat.png
    if "depth" not in carried and "depth" not in overridden and has_depth(first):
        lossless["depth"] = _lossless_depth(first, current.depth)
    result = Recoding(replace(encode, **lossless), frozenset(changed))
    _warn_of_losses(result)
    return result


def _settings_of(encode: Encode) -> dict[str, set[str]]:
    """Field of a sample -> the names of the settings that decide its bytes."""
    return {
        "image": {"image"}
        if encode.image is ImageFormat.png
        else {"image", "quality", "subsampling", "optimize"},
        "mask": {"mask"} if encode.mask is MaskFormat.png else {"mask", "quality", "optimize"},
        "instances": {"instances"},
        "depth": {"depth"},
    }


def _refuse_what_cannot_be_made(
    carried: Collection[str], requested: Encode, current: Encode, overridden: Collection[str]
) -> None:
    text = "cannot be added to existing samples; set it in the run that generates them"
    if "labels" in overridden and requested.labels is not current.labels:
        raise SettingError("encode.labels", requested.labels.name, text)
    adds_instances = "instances" in overridden and requested.instances is not InstancesFormat.none
    if adds_instances and "instances" not in carried:
        raise SettingError("encode.instances", requested.instances.name, text)


def _lossless_depth(first: Encoded, current: DepthFormat) -> DepthFormat:
    if "depth_planes" in first.arrays:
        return DepthFormat.compact
    depth = first.arrays["depth"]
    if depth.dtype == np.float16:
        return DepthFormat.npz16
    if current is DepthFormat.png16 and is_in_millimetres(depth):
        return DepthFormat.png16
    return DepthFormat.npz


def _warn_of_losses(recoding: Recoding) -> None:
    encode = recoding.encode
    losses = {
        "image": f"images are encoded again, as JPEG of quality {encode.quality}"
        if encode.image is ImageFormat.jpeg
        else None,
        "mask": f"masks are encoded again, as JPEG of quality {encode.quality}"
        if encode.mask is MaskFormat.jpeg
        else None,
        "depth": {
            DepthFormat.png16: "depth is rounded to millimetres",
            DepthFormat.compact: "depth is rounded to millimetres",
            DepthFormat.npz16: "depth is rounded to float16, by 1/2048 at most",
            DepthFormat.none: "depth is left out",
        }.get(encode.depth),
        "instances": "instance maps are left out",
    }
    for field in sorted(recoding.changed):
        if text := losses[field]:
            _log.warning("%s", text)


def is_in_millimetres(depth_m: Float32) -> bool:
    """Whether 16-bit millimetres can store the map without rounding."""
    try:
        return np.array_equal(from_millimetres(to_millimetres(depth_m)), depth_m)
    except DepthmaskError:
        return False


def _in_order(members: Mapping[str, bytes]) -> dict[str, bytes]:
    return {name: members[name] for name in MEMBERS if name in members}


def _arrays(members: Mapping[str, bytes], sample: Sample) -> dict[str, Any]:
    """The arrays that `Encode.encode` gives for these members."""
    arrays: dict[str, Any] = {"image": sample.image, "mask": sample.mask}
    if DEPTH_NPZ.name in members:
        data = members[DEPTH_NPZ.name]
        return {**arrays, **read_npz(io.BytesIO(data), len(data))}
    return arrays if sample.depth is None else {**arrays, "depth": sample.depth}
