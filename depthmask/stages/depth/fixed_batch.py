"""The base class of estimators whose network sees one picture at a time, at one batch shape."""

from __future__ import annotations

import functools
import os
from abc import abstractmethod
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from enum import Enum
from typing import TypeVar

import numpy as np
from PIL import Image

from depthmask.data import DepthContract, DepthKind, DepthMode, Float32, Size, UInt8
from depthmask.errors import DepthmaskError
from depthmask.stages.depth.base import Estimator

Pixels = TypeVar("Pixels", UInt8, Float32)


class Resolution(Enum):
    """The size of the depth maps."""

    image = "image"
    """The size of the canvas, by bilinear interpolation."""
    native = "native"
    """The size of the network's output."""


class FixedBatchEstimator(Estimator):
    """An estimator whose network sees one picture in each call, at one batch shape.

    The last bits of a depth can depend on the shape of the batch and on the position in it: on
    processors with AVX2 and without AVX-512, TensorFlow sums the last picture of four in another
    order. So no call has two pictures; those of a batch run beside each other in threads if `run`
    allows it. A subclass declares the settings `batch` and `resolution`, and describes the
    network's input and output.
    """

    batch: int
    resolution: Resolution

    @property
    def batch_size(self) -> int:
        """The setting `batch`."""
        return self.batch

    @property
    def network_batch(self) -> int:
        """Length of the first axis in every call of `run`: 1, unless the network has its own.

        The first is the picture, the others are zeros.
        """
        return 1

    @property
    def parallel_runs(self) -> int:
        """How many threads may be in `run` at a time: 1, unless it is safe for more."""
        return 1

    @property
    def resampling(self) -> Image.Resampling:
        """Pillow's filter that resizes images for the network; bilinear by default."""
        return Image.Resampling.BILINEAR

    @property
    @abstractmethod
    def weights_sha256(self) -> str:
        """The sha256 of the weights file, in hexadecimal."""

    @property
    @abstractmethod
    def value_range(self) -> tuple[float, float]:
        """Least and greatest depth of the contract, in its unit."""

    @abstractmethod
    def input_size(self, size: Size) -> Size:
        """The size to which an image of `size` is resized for the network."""

    @abstractmethod
    def output_size(self, size: Size) -> Size:
        """The size of the network's maps for an image of `size`."""

    @abstractmethod
    def run(self, inputs: Float32) -> Float32:
        """The network's raw output: float32 [network_batch, h, w, 3] -> [network_batch, dh, dw]."""

    def normalize(self, image: UInt8) -> Float32:
        """uint8 [h, w, 3] RGB, resized -> float32 [h, w, 3] for the network; 0..1 by default."""
        return image.astype(np.float32) / np.float32(255)

    def to_depth(self, raw: Float32) -> Float32:
        """Raw output [n, dh, dw], all finite -> depth in the contract's unit; as is by default."""
        return raw

    def not_finite(self) -> str:
        """The error message for an output that is not finite."""
        return (
            f"{self.name}: the network gave a depth that is not a finite number; "
            "its input or the device that it runs on is broken"
        )

    def limit(self, depth: Float32) -> Float32:
        """Depth [n, dh, dw] clipped to `value_range`, in place."""
        return np.clip(depth, *self.value_range, out=depth)

    def contract(self, size: Size, geometry: DepthContract | None = None) -> DepthContract:
        """Planar z in metres, clipped to `value_range`; every pixel is valid."""
        near, far = self.value_range
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

    def estimate(self, images: UInt8) -> Float32:
        """uint8 [n, h, w, 3] RGB, any size -> float32 [n, dh, dw] within `value_range`.

        The depth of an image does not depend on the other images or on their number. Raises
        `DepthmaskError` for depth that is not finite.
        """
        size = images.shape[1], images.shape[2]
        if not len(images):
            return np.empty((0, *self._depth_size(size)), np.float32)
        input_size = self.input_size(size)
        maps: list[Float32] = []
        for start in range(0, len(images), self.batch):
            chunk = images[start : start + self.batch]
            resized = (_resized(image, input_size, self.resampling) for image in chunk)
            depth = self.predict(np.stack([self.normalize(image) for image in resized]))
            if self.resolution is Resolution.image:
                maps.extend(_resized(one, size, Image.Resampling.BILINEAR) for one in depth)
            else:
                maps.extend(depth)
        return self.limit(np.stack(maps))

    def predict(self, inputs: Float32) -> Float32:
        """The bare network: normalized float32 [n, h, w, 3] -> depth, float32 [n, dh, dw].

        The depth is not limited to `value_range`. Raises `DepthmaskError` for output that is not
        finite.
        """
        raw = np.concatenate(self._run_each(inputs))
        if not np.isfinite(raw).all():
            raise DepthmaskError(self.not_finite())
        return self.to_depth(raw)

    def _run_each(self, inputs: Float32) -> list[Float32]:
        """The raw output [1, dh, dw] of each picture of [n, h, w, 3]."""
        count = min(self.parallel_runs, self.batch)
        if count == 1 or len(inputs) == 1:
            return [self._run_one(picture) for picture in inputs]
        threads = _threads(os.getpid(), count)
        calls = [threads.submit(copy_context().run, self._run_one, one) for one in inputs]
        return [call.result() for call in calls]

    def _run_one(self, picture: Float32) -> Float32:
        """The raw output [1, dh, dw] of a picture [h, w, 3], which is alone in its call."""
        padded = np.zeros((self.network_batch, *picture.shape), np.float32)
        padded[0] = picture
        return self.run(padded)[:1]

    def _depth_size(self, size: Size) -> Size:
        output_size = self.output_size(size)
        return size if self.resolution is Resolution.image else output_size


@functools.cache
def _threads(process: int, count: int) -> ThreadPoolExecutor:
    """Threads that stay, since runtimes keep prepared kernels by thread; none in a forked child."""
    return ThreadPoolExecutor(count, "network")


def _resized(pixels: Pixels, size: Size, resampling: Image.Resampling) -> Pixels:
    """An image uint8 [h, w, 3] or a map float32 [h, w], resized to `size`.

    Pillow resamples bytes with integers, so that images are the same on every machine.
    """
    if pixels.shape[:2] == size:
        return pixels
    height, width = size
    return np.asarray(Image.fromarray(pixels).resize((width, height), resampling))
