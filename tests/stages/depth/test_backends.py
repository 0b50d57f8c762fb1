"""DenseDepth's network on the other backends of Keras: the same numbers.

Each backend runs in a process of its own, for a process has one. Where JAX or PyTorch is missing,
its test is skipped; CI runs this file in an environment that has both.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.support.paths import ROOT

PROGRAM = """
import sys
from pathlib import Path
import numpy as np
from depthmask.stages.depth.densedepth import DenseDepth
weights, source, target = sys.argv[1:]
images = np.load(source, allow_pickle=False)
stage = DenseDepth(weights=weights)
found = np.concatenate([stage.run(image[None]) for image in images])
depth = stage.estimate(np.uint8(images * 255))
alone = [stage.estimate(np.uint8(image[None] * 255))[0] for image in images]
np.testing.assert_array_equal(depth, alone)
import keras
np.savez(target, found=found, backend=np.array(keras.backend.backend()), allow_pickle=False)
"""


def outputs(backend: str, weights: Path, folder: Path) -> np.ndarray:
    """What the network gives on this backend, float32 [2, 32, 48]."""
    y, x = np.mgrid[0:64, 0:96] / 20
    images = np.stack([np.stack([np.sin(y + i), np.cos(x - i), np.sin(x * y)], -1) for i in (0, 1)])
    np.save(folder / "images.npy", images.astype(np.float32) * np.float32(0.5) + np.float32(0.5))
    target = folder / f"{backend}.npz"
    program = [sys.executable, "-c", PROGRAM, str(weights), str(folder / "images.npy"), str(target)]
    environment = os.environ | {"KERAS_BACKEND": backend}
    ran = subprocess.run(program, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    with np.load(target, allow_pickle=False) as archive:
        assert archive["backend"] == backend
        return archive["found"]


@pytest.fixture(scope="module")
def expected(random_npz: Path, tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    """TensorFlow's, which `test_densedepth.py` holds against the authors' network."""
    return outputs("tensorflow", random_npz, tmp_path_factory.mktemp("tensorflow"))


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_backend_gives_the_same(
    random_npz: Path, expected: np.ndarray, tmp_path: Path, backend: str
) -> None:
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"no {backend}")
    found = outputs(backend, random_npz, tmp_path)
    assert np.ptp(expected) > 1, "the network must see something"
    assert np.abs(found - expected).max() / np.abs(expected).max() < 1e-4
