"""Headers of tar archives by the compiled kernel."""

from __future__ import annotations

import pytest

from depthmask.codec import tar
from depthmask.kernels.compiled import native

COMPILED = pytest.mark.skipif(native is None, reason="the kernels are not compiled")


@COMPILED
@pytest.mark.parametrize("kind", [b"0", b"L"])
@pytest.mark.parametrize("name", [b"", b"000000001.mask.png", b"n" * 99, "ü日.jpg".encode()])
@pytest.mark.parametrize("size", [0, 1, 511, 512, 123_456, 8**11 - 1])
def test_the_fallback_gives_the_same(name: bytes, size: int, kind: bytes) -> None:
    assert tar.header(name, size, kind) == tar._header(name, size, kind)


@COMPILED
@pytest.mark.parametrize(
    ("blank", "name", "size"),
    [(bytes(511), b"name", 1), (bytes(512), b"n" * 100, 1), (bytes(512), b"name", 8**11)],
)
def test_what_does_not_fit_is_refused(blank: bytes, name: bytes, size: int) -> None:
    assert native is not None
    with pytest.raises(ValueError, match="does not fit"):
        native.tar_header(blank, name, size)
