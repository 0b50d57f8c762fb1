"""Keys of samples after the paths of their pictures."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from webdataset.tariterators import base_plus_ext

from depthmask.engine.inputs.keys import keys_of
from depthmask.storage.record import is_inside

PATHS = st.lists(
    st.text("aA.é_- /日:\n", min_size=1, max_size=80).map(lambda stem: f"{stem}.jpg"),
    unique=True,
    max_size=20,
)


@pytest.mark.parametrize(
    ("paths", "keys"),
    [
        (["IMG_0123.JPG"], ["IMG_0123"]),
        (["holiday/IMG_0123.jpg", "work/IMG_0123.jpg"], ["holiday/IMG_0123", "work/IMG_0123"]),
        (["cup.jpg", "cup.png"], ["cup_jpg", "cup_png"]),
        (["Cup.jpg", "cup.jpg"], ["Cup_jpg", "cup_jpg-2"]),
        (["b.c.jpg", "v1.2/x.jpg"], ["b_c", "v1_2/x"]),
        (["Müller 1.jpg", "日本.webp"], ["Müller 1", "日本"]),
        (["../up.jpg", "/root.jpg"], ["__/up", "root"]),
        (["a?b.jpg", "a\nb.jpg"], ["a_b_jpg", "a_b_jpg-2"]),
    ],
)
def test_keys(paths: list[str], keys: list[str]) -> None:
    assert keys_of(paths) == keys


def test_both_spellings_of_an_accent_are_one_name() -> None:
    paths = [unicodedata.normalize(form, "é.jpg") for form in ("NFC", "NFD")]
    assert keys_of(paths) == ["é_jpg", "é_jpg-2"]


def test_long_names_stay_different() -> None:
    first, second = keys_of([f"{'日' * 80}{end}.jpg" for end in "ab"])
    assert first != second
    assert max(len(first.encode()), len(second.encode())) <= 120


@given(PATHS)
def test_any_paths(paths: list[str]) -> None:
    """Unique for every file system, safe as paths, and read by webdataset as they were written."""
    keys = keys_of(paths)
    assert len({key.casefold() for key in keys}) == len(paths)
    for key in keys:
        assert is_inside(key)
        assert base_plus_ext(f"{key}.depth.png") == (key, "depth.png")
