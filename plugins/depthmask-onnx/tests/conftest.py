"""Fixtures of all test files: a separate cache, images, and a folder for models."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Cache measured geometry in a folder of this session, never in the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEPTHMASK_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def images() -> np.ndarray:
    """Five different images, uint8 [5, 12, 16, 3]."""
    return np.random.default_rng(3).integers(0, 256, (5, 12, 16, 3), np.uint8)


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., str]:
    """Write a model, return its path."""

    def save(model: onnx.ModelProto | bytes, name: str = "model.onnx") -> str:
        content = model if isinstance(model, bytes) else model.SerializeToString()
        (tmp_path / name).write_bytes(content)
        return str(tmp_path / name)

    return save
