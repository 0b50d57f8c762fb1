"""The stage `onnx`: settings, contract, and the model's input and output."""

from __future__ import annotations

import dataclasses
import os
from enum import Enum
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from depthmask import (
    DepthContract,
    DepthKind,
    DepthmaskError,
    FixedBatchEstimator,
    Float32,
    Resolution,
    SettingError,
    Size,
    UInt8,
    UsageError,
    forks,
    setting,
    stage,
)
from PIL import Image

from depthmask_onnx._file import ModelFile, model_file
from depthmask_onnx._images import FILTERS, Filter, Fit, fitted, normalized, to_maps
from depthmask_onnx._runtime import Run, Runtime, session
from depthmask_onnx._scan import Port

MAX_VALUES = 2**28
"""Largest number of values in an input: 1 GiB, 85 images of 1024x1024."""
_FLOATS: dict[int, np.dtype[Any]] = {1: np.dtype(np.float32), 10: np.dtype(np.float16)}
"""`TensorProto.DataType` -> NumPy's type."""
_loading = forks.Lock()
"""Held by the one thread that loads a model."""


class Layout(Enum):
    """The order of the axes of the model's input."""

    nchw = "nchw"
    nhwc = "nhwc"


@stage("onnx")
class Onnx(FixedBatchEstimator):
    """Any monocular depth model in ONNX, by ONNX Runtime or OpenVINO.

    The model has one input, RGB images, and an output of [n, 1, h, w], [n, h, w, 1] or [n, h, w].
    `measures` says what its values mean, and goes into the depth contract. Values of `relative` and
    `disparity` have no unit and cannot be compared between images; for a disparity `near` is the
    least value, which is the farthest. Such datasets need encode.depth=npz.

    Only models in one file of standard ONNX operators are run, without external data.
    """

    pixel_version = 2

    weights: str = setting(help="path of the .onnx file")
    runtime: Runtime = setting(Runtime.onnxruntime, help="library that runs the model, on the CPU")
    threads: int = setting(0, ge=0, le=1024, help="images that run at a time; 0: one per core")
    batch: int = setting(4, ge=1, le=4096, help="images at a time, each on one core")
    input: str | None = setting(None, help="name of the input; null: the only one")
    output: str | None = setting(None, help="name of the output; null: the first")
    layout: Layout = setting(Layout.nchw, help="order of the input's axes")
    size: list[int] | None = setting(
        None, ge=1, le=8192, help="[height, width] for the model; null: the model's, or the image's"
    )
    multiple: int = setting(
        1, ge=1, le=1024, help="for a model of any size: both sides are multiples of this"
    )
    fit: Fit = setting(
        Fit.stretch,
        help="for a model of any size: resize to `size`, or keep the aspect and cover or fit in it",
    )
    filter: Filter = setting(Filter.bilinear, help="how images are resampled")
    white: float = setting(1.0, gt=0, help="value of RGB 255 before mean and std: 1 or 255")
    mean: list[float] = setting([0.0, 0.0, 0.0], help="subtracted from R, G, B")
    std: list[float] = setting([1.0, 1.0, 1.0], gt=0, help="then divides R, G, B")
    measures: DepthKind = setting(
        DepthKind.metric_z,
        help="meaning of the output: metres, relative depth (larger is farther), or disparity",
    )
    scale: float = setting(1.0, gt=0, help="multiplies the output; 0.001 for millimetres")
    near: float = setting(0.1, gt=0, help="least value, after `scale`")
    far: float = setting(10.0, gt=0, help="greatest value, after `scale`")
    clip: bool = setting(True, help="clip values to near..far; false: values beyond are an error")
    resolution: Resolution = setting(
        Resolution.image, help="size of the depth maps: the image's, or the model's own"
    )

    def __post_init__(self) -> None:
        if not np.isfinite(self.far) or self.near >= self.far:
            raise SettingError("near", self.near, f"must be less than a finite far={self.far:g}")
        if self.size is not None and len(self.size) != 2:
            raise SettingError("size", self.size, "must be [height, width] or null")
        for name, values in (("mean", self.mean), ("std", self.std)):
            if len(values) != 3 or not np.isfinite(values).all():
                raise SettingError(name, values, "must be three numbers, for R, G and B")

    @property
    def weights_sha256(self) -> str:
        """The sha256 of the model file, in hexadecimal; hashed once."""
        return self._model.sha256

    @property
    def cache_key(self) -> str:
        """The content of the model file, whatever its name, and all other settings."""
        values = [
            f"{one.name}={getattr(self, one.name)}"
            for one in dataclasses.fields(self)
            if one.name != "weights"
        ]
        return " ".join([self.name, f"weights={self.weights_sha256}", *values])

    @property
    def network_batch(self) -> int:
        """The model's own batch size, else 1."""
        return self._axes["n"] or 1

    @property
    def parallel_runs(self) -> int:
        """The setting `threads`."""
        return self.threads or len(os.sched_getaffinity(0))

    @property
    def resampling(self) -> Image.Resampling:
        """The setting `filter`."""
        return FILTERS[self.filter]

    @property
    def value_range(self) -> tuple[float, float]:
        """The settings `near` and `far`."""
        return self.near, self.far

    def check_resources(self) -> None:
        """Load the model; raises `SettingError` for a file or a runtime that cannot be used."""
        self._session()

    def contract(self, size: Size, geometry: DepthContract | None = None) -> DepthContract:
        """The contract with the kind that `measures` names; every pixel is valid.

        Runs the model once on a black image: a model that does not work for `size` is a
        `UsageError` before anything is written.
        """
        try:
            metres = super().contract(size, geometry)
        except UsageError:
            raise
        except DepthmaskError as error:
            raise UsageError(str(error)) from None
        unit = "m" if self.measures is DepthKind.metric_z else ""
        return dataclasses.replace(metres, kind=self.measures, unit=unit, clip=self.clip)

    def input_size(self, size: Size) -> Size:
        """The size to which images of `size` are resized; `SettingError` if it cannot be."""
        axes = self._axes
        if axes["c"] not in (3, None):
            raise SettingError(
                "layout",
                self.layout.name,
                f"{self.weights} takes {axes['c']} channels by it, expected 3 (R, G, B)",
            )
        own = axes["h"], axes["w"]
        if self.size is not None and any(
            model_side not in (side, None) for side, model_side in zip(self.size, own, strict=True)
        ):
            raise SettingError("size", self.size, f"{self.weights} takes {own[0]}x{own[1]} only")
        target = size if self.size is None else (self.size[0], self.size[1])
        height, width = fitted(size, target, self.fit, self.multiple)
        network = own[0] or height, own[1] or width
        count = max(self.network_batch, self.batch)
        if prod((count, *network, 3)) > MAX_VALUES:
            raise SettingError(
                "batch",
                count,
                f"too many images of {network[0]}x{network[1]} at a time",
            )
        return network

    def output_size(self, size: Size) -> Size:
        """The size of the maps for an image of `size`; runs the model once on black images."""
        black = np.zeros((self.network_batch, *self.input_size(size), 3), np.float32)
        height, width = self.run(black).shape[1:]
        return height, width

    def normalize(self, image: UInt8) -> Float32:
        """uint8 [h, w, 3] RGB -> float32 [h, w, 3], (rgb * white / 255 - mean) / std."""
        return normalized(image, self.white, self.mean, self.std)

    def run(self, inputs: Float32) -> Float32:
        """The model's output: float32 [network_batch, h, w, 3] -> [network_batch, dh, dw].

        Raises `DepthmaskError` for an output of another shape.
        """
        batch = inputs.astype(self._element, copy=False)
        if self.layout is Layout.nchw:
            batch = np.ascontiguousarray(batch.transpose(0, 3, 1, 2))
        raw = self._session()(batch)
        maps = to_maps(raw)
        if maps is None or len(maps) != len(inputs):
            raise DepthmaskError(
                f"{self.weights}: output {self._output.name!r} is {raw.dtype} {list(raw.shape)} "
                f"for an input of {list(batch.shape)}, expected floats [{len(inputs)}, 1, h, w], "
                f"[{len(inputs)}, h, w, 1] or [{len(inputs)}, h, w]"
            )
        return maps.astype(np.float32)

    def to_depth(self, raw: Float32) -> Float32:
        """The model's output [n, dh, dw], multiplied by `scale`."""
        return raw * np.float32(self.scale)

    def not_finite(self) -> str:
        """The error message for an output that is not finite."""
        return (
            f"{self.weights}: output {self._output.name!r} has values that are not finite; "
            "check white, mean and std, or take another model"
        )

    def limit(self, depth: Float32) -> Float32:
        """Depth [n, dh, dw] clipped to near..far; `DepthmaskError` instead if `clip` is false."""
        if self.clip:
            return super().limit(depth)
        least, greatest = float(depth.min()), float(depth.max())
        if least < self.near or greatest > self.far:
            raise DepthmaskError(
                f"{self.weights}: output {self._output.name!r} has values {least:g}..{greatest:g}, "
                f"beyond near={self.near:g}..far={self.far:g}; widen these, or set clip=true"
            )
        return depth

    def _session(self) -> Run:
        """The loaded model, one for each process."""
        # Needed here, too: `contract` runs the model outside of the framework's loop.
        forks.network(f"{self.name} {self.weights}")
        names = self._input.name, self._output.name
        with _loading:
            return session(self.runtime, self._model, *names, self.parallel_runs)

    @cached_property
    def _model(self) -> ModelFile:
        # Pickled with the stage: a worker runs the file that the contract was made from, and fails
        # if it has changed since.
        return model_file(self.weights)

    @property
    def _axes(self) -> dict[str, int | None]:
        """The length of each axis of the input, None where the model takes any length."""
        shape = self._input.shape or (None,) * 4
        if len(shape) != 4:
            raise UsageError(
                f"{self.weights}: input {self._input.name!r} has {len(shape)} axes, "
                f"expected 4 ({self.layout.name})"
            )
        return dict(zip(self.layout.name, shape, strict=True))

    @property
    def _element(self) -> np.dtype[Any]:
        element = self._input.element
        if element not in _FLOATS:
            raise UsageError(
                f"{self.weights}: input {self._input.name!r} is of ONNX type {element}, "
                "expected float32 (1) or float16 (10)"
            )
        return _FLOATS[element]

    @property
    def _input(self) -> Port:
        ports = self._model.ports.inputs
        if len(ports) != 1:
            names = ", ".join(port.name for port in ports) or "none"
            raise UsageError(f"{self.weights}: expected one input, it has {names}")
        return self._named("input", self.input, ports)

    @property
    def _output(self) -> Port:
        return self._named("output", self.output, self._model.ports.outputs)

    def _named(self, which: str, name: str | None, ports: tuple[Port, ...]) -> Port:
        named = [port for port in ports if name in (port.name, None)]
        if not named:
            names = ", ".join(port.name for port in ports) or "none"
            raise SettingError(which, name, f"{self.weights} has no such {which}; it has: {names}")
        return named[0]
