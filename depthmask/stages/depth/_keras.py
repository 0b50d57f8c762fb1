"""What the estimators share that run a Keras network: batches, sizes, and Keras's manners."""

from __future__ import annotations

import os
import sys
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import Enum

import numpy as np
from PIL import Image

from depthmask.data import Composite, DepthContract, DepthKind, DepthMode, Float32, Size, UInt8
from depthmask.errors import DepthmaskError
from depthmask.networks.runtime import Precision, Run, Runtime, check_runtime
from depthmask.stages.depth.base import Estimator


class Resolution(Enum):
    """The size of the depth maps."""

    image = "image"
    """The canvas's, by bilinear interpolation."""
    native = "native"
    """The network's own."""


class KerasEstimator(Estimator):
    """An estimator whose network runs at one batch shape.

    The network itself belongs to the process (see `_run`), so that a stage holds settings only
    and can be pickled.
    """

    batch: int
    resolution: Resolution
    runtime: Runtime
    precision: Precision

    @property
    def batch_size(self) -> int:
        """The setting `batch`."""
        return self.batch

    @property
    @abstractmethod
    def weights_sha256(self) -> str:
        """Of the weights file, in hexadecimal."""

    @abstractmethod
    def _range_m(self) -> tuple[float, float]:
        """Least and greatest depth in metres that `estimate` gives."""

    @abstractmethod
    def _input_size(self, size: Size) -> Size:
        """What an image of `size` is resized to for the network."""

    @abstractmethod
    def _output_size(self, size: Size) -> Size:
        """Of the network's maps, for an image of `size`."""

    @abstractmethod
    def _run(self, size: Size) -> Run:
        """The compiled network for inputs of `size`, made once in a process."""

    @property
    def cache_key(self) -> str:
        """The weights and all settings; `batch` too, for it moves the last bits."""
        near, far = self._range_m()
        return (
            f"{self.name} weights={self.weights_sha256} batch={self.batch} near={near!r} "
            f"far={far!r} resolution={self.resolution.name} runtime={self.runtime.name} "
            f"precision={self.precision.name}"
        )

    def contract(self, size: Size, geometry: DepthContract | None = None) -> DepthContract:
        """Planar z in metres, clipped to near..far; every pixel is valid."""
        check_runtime(self.runtime)
        near, far = self._range_m()
        return DepthContract(
            kind=DepthKind.metric_z,
            unit="m",
            near=near,
            far=far,
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
        network whose numbers are not finite.
        """
        image_size = (images.shape[1], images.shape[2])
        input_size, depth_size = self._input_size(image_size), self._depth_size(image_size)
        depth_m = np.empty((len(images), *depth_size), np.float32)
        for start in range(0, len(images), self.batch):
            chunk = images[start : start + self.batch]
            rgb = np.stack([_to_network(image, input_size) for image in chunk])
            for number, map_m in enumerate(self.predict(rgb), start):
                depth_m[number] = _resized(map_m, depth_size)
        return np.clip(depth_m, *self._range_m(), out=depth_m)

    @abstractmethod
    def predict(self, rgb: Float32) -> Float32:
        """The bare network: float32 [n, h, w, 3] RGB in 0..1 -> float32 [n, dh, dw] metres.

        n is at most `batch`, h and w are `_input_size`. Raises `DepthmaskError` for numbers that
        are not finite.
        """

    def _raw(self, rgb: Float32) -> Float32:
        """What the network gives, float32 [n, dh, dw], for at most `batch` inputs."""
        # Always the one shape, since another one gives other last bits (FastDepth: 6e-6 m between
        # batch 1 and 8); within a shape the position and the neighbours make no difference.
        padded = np.zeros((self.batch, *rgb.shape[1:]), np.float32)
        padded[: len(rgb)] = rgb
        run = self._run((rgb.shape[1], rgb.shape[2]))
        raw = run(padded)[: len(rgb), :, :, 0]
        if not np.isfinite(raw).all():
            raise DepthmaskError(
                f"{self.name}: the network gave a depth that is not a finite number; "
                "its input or the device that it runs on is broken"
            )
        return raw

    def _depth_size(self, size: Size) -> Size:
        return size if self.resolution is Resolution.image else self._output_size(size)


def _to_network(image: UInt8, size: Size) -> Float32:
    """uint8 [h, w, 3] -> float32 [height, width, 3] of `size`, in 0..1.

    Pillow resamples bytes with integers, so it gives the same on every machine.
    """
    if image.shape[:2] != size:
        height, width = size
        picture = Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR)
        image = np.asarray(picture)
    return image.astype(np.float32) / np.float32(255)


def _resized(depth_m: Float32, size: Size) -> Float32:
    """float32 [dh, dw] -> float32 [height, width] of `size`, bilinear."""
    if depth_m.shape == size:
        return depth_m
    height, width = size
    picture = Image.fromarray(depth_m).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(picture)


def set_keras_defaults() -> None:
    """Settings that Keras and its backends read when they are imported; the user's come first."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # On a GPU, take memory as needed instead of nearly all of it at once.
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")


@contextmanager
def native_log_muted() -> Iterator[None]:
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
