"""Weights files for tests: DenseDepth's structure without a trained number in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import pytest

from depthmask.networks.densedepth_weights import Layout, array_shapes

NARROW = Layout("DenseNet-169", 16)
"""The narrowest decoder; the encoder's 12.6 million numbers remain."""
WEIGHTLESS = ("input_1", "zero_padding2d_1", "conv1/relu", "pool1", "relu", "leaky_re_lu_8")


def random_weights() -> dict[str, np.ndarray]:
    """`NARROW` with weights under which all outputs lie near 50, and every layer matters."""
    rng = np.random.default_rng(3)
    arrays = {name: _draw(rng, name, shape) for name, shape in array_shapes(NARROW).items()}
    arrays["conv3.kernel"] *= 100
    arrays["conv3.bias"] += 50
    return arrays


@pytest.fixture(scope="session")
def random_arrays() -> dict[str, np.ndarray]:
    """`random_weights`, drawn once."""
    return random_weights()


def _draw(rng: np.random.Generator, name: str, shape: tuple[int, ...]) -> np.ndarray:
    kind = name.rpartition(".")[2]
    if kind in ("gamma", "moving_variance"):
        return rng.uniform(0.5, 1.5, shape).astype(np.float32)
    if kind != "kernel":
        return rng.uniform(-0.2, 0.2, shape).astype(np.float32)
    fan_in = np.prod(shape[:-1], dtype=np.float32)
    return rng.standard_normal(shape, np.float32) / np.sqrt(fan_in)


@pytest.fixture(scope="session")
def random_npz(
    random_arrays: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """`random_arrays` in our own form."""
    path = tmp_path_factory.mktemp("weights") / "random.npz"
    np.savez(path, allow_pickle=False, **random_arrays)
    return path


@pytest.fixture(scope="session")
def legacy_hdf5() -> Callable[..., object]:
    """A context with a file as Keras 2 wrote it, all numbers 0 and, on disk, holes; to change."""

    @contextmanager
    def make(path: Path, *, whole: bool = True, layout: Layout = NARROW) -> Iterator[h5py.File]:
        with h5py.File(path, "w") as file:
            root = file.create_group("model_weights") if whole else file["/"]
            for layer in WEIGHTLESS:
                root.create_group(layer).attrs["weight_names"] = np.zeros(0)
            for name, shape in array_shapes(layout).items():
                layer, _, weight = name.partition(".")
                _add_array(root, layer.replace("conv1_", "conv1/", 1), weight, shape)
            yield file

    return make


@pytest.fixture(scope="session")
def add_array() -> Callable[..., None]:
    """Add an array of zeros to a group of layers, and its layer if need be."""
    return _add_array


def _add_array(root: h5py.Group, layer: str, weight: str, shape: tuple[int, ...]) -> None:
    own = root.require_group(layer)
    names = [*own.attrs.get("weight_names", []), f"{layer}/{weight}:0".encode()]
    own.attrs["weight_names"] = np.array(names, "S")
    plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plan.set_layout(h5py.h5d.CONTIGUOUS)
    plan.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    plan.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    inner = own.require_group(layer)
    space = h5py.h5s.create_simple(shape)
    h5py.h5d.create(inner.id, f"{weight}:0".encode(), h5py.h5t.IEEE_F32LE, space, plan)
