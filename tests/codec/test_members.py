"""The table of members, and the encoder that writes them."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields
from itertools import product

import numpy as np
import pytest

from depthmask.codec.labels import LabelCodec, LabelOutput
from depthmask.codec.members import JSON, MEMBERS, has_depth, names_of, without_depth
from depthmask.codec.sample import DepthFormat, Encode, ImageFormat, MaskFormat
from depthmask.data import Encoded, Sample

INSTANCES = LabelOutput("instances", LabelCodec.png, "numbers", 0)


def sample() -> Sample:
    image = np.zeros((8, 8, 3), np.uint8)
    depth = np.ones((4, 4), np.float32)
    labels = {"instances": image[..., 0]}
    return Sample("000000000", image, image[..., 0], None, depth, {"index": 0}, labels=labels)


def test_the_table_has_all_members_in_the_order_of_the_encoder() -> None:
    seen: set[str] = set()
    for image, mask, depth in product(ImageFormat, MaskFormat, DepthFormat):
        encode = Encode(image=image, mask=mask, depth=depth)
        names = list(encode.encode(sample(), [INSTANCES]).members)
        assert names == sorted(names, key=list(MEMBERS).index)
        seen.update(names)
    assert seen == set(MEMBERS)


def test_members_carry_the_fields_of_a_sample() -> None:
    names = {field.name for field in fields(Sample)}
    assert {member.carries for member in MEMBERS.values()} <= names
    assert names_of("mask") == ("mask.png", "mask.jpg")
    assert MEMBERS["depth.npz"].suffix == "npz"
    assert JSON.suffix == "json"
    with pytest.raises(FrozenInstanceError):
        JSON.name = "txt"  # type: ignore[misc]


@pytest.mark.parametrize("depth", DepthFormat)
def test_depth_as_member_or_array(depth: DepthFormat) -> None:
    encoded = Encode(depth=depth).encode(sample())
    arrays_alone = Encoded(encoded.key, {}, encoded.arrays)
    assert has_depth(encoded) == has_depth(arrays_alone) == (depth is not DepthFormat.none)
    without = without_depth(encoded)
    assert not has_depth(without)
    assert set(without.members) == {"jpg", "mask.png", "json"}
    assert set(without.arrays) == {"image", "mask"}
