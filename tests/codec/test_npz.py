"""Our npz against `np.load`."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from depthmask.codec.npz import deflate_array, encode_npz, npy_header

DTYPES = st.sampled_from(["u1", "<u2", ">u2", "<i8", "<f4", "<f8", "?"])


def loaded(data: bytes) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        return dict(file)


@given(
    st.dictionaries(
        st.sampled_from(["depth", "image", "mask.png", "jpg_offsets"]),
        DTYPES.flatmap(
            lambda dtype: arrays_of.arrays(
                dtype, arrays_of.array_shapes(max_dims=4, max_side=6, min_side=0)
            )
        ),
    )
)
def test_np_load_gives_the_same_arrays(arrays: dict[str, np.ndarray]) -> None:
    found = loaded(encode_npz(arrays))
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(24, dtype=np.float32).reshape(4, 6).T,
        np.asfortranarray(np.arange(24, dtype=np.uint16).reshape(2, 3, 4)),
        np.arange(40, dtype=np.uint8)[::3],
        np.float32(2.5) * np.ones((), np.float32),
    ],
    ids=["transposed", "fortran", "strided", "scalar"],
)
def test_memory_layout_does_not_matter(array: np.ndarray) -> None:
    found = loaded(encode_npz({"a": array}))["a"]
    assert found.shape == array.shape
    assert np.array_equal(found, array)


def test_header_is_that_of_numpy() -> None:
    for array in (np.zeros((3, 4), np.float32), np.zeros(5, np.uint8), np.zeros((), np.int64)):
        file = io.BytesIO()
        np.save(file, array, allow_pickle=False)
        assert npy_header(array.dtype, array.shape) == file.getvalue()[: -array.nbytes]


def test_arrays_are_deflated_and_whole() -> None:
    data = encode_npz({"depth": np.ones((200, 200), np.float32)})
    assert len(data) < 4000
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        assert file.testzip() is None
        assert file.namelist() == ["depth.npy"]


def test_the_same_arrays_give_the_same_bytes() -> None:
    array = np.random.default_rng(0).random((50, 50), np.float32)
    assert encode_npz({"a": array}) == encode_npz({"a": array.copy()})
    assert deflate_array(array).size == 128 + array.nbytes
