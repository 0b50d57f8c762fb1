"""The weights of DenseDepth: names and shapes of arrays, and reading them. Imports no framework."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, TypeAlias

from depthmask.data import Float32
from depthmask.errors import UsageError
from depthmask.networks.keras_hdf5 import opened as hdf5_opened
from depthmask.networks.npz_weights import opened as npz_opened
from depthmask.networks.weight_file import WeightFile

Weights: TypeAlias = Mapping[str, Float32]
Shape: TypeAlias = tuple[int, ...]

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
ZIP_SIGNATURE = b"PK\x03\x04"
ENCODERS = {"DenseNet-169": (6, 12, 32, 32), "DenseNet-201": (6, 12, 48, 32)}
"""Blocks in each of the four stages."""
STEM = 64
GROWTH = 32
SKIPS = {1: 256, 2: 128, 3: 64, 4: 64}
"""Decoder stage -> channels of its skip connection from the encoder."""
WIDTHS = range(16, 4097)
NORM = ("gamma", "beta", "moving_mean", "moving_variance")
CONVOLUTION = ("kernel", "bias")

# The layers without weights in the authors' model; Keras numbers those without a name. The last
# name is a group in which late versions of Keras 2 keep weights outside of layers.
_WEIGHTLESS = re.compile(
    r"(input|zero_padding2d|leaky_re_lu)(_\d+)?|conv1_relu|pool1|relu|pool[2-4]_(relu|pool)"
    r"|conv[2-5]_block\d+_(0_relu|1_relu|concat)|up[1-4]_(upsampling2d|concat)"
    r"|top_level_model_weights"
)


class Layout(NamedTuple):
    """The variant of a DenseDepth.

    encoder: a name of `ENCODERS`. width: channels at the start of the decoder.
    """

    encoder: str
    width: int

    @property
    def blocks(self) -> tuple[int, ...]:
        """The blocks in each of the encoder's stages."""
        return ENCODERS[self.encoder]


def array_shapes(layout: Layout) -> dict[str, Shape]:
    """`LAYER.WEIGHT` -> shape of each array, in the order of the network."""
    return dict(_array_shapes(layout))


def _array_shapes(layout: Layout) -> Iterator[tuple[str, Shape]]:
    yield "conv1_conv.kernel", (7, 7, 3, STEM)
    yield from _norm("conv1_bn", STEM)
    channels = STEM
    for stage, blocks in enumerate(layout.blocks, start=2):
        for block in range(1, blocks + 1):
            name = f"conv{stage}_block{block}"
            yield from _norm(f"{name}_0_bn", channels)
            yield f"{name}_1_conv.kernel", (1, 1, channels, 4 * GROWTH)
            yield from _norm(f"{name}_1_bn", 4 * GROWTH)
            yield f"{name}_2_conv.kernel", (3, 3, 4 * GROWTH, GROWTH)
            channels += GROWTH
        if stage <= len(layout.blocks):
            yield from _norm(f"pool{stage}_bn", channels)
            yield f"pool{stage}_conv.kernel", (1, 1, channels, channels // 2)
            channels //= 2
    yield from _norm("bn", channels)
    yield from _convolution("conv2", 1, channels, layout.width)
    channels = layout.width
    for stage, skip in SKIPS.items():
        width = layout.width // 2**stage
        yield from _convolution(f"up{stage}_convA", 3, channels + skip, width)
        yield from _convolution(f"up{stage}_convB", 3, width, width)
        channels = width
    yield from _convolution("conv3", 3, channels, 1)


def _norm(layer: str, channels: int) -> Iterator[tuple[str, Shape]]:
    for weight in NORM:
        yield f"{layer}.{weight}", (channels,)


def _convolution(layer: str, side: int, channels: int, out: int) -> Iterator[tuple[str, Shape]]:
    yield f"{layer}.kernel", (side, side, channels, out)
    yield f"{layer}.bias", (out,)


def check(path: Path) -> Layout:
    """The layout of the DenseDepth in a file; reads no array.

    Raises `UsageError`, with the file and the layer in one line, unless the file has exactly the
    weights of this network.
    """
    with _opened(path) as file:
        return _checked(file)


def load(path: Path) -> tuple[Layout, dict[str, Float32]]:
    """(layout, name -> array as float32), read after the checks of `check`."""
    with _opened(path) as file:
        layout = _checked(file)
        return layout, {name: file.read(name) for name in array_shapes(layout)}


@contextmanager
def _opened(path: Path) -> Iterator[WeightFile]:
    try:
        with path.open("rb") as stream:
            start = stream.read(8)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    if start == HDF5_SIGNATURE:
        with hdf5_opened(path) as hdf5:
            yield hdf5
    elif start.startswith(ZIP_SIGNATURE):
        with npz_opened(path) as npz:
            yield npz
    else:
        raise UsageError(f"{path}: is neither HDF5 (as nyu.h5) nor npz: it begins with {start!r}")


def _checked(file: WeightFile) -> Layout:
    """The layout of the file; `UsageError` unless it has exactly the arrays of that layout."""
    encoder = _encoder(file)
    _check_layers(file, encoder)
    layout = Layout(encoder, _width(file))
    expected = array_shapes(layout)
    for name, shape in expected.items():
        if name not in file.arrays:
            raise file.refusal(name, f"missing; DenseDepth on {encoder} has it")
        actual = file.arrays[name].shape
        if actual != shape:
            raise file.refusal(name, f"has shape {list(actual)}, expected {list(shape)}")
    for name in sorted(file.arrays.keys() - expected.keys()):
        raise file.refusal(name, f"is no part of DenseDepth on {encoder}")
    return layout


def _encoder(file: WeightFile) -> str:
    """The name of the larger encoder if the third stage has more blocks than the smaller one's."""
    smaller, larger = ENCODERS
    return larger if f"conv4_block{ENCODERS[smaller][2] + 1}_1_conv" in file.layers else smaller


def _check_layers(file: WeightFile, encoder: str) -> None:
    """Raise `UsageError` for a layer that the network does not have."""
    own = {name.partition(".")[0] for name in array_shapes(Layout(encoder, WIDTHS.start))}
    with_arrays = {name.partition(".")[0] for name in file.arrays}
    for layer in sorted(file.layers):
        if layer not in own and (layer in with_arrays or not _WEIGHTLESS.fullmatch(layer)):
            raise file.refusal(layer, f"is no part of DenseDepth on {encoder}")


def _width(file: WeightFile) -> int:
    """The output channels of the decoder's first convolution."""
    name = "conv2.kernel"
    if name not in file.arrays:
        raise file.refusal(name, "missing; DenseDepth has it")
    shape = file.arrays[name].shape
    if len(shape) != 4 or shape[3] not in WIDTHS:
        raise file.refusal(
            name,
            f"has shape {list(shape)}, expected {WIDTHS.start} to {WIDTHS.stop - 1} outputs",
        )
    return shape[3]
