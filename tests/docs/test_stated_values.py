"""What counts as a stated value of a block, and that a wrong one is noticed."""

from __future__ import annotations

import numpy as np
import pytest

from tests.docs.stated_values import run_block

NAMES = {"np": np, "image": np.zeros((2, 3), np.uint8)}


@pytest.mark.parametrize(
    ("block", "compared"),
    [
        ("image  # uint8 [2, 3]\nimage.shape  # (2, 3)", 2),
        ("image.ndim  # 2, with the colours: 3", 1),
        ("image.mean()  # 0.0: all black", 1),
        ("[1,\n 2]  # [1, 2]", 1),
        ("'ü'  # 'ü'", 1),
        ("image.mean()  # of all pixels", 0),
        ("a = 1  # 2", 0),
        ("image.max()", 0),
    ],
)
def test_values_that_are_stated(block: str, compared: int) -> None:
    assert run_block(block, dict(NAMES)) == compared


@pytest.mark.parametrize(
    "block",
    [
        "image  # uint8 [3, 2]",
        "image  # float32 [2, 3], in 0..1",
        "image.ndim  # 3",
        "3  # uint8 [3]",
    ],
)
def test_a_wrong_value(block: str) -> None:
    with pytest.raises(AssertionError):
        run_block(block, dict(NAMES))


def test_names_last_from_block_to_block() -> None:
    names = dict(NAMES)
    run_block("def double(x):\n    return x * 2\n", names)
    assert run_block("double(4)  # 8", names) == 1
