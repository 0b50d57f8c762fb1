"""Applies other encode settings to samples: copies members, or encodes them again if needed."""

from __future__ import annotations

import io
import logging
from collections.abc import Collection, Mapping, Set
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from depthmask.codec.members import DEPTH_NPZ, has_depth, in_order, is_label, member_of
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
    """How members of the input become members of the new dataset.

    changed: the fields of a sample (`image`, `mask`, `depth`) that are encoded again, by `encode`,
    and the labels that are left out. All other members are copied byte for byte. Fields that the
    input stores only as arrays are encoded, too.
    """

    encode: Encode
    changed: frozenset[str]

    def apply(self, encoded: Encoded, most_pixels: int, *, arrays: bool) -> Encoded:
        """The sample for the new dataset. arrays: whether the writer needs the arrays."""
        kept = self._kept(encoded)
        if not arrays and not self._missing(kept, has_depth(encoded)):
            return Encoded(encoded.key, in_order(kept), {})
        return self.apply_to_decoded(encoded, decode(encoded, most_pixels), arrays=arrays)

    def apply_to_decoded(self, encoded: Encoded, sample: Sample, *, arrays: bool) -> Encoded:
        """Like `apply`, for a sample that is already decoded and may have a new depth map."""
        kept = self._kept(encoded)
        missing = self._missing(kept, sample.depth is not None)
        if missing:
            self._check_exact(sample, missing)
            made = self.encode.encode(sample).members
            kept |= {
                name: data for name, data in made.items() if member_of(name).carries in missing
            }
        return Encoded(encoded.key, in_order(kept), _arrays(kept, sample) if arrays else {})

    def _kept(self, encoded: Encoded) -> dict[str, bytes]:
        members = encoded.members.items()
        return {name: data for name, data in members if member_of(name).carries not in self.changed}

    def _missing(self, kept: Mapping[str, bytes], depth: bool) -> set[str]:
        """The fields of a sample that are in none of the kept members."""
        required = {"image", "mask"}
        if depth and self.encode.depth is not DepthFormat.none:
            required.add("depth")
        return required - {member_of(name).carries for name in kept}

    def _check_exact(self, sample: Sample, missing: Collection[str]) -> None:
        """Raise `DepthmaskError` if depth would be rounded, in a format that nobody chose."""
        if "depth" in missing and "depth" not in self.changed and sample.depth is not None:
            rounded = self.encode.depth in (DepthFormat.png16, DepthFormat.compact)
            if rounded and not is_in_millimetres(sample.depth):
                raise DepthmaskError(
                    f"sample {sample.key}: encode.depth={self.encode.depth.name} would round its "
                    f"depth to millimetres; set encode.depth=npz to keep it exact, or "
                    f"encode.depth={self.encode.depth.name} to round it"
                )


def choose_recoding(
    first: Encoded,
    current: Encode,
    requested: Encode,
    overridden: Set[str],
    left_out: Collection[str] = (),
) -> Recoding:
    """The recoding that encodes again the fields whose settings differ from the current ones.

    first: a sample of the input, made with the settings `current`. overridden: the names of the
    settings in `requested` that the user gave. left_out: the names of labels to leave out. Fields
    that the input stores only as arrays are encoded without loss, unless the user gives their
    format.
    """
    stored = {member_of(name).carries for name in first.members}
    _refuse_new_labels(stored, requested, current, overridden)
    encode = replace(current, **{name: getattr(requested, name) for name in overridden})
    new = {name for name in overridden if getattr(encode, name) != getattr(current, name)}
    present = {"image", "mask"} | stored | ({"depth"} if has_depth(first) else set())
    changed = {
        field
        for field, names in _settings_of(encode).items()
        if field in present and (names & new or field in overridden - stored)
    } | stored.intersection(left_out)
    if "instances" in overridden and encode.instances is InstancesFormat.none:
        changed |= stored & {"instances"}
    lossless: dict[str, Any] = {}
    if "image" not in stored and "image" not in overridden:
        lossless["image"] = ImageFormat.png
    if "mask" not in stored and "mask" not in overridden:
        lossless["mask"] = MaskFormat.png
    if "depth" not in stored and "depth" not in overridden and has_depth(first):
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
        "depth": {"depth"},
    }


def _refuse_new_labels(
    stored: Collection[str], requested: Encode, current: Encode, overridden: Collection[str]
) -> None:
    text = "cannot be added to existing samples; set it in the run that generates them"
    if "labels" in overridden and requested.labels is not current.labels:
        raise SettingError("encode.labels", requested.labels.name, text)
    adds_instances = "instances" in overridden and requested.instances is not InstancesFormat.none
    if adds_instances and "instances" not in stored:
        raise SettingError("encode.instances", requested.instances.name, text)


def _lossless_depth(first: Encoded, current: DepthFormat) -> DepthFormat:
    """The format that stores the depth array of the sample exactly."""
    if "depth_planes" in first.arrays:
        return DepthFormat.compact
    depth = first.arrays["depth"]
    if depth.dtype == np.float16:
        return DepthFormat.npz16
    if current is DepthFormat.png16 and is_in_millimetres(depth):
        return DepthFormat.png16
    return DepthFormat.npz


def _warn_of_losses(recoding: Recoding) -> None:
    """Log a warning for each field that loses precision or is left out."""
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
    }
    for field in sorted(recoding.changed):
        if text := losses.get(field, f"the label {field} is left out"):
            _log.warning("%s", text)


def is_in_millimetres(depth_m: Float32) -> bool:
    """Whether 16-bit millimetres store the map exactly."""
    try:
        return np.array_equal(from_millimetres(to_millimetres(depth_m)), depth_m)
    except DepthmaskError:
        return False


def labels_in(encoded: Encoded) -> set[str]:
    """The names of the labels that members of a sample carry."""
    return {member.carries for member in map(member_of, encoded.members) if is_label(member)}


def _arrays(members: Mapping[str, bytes], sample: Sample) -> dict[str, Any]:
    """The arrays that `Encode.encode` returns for these members."""
    arrays: dict[str, Any] = {"image": sample.image, "mask": sample.mask}
    if DEPTH_NPZ.name in members:
        data = members[DEPTH_NPZ.name]
        return {**arrays, **read_npz(io.BytesIO(data), len(data))}
    return arrays if sample.depth is None else {**arrays, "depth": sample.depth}
