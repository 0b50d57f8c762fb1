"""The stage `onnx`: settings, contract, and batches of images to depth maps."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from enum import Enum
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from depthmask import (
    Composite,
    DepthContract,
    DepthKind,
    DepthmaskError,
    DepthMode,
    Estimator,
    SettingError,
    UsageError,
    forks,
    setting,
    stage,
)

from depthmask_onnx._file import ModelFile, model_file
from depthmask_onnx._images import (
    Filter,
    Fit,
    Float32,
    Size,
    UInt8,
    fitted,
    resized,
    to_maps,
    to_network,
)
from depthmask_onnx._runtime import Runtime, session
from depthmask_onnx._scan import Port

MAX_VALUES = 2**28
"""Numbers in one input: 1 GiB, 85 images of 1024x1024."""
_FLOATS: dict[int, np.dtype[Any]] = {1: np.dtype(np.float32), 10: np.dtype(np.float16)}
"""By `TensorProto.DataType`."""


class Layout(Enum):
    """The order of the axes of the model's input."""

    nchw = "nchw"
    nhwc = "nhwc"


class Resolution(Enum):
    """The size of the depth maps."""

    image = "image"
    """The canvas's, by bilinear interpolation."""
    native = "native"
    """The model's own."""


@stage("onnx")
class Onnx(Estimator):
    """Any monocular depth model in ONNX, by ONNX Runtime or OpenVINO.

    The model has one input, RGB images, and an output of [n, 1, h, w], [n, h, w, 1] or [n, h, w].
    What its numbers mean is for you to say with `measures`; the depth contract repeats it. Those of
    `relative` and `disparity` have no unit and fit no other image's, and of a disparity `near` is
    the least value and so the farthest; such datasets need encode.depth=npz.

    Only models in one file of standard ONNX operators are run: no external data, no custom ones.
    """

    weights: str = setting(help="path of the .onnx file")
    runtime: Runtime = setting(Runtime.onnxruntime, help="what runs the model, on the CPU")
    threads: int = setting(0, ge=0, le=1024, help="threads of the runtime; 0: one for each core")
    batch: int = setting(
        4, ge=1, le=4096, help="images at a time; a model with a batch size of its own keeps that"
    )
    input: str | None = setting(None, help="name of the input; null: the only one")
    output: str | None = setting(None, help="name of the output; null: the first")
    layout: Layout = setting(Layout.nchw, help="axes of the input")
    size: list[int] | None = setting(
        None, ge=1, le=8192, help="[height, width] for the model; null: the model's, or the image's"
    )
    multiple: int = setting(
        1, ge=1, le=1024, help="for a model of any size: both sides are multiples of this"
    )
    fit: Fit = setting(
        Fit.stretch,
        help="for a model of any size: to `size` exactly, or keeping the aspect around or in it",
    )
    filter: Filter = setting(Filter.bilinear, help="how images are resampled")
    white: float = setting(1.0, gt=0, help="what RGB 255 is before mean and std: 1 or 255")
    mean: list[float] = setting([0.0, 0.0, 0.0], help="subtracted from R, G, B")
    std: list[float] = setting([1.0, 1.0, 1.0], gt=0, help="then divides R, G, B")
    measures: DepthKind = setting(
        DepthKind.metric_z,
        help="what the output is: metres, larger is farther up to scale, or larger is nearer",
    )
    scale: float = setting(1.0, gt=0, help="multiplies the output; 0.001 for millimetres")
    near: float = setting(0.1, gt=0, help="least value, after `scale`")
    far: float = setting(10.0, gt=0, help="greatest value, after `scale`")
    clip: bool = setting(
        True, help="move values beyond near..far to its ends; false: they are an error"
    )
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
    def batch_size(self) -> int:
        """The setting `batch`."""
        return self.batch

    @property
    def weights_sha256(self) -> str:
        """Of the model file, in hexadecimal; hashed once."""
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

    def contract(self, size: Size, geometry: DepthContract | None = None) -> DepthContract:
        """What `measures` says; every pixel is valid.

        Runs the model once on a black image, so that one that cannot do it for `size` is a
        `UsageError` before anything is written.
        """
        try:
            depth_size = self._depth_size(size)
        except UsageError:
            raise
        except DepthmaskError as error:
            raise UsageError(str(error)) from None
        return DepthContract(
            kind=self.measures,
            unit="m" if self.measures is DepthKind.metric_z else "",
            near=self.near,
            far=self.far,
            invalid=0.0,
            clip=self.clip,
            resolution=depth_size,
            estimator=self.name,
            weights_sha256=self.weights_sha256,
            mode=DepthMode.estimated,
        )

    def annotate(self, composites: Sequence[Composite]) -> list[Float32]:
        """The depth of each composite's image; all images have one size."""
        return list(self.estimate(np.stack([composite.image for composite in composites])))

    def estimate(self, images: UInt8) -> Float32:
        """uint8 [n, h, w, 3] RGB, any size -> float32 [n, dh, dw] in near..far.

        Does not depend on which images, or how many, come together. Raises `DepthmaskError` for
        values that are not finite, and without `clip` for those beyond near..far.
        """
        size = images.shape[1], images.shape[2]
        if not len(images):
            return np.empty((0, *self._depth_size(size)), np.float32)
        network = self._network_size(size)
        rgb = (
            to_network(image, network, self.filter, self.white, self.mean, self.std)
            for image in images
        )
        maps: list[Float32] = []
        batch = self._batch
        for start in range(0, len(images), batch):
            count = min(batch, len(images) - start)
            raw = self.predict(np.stack([next(rgb) for _ in range(count)]))
            whole = self.resolution is Resolution.image
            maps.extend(resized(one, size) if whole else one for one in raw)
        return self._in_range(np.stack(maps))

    def predict(self, rgb: Float32) -> Float32:
        """The bare model: float32 [n, h, w, 3] as it wants them -> float32 [n, dh, dw], scaled.

        n is at most the model's batch. Raises `DepthmaskError` for a value that is not finite.
        """
        raw = self._maps(rgb)
        if not np.isfinite(raw).all():
            raise DepthmaskError(
                f"{self.weights}: output {self._output.name!r} has values that are not finite; "
                "check white, mean and std, or take another model"
            )
        return raw * np.float32(self.scale)

    def _maps(self, rgb: Float32) -> Float32:
        """What the model makes of n images, n at most its batch."""
        # Always the one shape: another one may move the last bits.
        padded = np.zeros((self._batch, *rgb.shape[1:]), self._element)
        padded[: len(rgb)] = rgb
        if self.layout is Layout.nchw:
            padded = np.ascontiguousarray(padded.transpose(0, 3, 1, 2))
        # Here too: `contract` comes to it without the framework.
        forks.network(f"{self.name} {self.weights}")
        run = session(self.runtime, self._model, self._input.name, self._output.name, self.threads)
        raw = run(padded)
        maps = to_maps(raw)
        if maps is None or len(maps) != self._batch:
            raise DepthmaskError(
                f"{self.weights}: output {self._output.name!r} is {raw.dtype} {list(raw.shape)} "
                f"for an input of {list(padded.shape)}, expected floats [{self._batch}, 1, h, w], "
                f"[{self._batch}, h, w, 1] or [{self._batch}, h, w]"
            )
        return maps[: len(rgb)].astype(np.float32)

    def _in_range(self, depth: Float32) -> Float32:
        if self.clip:
            return np.clip(depth, self.near, self.far, out=depth)
        least, greatest = float(depth.min()), float(depth.max())
        if least < self.near or greatest > self.far:
            raise DepthmaskError(
                f"{self.weights}: output {self._output.name!r} has values {least:g}..{greatest:g}, "
                f"beyond near={self.near:g}..far={self.far:g}; widen these, or set clip=true"
            )
        return depth

    def _depth_size(self, size: Size) -> Size:
        """Of the maps for an image of `size`; the model has run once when this returns."""
        black = np.zeros((1, *self._network_size(size), 3), np.float32)
        height, width = self._maps(black).shape[1:]
        return size if self.resolution is Resolution.image else (height, width)

    def _network_size(self, size: Size) -> Size:
        """What images of `size` are resized to; `SettingError` for what the model cannot take."""
        axes = self._axes
        if axes["c"] not in (3, None):
            raise SettingError(
                "layout",
                self.layout.name,
                f"{self.weights} takes {axes['c']} channels by it, expected 3 (R, G, B)",
            )
        own = axes["h"], axes["w"]
        if self.size is not None and any(
            side not in (wanted, None) for wanted, side in zip(self.size, own, strict=True)
        ):
            raise SettingError("size", self.size, f"{self.weights} takes {own[0]}x{own[1]} only")
        target = size if self.size is None else (self.size[0], self.size[1])
        height, width = fitted(size, target, self.fit, self.multiple)
        network = own[0] or height, own[1] or width
        if prod((self._batch, *network, 3)) > MAX_VALUES:
            raise SettingError(
                "batch", self._batch, f"too many images of {network[0]}x{network[1]} at a time"
            )
        return network

    @cached_property
    def _model(self) -> ModelFile:
        # Goes along when the stage is pickled: a worker runs what the contract was made from, and
        # fails where the file has changed since.
        return model_file(self.weights)

    @property
    def _batch(self) -> int:
        """Images that go into the model at a time."""
        return self._axes["n"] or self.batch

    @property
    def _axes(self) -> dict[str, int | None]:
        """Length of each axis of the input, None where it may be any."""
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
        found = [port for port in ports if name in (port.name, None)]
        if not found:
            names = ", ".join(port.name for port in ports) or "none"
            raise SettingError(which, name, f"{self.weights} has no such {which}; it has: {names}")
        return found[0]
