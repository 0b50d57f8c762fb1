"""Make `depthmask/stages/depth/fastdepth.npz` from the authors' ONNX file.

    python -m tools.convert_fastdepth fastdepth_7.onnx depthmask/stages/depth/fastdepth.npz

The file is FastDepth (Wofk et al. 2019, https://arxiv.org/abs/1903.03273), its network
MobileNet-NNConv5dw-skipadd-pruned, exported by PyTorch. Each convolution takes up the batch norm
that follows it; the graph's order gives the names. Needs the `onnx` package, which depthmask
itself does not. The same input gives the same bytes.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

ONNX_SHA256 = "6275c23f467d476874d0eecea2a2c7059733ca6681de4f17bfbfe3fc3a52a71d"
ENCODER_BLOCKS = 13
DECODER_BLOCKS = 5
INT16_FROM = 12_000
"""Kernels with at least this many weights are int16 with a scale for each output channel.

Measured against the float32 network: on the authors' image 0.21 mm off at most and 0.03 mm in the
mean, on 40 seed backgrounds 1.7 mm at most. The same kernels in float16, of the same size, were
2.3, 0.25 and 20 mm off. 2.9 MB; float32 throughout has 5.4.
"""


def main(arguments: list[str]) -> int:
    """Convert; 2 if the arguments or the file are not what was expected."""
    if len(arguments) != 2:
        print("usage: convert_fastdepth.py fastdepth_7.onnx OUT.npz", file=sys.stderr)
        return 2
    source, target = map(Path, arguments)
    content = source.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != ONNX_SHA256:
        print(f"error: {source}: sha256 is {found}, expected {ONNX_SHA256}", file=sys.stderr)
        return 2
    arrays = convert(onnx.load_model_from_string(content).graph)
    # Not compressed: weights hardly shrink, and deflate's bytes depend on the zlib.
    # A file object, because `savez` would add a suffix to a path that has none.
    with target.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    print(f"{target}: {len(arrays)} arrays, {target.stat().st_size:,} bytes")
    return 0


def convert(graph: Any) -> dict[str, NDArray[Any]]:
    """`NAME.kernel` in Keras layout, its `scale` if it has one, and `NAME.bias` by convolution."""
    arrays: dict[str, NDArray[Any]] = {}
    for name, (kernel, bias) in zip(layer_names(), folded(graph), strict=True):
        depthwise = name.endswith(".depthwise")
        # PyTorch: [out, in, height, width], and a depthwise kernel is [channels, 1, h, w].
        # Keras: [height, width, in, out], and [h, w, channels, 1].
        keras_kernel = kernel.transpose((2, 3, 0, 1) if depthwise else (2, 3, 1, 0))
        if kernel.size >= INT16_FROM:
            # The axes over which an output channel sums; a depthwise one has its own kernel.
            inputs = (0, 1) if depthwise else (0, 1, 2)
            scale = np.abs(keras_kernel).max(axis=inputs) / np.iinfo(np.int16).max
            arrays[f"{name}.kernel"] = np.rint(keras_kernel / scale).astype(np.int16)
            arrays[f"{name}.scale"] = scale.astype(np.float32)
        else:
            arrays[f"{name}.kernel"] = np.ascontiguousarray(keras_kernel, np.float32)
        arrays[f"{name}.bias"] = bias.astype(np.float32)
    return arrays


def layer_names() -> Iterator[str]:
    """The names of the convolutions, in the order of the graph."""
    yield "stem"
    for part, blocks in (("encoder", ENCODER_BLOCKS), ("decoder", DECODER_BLOCKS)):
        for block in range(1, blocks + 1):
            yield f"{part}{block}.depthwise"
            yield f"{part}{block}.pointwise"
    yield "head"


def folded(graph: Any) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Kernel and bias of each convolution with its batch norm folded in, in float64."""
    values = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    norms = {node.input[0]: node for node in graph.node if node.op_type == "BatchNormalization"}
    for convolution in (node for node in graph.node if node.op_type == "Conv"):
        norm = norms[convolution.output[0]]
        kernel = values[convolution.input[1]].astype(np.float64)
        gamma, beta, mean, variance = (values[name].astype(np.float64) for name in norm.input[1:])
        epsilon = next(item.f for item in norm.attribute if item.name == "epsilon")
        scale = gamma / np.sqrt(variance + epsilon)
        yield kernel * scale[:, None, None, None], beta - mean * scale


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
