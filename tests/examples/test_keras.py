"""The examples that train by Keras."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import keras
import pytest


@pytest.mark.parametrize("script", ["keras_fit", "tf_data"])
def test_learns(script: str, finished: Path, losses: Callable[..., list[float]]) -> None:
    keras.utils.set_random_seed(0)
    first, second = losses(script, str(finished), "--epochs=2", "--batch=4")
    assert second < first
