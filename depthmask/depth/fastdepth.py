"""The built-in depth estimator: FastDepth, its weights in the package."""

from __future__ import annotations

import functools
import hashlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from depthmask.data import (
    Composite,
    DepthContract,
    DepthKind,
    DepthMode,
    Float32,
    Size,
    UInt8,
)
from depthmask.depth.base import Estimator
from depthmask.errors import DepthmaskError, SettingError
from depthmask.stage import setting, stage

WEIGHTS = Path(__file__).with_name("fastdepth.npz")
"""Made by `tools/convert_fastdepth.py`; licence in `NOTICE`."""
SIDE = 224
"""Height and width that the network was trained on; at others its depth drifts in scale."""


class Resolution(Enum):
    """The size of the depth maps."""

    image = "image"
    """The canvas's, by bilinear interpolation."""
    native = "native"
    """The network's own, 224x224."""


@stage("fastdepth")
class FastDepth(Estimator):
    """Metric depth of indoor scenes by a small network, at some 90 images/s on two CPU cores.

    FastDepth, Wofk et al. 2019, https://arxiv.org/abs/1903.03273, trained on NYU Depth v2 (rooms,
    up to 10 m). The weights come with depthmask.
    """

    # Whole `estimate` calls on 160x160 images, TensorFlow 2.21, 2 cores, median of 9, images/s:
    # batch 1: 67, 2: 83, 4: 93, 8: 93, 16: 95, 32: 87. A short batch costs as much as a full one.
    batch: int = setting(4, ge=1, help="images that the network takes at a time")
    near: float = setting(0.1, gt=0, le=100, help="metres; what is nearer is set to this")
    far: float = setting(10.0, gt=0, le=100, help="metres; what is farther is set to this")
    resolution: Resolution = setting(
        Resolution.image, help="size of the depth maps: the image's, or the network's 224x224"
    )

    def __post_init__(self) -> None:
        if self.near >= self.far:
            raise SettingError("near", self.near, f"must be less than far={self.far:g}")

    @property
    def batch_size(self) -> int:
        """The setting `batch`."""
        return self.batch

    @property
    def weights_sha256(self) -> str:
        """Of the weights file, in hexadecimal."""
        return _sha256(WEIGHTS)

    @property
    def cache_key(self) -> str:
        """The weights and all settings; `batch` too, for it moves the last bits."""
        return (
            f"{self.name} weights={self.weights_sha256} batch={self.batch} near={self.near!r} "
            f"far={self.far!r} resolution={self.resolution.name}"
        )

    def contract(self, size: Size, geometry: DepthContract | None = None) -> DepthContract:
        """Planar z in metres, clipped to near..far; every pixel is valid."""
        return DepthContract(
            kind=DepthKind.metric_z,
            unit="m",
            near=self.near,
            far=self.far,
            invalid=0.0,
            clip=True,
            resolution=self._depth_size(size),
            estimator=self.name,
            weights_sha256=self.weights_sha256,
            mode=DepthMode.estimated,
        )

    def annotate(self, composites: Sequence[Composite]) -> list[Float32]:
        """The depth of each composite's image; all images have one size."""
        return list(self.estimate(np.stack([composite.image for composite in composites])))

    def estimate(self, images: UInt8) -> Float32:
        """uint8 [n, h, w, 3] RGB, any size -> float32 [n, dh, dw] metres in near..far.

        Does not depend on which images, or how many, come together. Raises `DepthmaskError` for a
        depth that is not finite.
        """
        size = self._depth_size((images.shape[1], images.shape[2]))
        depth_m = np.empty((len(images), *size), np.float32)
        for start in range(0, len(images), self.batch):
            rgb = np.stack([_to_network(image) for image in images[start : start + self.batch]])
            for number, raw_m in enumerate(self.predict(rgb), start):
                depth_m[number] = _resized(raw_m, size)
        return np.clip(depth_m, self.near, self.far, out=depth_m)

    def predict(self, rgb: Float32) -> Float32:
        """The bare network: float32 [n, 224, 224, 3] RGB in 0..1 -> float32 [n, 224, 224] metres.

        n is at most `batch`. Not clipped: real backgrounds give 0 to 26 m. Raises
        `DepthmaskError` for a depth that is not finite.
        """
        # Always the one shape, since another one gives other last bits (6e-6 m between batch 1
        # and 8); within a shape the position and the neighbours make no difference.
        padded = np.zeros((self.batch, SIDE, SIDE, 3), np.float32)
        padded[: len(rgb)] = rgb
        raw_m = np.asarray(_network(self.batch)(padded))[: len(rgb), :, :, 0]
        if not np.isfinite(raw_m).all():
            raise DepthmaskError(
                f"{self.name}: the network gave a depth that is not a finite number; "
                "its input or the device that it runs on is broken"
            )
        return raw_m

    def _depth_size(self, size: Size) -> Size:
        return size if self.resolution is Resolution.image else (SIDE, SIDE)


@functools.cache
def _network(batch: int) -> Callable[[Float32], Any]:
    """float32 [batch, 224, 224, 3] -> [batch, 224, 224, 1], compiled at its first call.

    One for all stages of the process, which so hold settings only and can be pickled.
    """
    _set_keras_defaults()
    with _native_log_muted():
        # Here, because importing TensorFlow takes seconds and forbids forking.
        from depthmask.depth import _fastdepth_network as network

        model = network.build(network.load_weights(WEIGHTS), batch, SIDE)
    return model.predict_on_batch


@functools.cache
def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _to_network(image: UInt8) -> Float32:
    """uint8 [h, w, 3] -> float32 [224, 224, 3] in 0..1.

    Pillow resamples bytes with integers, so it gives the same on every machine.
    """
    if image.shape[:2] != (SIDE, SIDE):
        picture = Image.fromarray(image).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
        image = np.asarray(picture)
    return image.astype(np.float32) / np.float32(255)


def _resized(depth_m: Float32, size: Size) -> Float32:
    """float32 [224, 224] -> float32 [height, width] of `size`, bilinear."""
    if depth_m.shape == size:
        return depth_m
    height, width = size
    picture = Image.fromarray(depth_m).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(picture)


def _set_keras_defaults() -> None:
    """Settings that Keras and its backends read when they are imported; the user's come first."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # On a GPU, take memory as needed instead of nearly all of it at once.
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")


@contextmanager
def _native_log_muted() -> Iterator[None]:
    """Send the process's stderr to nowhere, unless TF_CPP_MIN_LOG_LEVEL=0 asks for all.

    TensorFlow 2.21 prints eight lines about oneDNN, CUDA and CPU features before it heeds
    TF_CPP_MIN_LOG_LEVEL. Python's exceptions are not touched.
    """
    if os.environ.get("TF_CPP_MIN_LOG_LEVEL") == "0":
        yield
        return
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
