"""From the members that a sample has to those that are wanted: moved where they can be."""

from __future__ import annotations

import io
import logging
from collections.abc import Collection, Mapping, Set
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

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

PARTS = {
    "jpg": "image",
    "png": "image",
    "mask.png": "mask",
    "mask.jpg": "mask",
    "instances.png": "instances",
    "depth.png": "depth",
    "depth.npz": "depth",
    "json": "json",
}
"""Member -> the part of a sample that it holds; in the order in which members are written."""


@dataclass(frozen=True)
class Recoding:
    """How the members of a new dataset come about.

    changed: parts that are encoded anew, by `encode`. All others are moved, byte for byte, as far
    as there are bytes: what a writer kept as arrays is encoded too.
    """

    encode: Encode
    changed: frozenset[str]

    def apply(self, encoded: Encoded, most_pixels: int, *, arrays: bool) -> Encoded:
        """The sample as it is wanted; arrays: whether its writer looks at those."""
        kept = self._kept(encoded)
        if not arrays and not self._lacking(kept, has_depth(encoded)):
            return Encoded(encoded.key, _in_order(kept), {})
        return self.filled(encoded, decode(encoded, most_pixels), arrays=arrays)

    def filled(self, encoded: Encoded, sample: Sample, *, arrays: bool) -> Encoded:
        """The same, where the sample behind the members is known, or has another depth."""
        kept = self._kept(encoded)
        lacking = self._lacking(kept, sample.depth is not None)
        if lacking:
            self._check_exact(sample, lacking)
            made = self.encode.encode(sample).members
            kept |= {name: data for name, data in made.items() if PARTS[name] in lacking}
        return Encoded(encoded.key, _in_order(kept), _arrays(kept, sample) if arrays else {})

    def _kept(self, encoded: Encoded) -> dict[str, bytes]:
        members = encoded.members.items()
        return {name: data for name, data in members if PARTS[name] not in self.changed}

    def _lacking(self, kept: Mapping[str, bytes], depth: bool) -> set[str]:
        wanted = {"image", "mask"}
        if depth and self.encode.depth is not DepthFormat.none:
            wanted.add("depth")
        return wanted - {PARTS[name] for name in kept}

    def _check_exact(self, sample: Sample, lacking: Collection[str]) -> None:
        """Nobody asked for rounding."""
        if "depth" in lacking and "depth" not in self.changed and sample.depth is not None:
            rounded = self.encode.depth in (DepthFormat.png16, DepthFormat.compact)
            if rounded and not is_in_millimetres(sample.depth):
                raise DepthmaskError(
                    f"sample {sample.key}: its depth is not in whole millimetres, as "
                    f"encode.depth={self.encode.depth.name} keeps it; encode.depth=npz keeps it "
                    f"exactly, and with encode.depth={self.encode.depth.name} it is rounded"
                )


def recoding(first: Encoded, made_by: Encode, asked: Encode, given: Set[str]) -> Recoding:
    """What to encode anew: the parts for which other settings are given than made them.

    first: a sample of those that are there, made by the settings `made_by`. given: the names of
    the settings in `asked` that the user named. Parts that are there as arrays alone are kept
    without loss, unless a format is given for them.
    """
    there = {PARTS[name] for name in first.members}
    _refuse_what_cannot_be_made(there, asked, made_by, given)
    wanted = replace(made_by, **{name: getattr(asked, name) for name in given})
    new = {name for name in given if getattr(wanted, name) != getattr(made_by, name)}
    parts = {"image", "mask"} | there | ({"depth"} if has_depth(first) else set())
    changed = {
        part
        for part, names in _decided_by(wanted).items()
        if part in parts and (names & new or part in given - there)
    }
    lossless: dict[str, Any] = {}
    if "image" not in there and "image" not in given:
        lossless["image"] = ImageFormat.png
    if "mask" not in there and "mask" not in given:
        lossless["mask"] = MaskFormat.png
    if "depth" not in there and "depth" not in given and has_depth(first):
        lossless["depth"] = _lossless_depth(first, made_by.depth)
    found = Recoding(replace(wanted, **lossless), frozenset(changed))
    _say_losses(found)
    return found


def _decided_by(wanted: Encode) -> dict[str, set[str]]:
    """Part -> the settings that decide its bytes."""
    return {
        "image": {"image"}
        if wanted.image is ImageFormat.png
        else {"image", "quality", "subsampling", "optimize"},
        "mask": {"mask"} if wanted.mask is MaskFormat.png else {"mask", "quality", "optimize"},
        "instances": {"instances"},
        "depth": {"depth"},
    }


def _refuse_what_cannot_be_made(
    there: Collection[str], asked: Encode, made_by: Encode, given: Collection[str]
) -> None:
    text = "is made with the samples, and they have none; give it to the run that makes them"
    if "labels" in given and asked.labels is not made_by.labels:
        raise SettingError("encode.labels", asked.labels.name, text)
    wants_instances = "instances" in given and asked.instances is not InstancesFormat.none
    if wants_instances and "instances" not in there:
        raise SettingError("encode.instances", asked.instances.name, text)


def _lossless_depth(first: Encoded, made_by: DepthFormat) -> DepthFormat:
    if "depth_planes" in first.arrays:
        return DepthFormat.compact
    depth = first.arrays["depth"]
    if depth.dtype == np.float16:
        return DepthFormat.npz16
    if made_by is DepthFormat.png16 and is_in_millimetres(depth):
        return DepthFormat.png16
    return DepthFormat.npz


def _say_losses(found: Recoding) -> None:
    encode = found.encode
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
    for part in sorted(found.changed):
        if text := losses[part]:
            _log.warning("%s", text)


def has_depth(encoded: Encoded) -> bool:
    """As a member or as an array."""
    return bool({"depth.png", "depth.npz"} & set(encoded.members)) or bool(
        {"depth", "depth_planes"} & set(encoded.arrays)
    )


def is_in_millimetres(depth_m: Float32) -> bool:
    """Whether 16-bit millimetres hold the map exactly."""
    try:
        return np.array_equal(from_millimetres(to_millimetres(depth_m)), depth_m)
    except DepthmaskError:
        return False


def _in_order(members: Mapping[str, bytes]) -> dict[str, bytes]:
    return {name: members[name] for name in PARTS if name in members}


def _arrays(members: Mapping[str, bytes], sample: Sample) -> dict[str, Any]:
    """As `Encode.encode` gives them."""
    arrays: dict[str, Any] = {"image": sample.image, "mask": sample.mask}
    if "depth.npz" in members:
        data = members["depth.npz"]
        return {**arrays, **read_npz(io.BytesIO(data), len(data))}
    return arrays if sample.depth is None else {**arrays, "depth": sample.depth}
