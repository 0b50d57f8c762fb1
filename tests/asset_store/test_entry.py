"""The format of an entry: any damage is noticed, and arrays come back as they were."""

from __future__ import annotations

import numpy as np
import pytest

from depthmask.asset_store.entry import Entry, decoded, encoded

NAME = "rooms-backgrounds/ab12"
ENTRY = Entry(
    {"camera": [0.1, 1e-300, 3.0], "meta": {"caption": "ein Flur, ü"}},
    {
        "image": np.arange(24, dtype=np.uint8).reshape(2, 4, 3),
        "depth_m": np.linspace(0, 1, 8, dtype=np.float32).reshape(2, 4),
        "floor": np.empty(0, np.uint32),
    },
)


def test_an_entry_comes_back() -> None:
    again = decoded(NAME, b"".join(encoded(NAME, ENTRY)))
    assert again is not None
    assert again.fields == ENTRY.fields
    assert list(again.arrays) == ["image", "depth_m", "floor"]
    for name, array in ENTRY.arrays.items():
        assert again.arrays[name].dtype == array.dtype
        assert not again.arrays[name].flags.writeable
        np.testing.assert_array_equal(again.arrays[name], array)


def test_an_array_that_is_a_view_comes_back() -> None:
    image = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)[::2, ::-1]
    again = decoded(NAME, b"".join(encoded(NAME, Entry(arrays={"image": image}))))
    assert again is not None
    np.testing.assert_array_equal(again.arrays["image"], image)


def test_any_flipped_bit_and_any_lost_end_is_noticed() -> None:
    whole = b"".join(encoded(NAME, ENTRY))
    for at in range(len(whole)):
        damaged = bytearray(whole)
        damaged[at] ^= 1 << at % 8
        assert decoded(NAME, bytes(damaged)) is None
    for length in range(len(whole)):
        assert decoded(NAME, whole[:length]) is None
    assert decoded(NAME, whole + b"\0") is None


def test_the_entry_of_another_name_is_noticed() -> None:
    """As after two files have changed places."""
    assert decoded("rooms-backgrounds/ab13", b"".join(encoded(NAME, ENTRY))) is None


@pytest.mark.parametrize("content", [b"", b"\0" * 8, b"\0" * 500, b"hello" * 50])
def test_what_is_no_entry(content: bytes) -> None:
    assert decoded(NAME, content) is None
