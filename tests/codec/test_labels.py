"""Members that no table of depthmask knows are labels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from depthmask.codec.labels import LabelCodec, LabelOutput, decode_labels, encode_label
from depthmask.codec.members import in_order, member_of
from depthmask.codec.npz import encode_npz
from depthmask.codec.sample import Encode, decode
from depthmask.data import Encoded, Sample
from depthmask.errors import DepthmaskError


@pytest.mark.parametrize(
    ("name", "carries"),
    [
        ("edges.png", "edges"),
        ("a.b.json", "a.b"),
        ("instances.png", "instances"),
        ("depth.png", "depth"),
        ("json", "meta"),
        ("depth.exr", "depth.exr"),
        ("image.png", "image.png"),
        ("txt", "txt"),
        (".png", ".png"),
    ],
)
def test_what_a_member_carries(name: str, carries: str) -> None:
    assert member_of(name).carries == carries


def test_labels_stand_before_the_json_sorted_by_name() -> None:
    names = ["json", "z.png", "jpg", "depth.png", "a.json", "mask.png", "instances.png"]
    expected = ["jpg", "mask.png", "instances.png", "depth.png", "a.json", "z.png", "json"]
    assert list(in_order(dict.fromkeys(names, b""))) == expected


def test_members_of_other_programs_are_carried(make_sample: Callable[..., Sample]) -> None:
    encoded = Encode().encode(make_sample(0))
    foreign = {"note.txt": b"words", "two.npz": encode_npz({"a": np.ones(2), "b": np.zeros(1)})}
    sample = decode(Encoded(encoded.key, {**encoded.members, **foreign}, {}))
    assert sample.labels["note.txt"] == b"words"
    assert sample.labels["two"].keys() == {"a", "b"}


@pytest.mark.parametrize(
    ("member", "data"), [("a.png", b"no"), ("a.npz", b"no"), ("a.json", b"{"), ("a.npz", b"")]
)
def test_a_damaged_label_is_named(member: str, data: bytes) -> None:
    with pytest.raises(DepthmaskError, match=member):
        decode_labels(Encoded("000000000", {member: data}, {}))


@pytest.mark.parametrize("dtype", ["u1", "i8", "f2", "f4", "f8", ">f4"])
def test_arrays_come_back(dtype: str) -> None:
    output = LabelOutput("a", LabelCodec.npz, "numbers", 1)
    for shape in ((3, 4), (2, 3, 4, 5), (7,), (0, 4)):
        array = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
        (value,) = decode_labels(Encoded("0", {"a.npz": encode_label(output, array)}, {})).values()
        assert value.shape == shape
        assert np.array_equal(value, array)
