"""Tiny ONNX models, and the path of the reference data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

ROOT = Path(__file__).resolve().parents[3]
REFERENCE = ROOT.parent / "shared" / "depth-reference" / "fastdepth"
SEED = ROOT.parent / "shared" / "seed-assets" / "bg"

Shape = Sequence[int | str | None]


def model(
    nodes: Sequence[onnx.NodeProto],
    shape: Shape = ("n", 3, "h", "w"),
    out: Shape | None = ("n", 1, "h", "w"),
    *,
    tensors: Sequence[onnx.TensorProto] = (),
    element: int = TensorProto.FLOAT,
    **more: Any,
) -> onnx.ModelProto:
    """A model from `image` to `depth`."""
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("image", element, shape)],
        [helper.make_tensor_value_info("depth", element, out)],
        tensors,
    )
    more.setdefault("opset_imports", [helper.make_opsetid("", 13)])
    return helper.make_model(graph, ir_version=8, **more)


def red(axis: int = 1, factor: float = 1.0, **shapes: Any) -> onnx.ModelProto:
    """Depth is `factor` times the red channel, which is at index 0 of `axis`."""
    tensors = [
        numpy_helper.from_array(np.array(value, dtype), name)
        for name, value, dtype in (
            ("start", [0], np.int64),
            ("stop", [1], np.int64),
            ("axis", [axis], np.int64),
            ("factor", factor, np.float32),
        )
    ]
    nodes = [
        helper.make_node("Slice", ["image", "start", "stop", "axis"], ["red"], "slice"),
        helper.make_node("Mul", ["red", "factor"], ["depth"], "mul"),
    ]
    return model(nodes, tensors=tensors, **shapes)
