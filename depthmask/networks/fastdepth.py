"""FastDepth's network in Keras 3, for any of its backends; imported only when it runs.

MobileNet-NNConv5dw-skipadd-pruned of Wofk et al. 2019, https://arxiv.org/abs/1903.03273: a
MobileNet encoder, five decoder blocks with nearest-neighbour upsampling, additive skips. Pruning
left irregular widths, which are taken from the weights.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from depthmask.errors import DepthmaskError, refuse_machine_errors
from depthmask.networks.runtime import default_policy

Weights: TypeAlias = Mapping[str, NDArray[Any]]
Tensor: TypeAlias = Any
"""A symbolic tensor of whichever backend Keras runs on."""

ENCODER_STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)
SKIPS = {2: 5, 3: 3, 4: 1}
"""Decoder block -> encoder block whose output is added to its upsampled output."""
DECODER_BLOCKS = 5


class Convolution(NamedTuple):
    """A convolution of the network, with its batch norm folded in."""

    name: str
    side: int
    """Height and width of the kernel."""
    depthwise: bool = False


def convolutions() -> list[Convolution]:
    """All convolutions, in the order of the network."""
    stack = [Convolution("stem", 3)]
    for half, blocks, side in (
        ("encoder", len(ENCODER_STRIDES), 3),
        ("decoder", DECODER_BLOCKS, 5),
    ):
        for block in range(1, blocks + 1):
            stack.append(Convolution(f"{half}{block}.depthwise", side, depthwise=True))
            stack.append(Convolution(f"{half}{block}.pointwise", 1))
    return [*stack, Convolution("head", 1)]


def load_weights(path: Path) -> dict[str, NDArray[np.float32]]:
    """`NAME.kernel` and `NAME.bias` of each convolution as float32, with checked shapes.

    Kernels are [height, width, in, out], depthwise ones [height, width, channels, 1]. Raises
    `DepthmaskError` naming the file and the array.
    """
    arrays = _read_arrays(path)
    try:
        weights = {name: _as_float(arrays, name) for name in arrays if not _is_scale(name)}
        check_shapes(weights)
    except DepthmaskError as error:
        raise DepthmaskError(f"{path}: {error}") from None
    return weights


def _is_scale(name: str) -> bool:
    return name.endswith(".scale")


def _as_float(arrays: Mapping[str, NDArray[Any]], name: str) -> NDArray[np.float32]:
    """An array as float32; integers are multiples of the layer's `scale` by output channel."""
    array, scale = arrays[name], arrays.get(f"{name.rpartition('.')[0]}.scale")
    if array.dtype.kind == "f":
        return array.astype(np.float32)
    if array.dtype != np.int16 or scale is None or scale.dtype != np.float32:
        raise DepthmaskError(
            f"array {name}: expected finite floating-point numbers, or int16 with a scale"
        )
    if array.shape[-scale.ndim :] != scale.shape:
        raise DepthmaskError(f"array {name}: its scale has shape {list(scale.shape)}")
    return array * scale


def _read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of the network in the file; other arrays are ignored."""
    arrays = {}
    part = str(path)
    try:
        # NumPy would report any file that is no zip as a pickle.
        with path.open("rb") as file, zipfile.ZipFile(file):
            file.seek(0)
            with np.load(file, allow_pickle=False) as archive:
                for name in _array_names():
                    part = f"{path}: array {name}"
                    if name in archive:
                        arrays[name] = archive[name]
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        refuse_machine_errors(part, error)
        raise DepthmaskError(f"{part}: cannot be read as plain array data: {error}") from None
    return arrays


def _array_names() -> list[str]:
    return [f"{one.name}.{kind}" for one in convolutions() for kind in ("kernel", "scale", "bias")]


def check_shapes(arrays: Weights) -> None:
    """Raise `DepthmaskError` for the first array that is missing or does not fit the others."""
    channels = 3
    widths = {}
    for convolution in convolutions():
        kernel, bias = f"{convolution.name}.kernel", f"{convolution.name}.bias"
        side = convolution.side
        if convolution.depthwise:
            _check_array(arrays, kernel, (side, side, channels, 1))
        else:
            out = 1 if convolution.name == "head" else None
            channels = _check_array(arrays, kernel, (side, side, channels, out))[3]
        _check_array(arrays, bias, (channels,))
        widths[convolution.name] = channels
    for decoder, encoder in SKIPS.items():
        left, right = f"decoder{decoder}.pointwise", f"encoder{encoder}.pointwise"
        if widths[left] != widths[right]:
            raise DepthmaskError(
                f"array {left}.kernel: has {widths[left]} outputs, expected {widths[right]}, "
                f"for it is added to those of {right}"
            )


def _check_array(arrays: Weights, name: str, expected: tuple[int | None, ...]) -> tuple[int, ...]:
    """The shape of the array; None in `expected` allows any length from 1."""
    if name not in arrays:
        raise DepthmaskError(f"array {name}: missing")
    array = arrays[name]
    fits = array.ndim == len(expected) and all(
        length == required if required is not None else length > 0
        for length, required in zip(array.shape, expected, strict=True)
    )
    if not fits:
        sizes = ", ".join("any" if size is None else str(size) for size in expected)
        raise DepthmaskError(f"array {name}: has shape {list(array.shape)}, expected [{sizes}]")
    if array.dtype.kind != "f" or not np.isfinite(array).all():
        raise DepthmaskError(f"array {name}: expected finite floating-point numbers")
    return array.shape


def build(weights: Weights, batch: int, side: int, policy: str = "float32") -> keras.Model:
    """The network with these weights (as `load_weights` gives them), for one shape of input.

    float32 [batch, side, side, 3] RGB in 0..1 -> float32 [batch, side, side, 1] metres, larger is
    farther. side: pixels, a multiple of 32. policy: Keras's dtype policy of all layers before the
    head, which is float32.
    """
    image = keras.Input((side, side, 3), batch_size=batch)
    with default_policy(policy):
        x = _body(image, weights)
    # The head is 1x1, so it can run before the last upsampling, at a quarter of the work.
    x = _convolve(x, weights, "head", "relu", dtype="float32")
    x = layers.UpSampling2D(2, interpolation="nearest", dtype="float32")(x)
    model = keras.Model(image, x, name="fastdepth")
    for layer in model.layers:
        if layer.weights:
            name = layer.name.replace("_", ".")
            layer.set_weights([weights[f"{name}.kernel"], weights[f"{name}.bias"]])
    return model


def _body(image: Tensor, weights: Weights) -> Tensor:
    """The network without the head and the last upsampling."""
    x = _convolve(image, weights, "stem", "relu6", stride=2)
    encoded = {}
    for block, stride in enumerate(ENCODER_STRIDES, start=1):
        x = _separable(x, weights, f"encoder{block}", "relu6", stride)
        encoded[block] = x
    for block in range(1, DECODER_BLOCKS + 1):
        x = _separable(x, weights, f"decoder{block}", "relu")
        if block < DECODER_BLOCKS:
            x = layers.UpSampling2D(2, interpolation="nearest")(x)
        if block in SKIPS:
            x = layers.Add()([x, encoded[SKIPS[block]]])
    return x


def _separable(x: Tensor, weights: Weights, name: str, activation: str, stride: int = 1) -> Tensor:
    """A depthwise convolution, then a pointwise one."""
    x = _convolve(x, weights, f"{name}.depthwise", activation, stride)
    return _convolve(x, weights, f"{name}.pointwise", activation)


def _convolve(
    x: Tensor,
    weights: Weights,
    name: str,
    activation: str,
    stride: int = 1,
    dtype: str | None = None,
) -> Tensor:
    """A convolution with bias and activation, padded equally on all sides as in PyTorch."""
    side, _, _, width = weights[f"{name}.kernel"].shape
    padding = "same"
    if stride > 1:
        # "same" with a stride pads an even side at its end only, which shifts the image.
        x = layers.ZeroPadding2D(side // 2)(x)
        padding = "valid"
    options = {
        "strides": stride,
        "padding": padding,
        "activation": activation,
        "name": name.replace(".", "_"),
        "dtype": dtype,
    }
    # Zeros, since random initial weights would only be overwritten (10 s on JAX).
    if name.endswith(".depthwise"):
        return layers.DepthwiseConv2D(side, depthwise_initializer="zeros", **options)(x)
    return layers.Conv2D(width, side, kernel_initializer="zeros", **options)(x)
