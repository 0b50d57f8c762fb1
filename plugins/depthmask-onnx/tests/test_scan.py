"""Files that must not be run are refused with one line; and the wire format is read correctly."""

from __future__ import annotations

import os
import pickle
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from depthmask import SettingError
from onnx import TensorProto, helper, numpy_helper
from tiny_models import REFERENCE, model, red

from depthmask_onnx._scan import RefusedError, scan
from depthmask_onnx._wire import MalformedError, fields, integer, integers, text
from depthmask_onnx.estimator import Onnx

RELU = helper.make_node("Relu", ["image"], ["depth"], "relu")


def external(name: str = "w") -> onnx.TensorProto:
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[2])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    return tensor


def holding(tensor: onnx.TensorProto) -> onnx.NodeProto:
    return helper.make_node("Constant", [], ["c"], "constant", value=tensor)


def branch(node: onnx.NodeProto) -> onnx.NodeProto:
    graph = helper.make_graph([node], "branch", [], [])
    return helper.make_node("If", ["x"], ["y"], "choice", then_branch=graph, else_branch=graph)


def function(name: str, nodes: list[onnx.NodeProto], domain: str = "mine") -> onnx.FunctionProto:
    return helper.make_function(domain, name, ["image"], ["depth"], nodes, [])


def call(name: str, domain: str = "mine") -> onnx.NodeProto:
    return helper.make_node(name, ["image"], ["depth"], f"call-{name}", domain=domain)


def sparse() -> onnx.SparseTensorProto:
    values = numpy_helper.from_array(np.ones(1, np.float32), "s")
    return helper.make_sparse_tensor(
        values, numpy_helper.from_array(np.zeros(1, np.int64), "i"), [1]
    )


def with_sparse_initializer() -> onnx.ModelProto:
    made = model([RELU])
    made.graph.sparse_initializer.append(sparse())
    return made


def with_training() -> onnx.ModelProto:
    made = model([RELU])
    made.training_info.add().algorithm.node.append(RELU)
    return made


def huge() -> onnx.ModelProto:
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[10**6, 10**6])
    return model([RELU], tensors=[tensor])


def negative() -> onnx.ModelProto:
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[-1, 4], raw_data=b"0" * 16)
    return model([RELU], tensors=[tensor])


def many_axes() -> onnx.ModelProto:
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[1] * 17, raw_data=b"0000")
    return model([RELU], tensors=[tensor])


def laughs(depth: int, width: int) -> onnx.ModelProto:
    made = [function("f0", [RELU] * width)]
    made += [function(f"f{n}", [call(f"f{n - 1}")] * width) for n in range(1, depth)]
    return model([call(f"f{depth - 1}")], functions=made)


def deep() -> bytes:
    # Written by hand, since protobuf itself refuses to write it.
    node = RELU.SerializeToString()
    for _ in range(40):
        node = field_of(5, field_of(6, field_of(1, node)))
    return field_of(7, field_of(1, node))


def field_of(number: int, content: bytes) -> bytes:
    size = len(content)
    return bytes([number << 3 | 2, size & 0x7F | 0x80, size >> 7]) + content


def twice() -> onnx.ModelProto:
    made = model([call("f")], functions=[function("f", [RELU])])
    made.functions.append(made.functions[0])
    return made


def with_default(tensor: onnx.TensorProto) -> onnx.FunctionProto:
    made = function("f", [RELU])
    made.attribute_proto.append(helper.make_attribute("a", tensor))
    return made


BAD: dict[str, tuple[Callable[[], onnx.ModelProto | bytes], str]] = {
    "external": (
        lambda: model([RELU], tensors=[external()]),
        "the graph has tensor 'w' with external data",
    ),
    "external-constant": (
        lambda: model([holding(external())]),
        r"node 'constant' \(Constant\) has tensor 'w' with external data",
    ),
    "external-in-subgraph": (
        lambda: model([branch(holding(external("deep")))]),
        r"node 'constant' \(Constant\) has tensor 'deep' with external data",
    ),
    "external-in-function": (
        lambda: model([call("f")], functions=[function("f", [holding(external())])]),
        "tensor 'w' with external data",
    ),
    "external-in-default": (
        lambda: model([call("f")], functions=[with_default(external())]),
        "a function's default has tensor 'w' with external data",
    ),
    "sparse": (with_sparse_initializer, "holds a sparse tensor"),
    "sparse-constant": (
        lambda: model([helper.make_node("Constant", [], ["c"], sparse_value=sparse())]),
        "a node Constant holds a sparse tensor",
    ),
    "training": (with_training, "holds training information"),
    "custom": (
        lambda: model([call("Evil", "com.evil")]),
        r"node 'call-Evil' \(Evil\) is operator Evil of com\.evil; only standard ONNX",
    ),
    "contrib": (lambda: model([call("FusedConv", "com.microsoft")]), "FusedConv of com.microsoft"),
    "custom-in-subgraph": (lambda: model([branch(call("Evil"))]), "operator Evil of mine"),
    "custom-in-function": (
        lambda: model([call("f")], functions=[function("f", [call("Evil", "x")])]),
        "operator Evil of x",
    ),
    "standard-redefined": (
        lambda: model([RELU], functions=[function("Relu", [RELU], "")]),
        "defines function Relu",
    ),
    "twice": (twice, "defines function f twice"),
    "huge": (huge, "tensor 'w' of shape 1000000x1000000 in 1. bytes"),
    "negative": (negative, "tensor 'w' of shape -1x4"),
    "many-axes": (many_axes, "tensor 'w' of 17 axes"),
    "laughs": (lambda: laughs(8, 10), "more than 1,000,000 nodes once"),
    "endless": (
        lambda: model([call("f")], functions=[function("f", [call("f")])]),
        "functions nested deeper than 32",
    ),
    "deep": (deep, "graphs nested deeper than 32"),
    "empty": (lambda: b"", "is not an ONNX model"),
    "text": (lambda: b"<html>not found</html>", "is not an ONNX model"),
    "zip": (lambda: b"PK\x03\x04" + bytes(100), "is not an ONNX model"),
    "ort": (lambda: b"\x10\x00\x00\x00ORTM" + bytes(100), "is in the ORT format"),
    "truncated": (lambda: red().SerializeToString()[:-9], "is not an ONNX model, or was cut"),
}


@pytest.mark.parametrize("name", BAD)
def test_refused_with_one_line(name: str, save: Callable[..., str]) -> None:
    make, expected = BAD[name]
    path = save(make(), f"{name}.onnx")
    with pytest.raises(SettingError, match=expected) as caught:
        Onnx(weights=path).contract((8, 8))
    assert str(caught.value).startswith(f"weights={path}: ")
    assert "\n" not in str(caught.value)


def test_refusing_a_huge_tensor_takes_no_memory(save: Callable[..., str]) -> None:
    path = save(huge())
    tracemalloc.start()
    with pytest.raises(SettingError):
        Onnx(weights=path).contract((8, 8))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1e6


@pytest.mark.parametrize(
    ("name", "expected"),
    [("nosuch.onnx", "No such file"), ("", "is not a file"), ("pipe", "is not a file")],
)
def test_what_is_no_file(tmp_path: Path, name: str, expected: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SettingError, match=expected):
        Onnx(weights=str(tmp_path / name)).contract((8, 8))


def test_more_than_protobuf_can_hold(tmp_path: Path) -> None:
    with (tmp_path / "big.onnx").open("wb") as file:
        file.truncate(2**31)
    with pytest.raises(SettingError, match="is larger than the 2,147,483,647 bytes"):
        Onnx(weights=str(tmp_path / "big.onnx")).contract((8, 8))


def test_functions_of_the_file_itself_may_be_used(save: Callable[..., str]) -> None:
    # As the torch.onnx exporter of PyTorch 2 writes them.
    inner = helper.make_function(
        "pkg.torch", "peak", ["image"], ["depth"],
        [helper.make_node("ReduceMax", ["image"], ["depth"], axes=[1])],
        [helper.make_opsetid("", 13)],
    )  # fmt: skip
    imports = [helper.make_opsetid("", 13), helper.make_opsetid("pkg.torch", 1)]
    path = save(model([call("peak", "pkg.torch")], functions=[inner], opset_imports=imports))
    image = np.full((1, 8, 8, 3), 51, np.uint8)
    np.testing.assert_allclose(Onnx(weights=path).estimate(image), 0.2, rtol=1e-6)


def test_file_that_changes_after_the_contract(save: Callable[..., str]) -> None:
    stage = Onnx(weights=save(red(factor=5.0)))
    assert stage.weights_sha256
    worker = pickle.loads(pickle.dumps(stage))
    save(red(factor=6.0))
    with pytest.raises(SettingError, match="was changed while it was in use"):
        worker.estimate(np.zeros((1, 8, 8, 3), np.uint8))


def test_no_cut_gets_through() -> None:
    content = laughs(2, 2).SerializeToString()
    whole = scan(content)
    for length in range(len(content)):
        try:
            cut = scan(content[:length])
        except RefusedError:
            continue
        # A cut between two fields leaves a message; it is one without functions or imports.
        assert cut == whole


def test_any_flipped_byte_is_refused_or_read() -> None:
    content = bytearray(red().SerializeToString())
    for at in range(len(content)):
        for bit in (0, 3, 7):
            content[at] ^= 1 << bit
            try:
                scan(bytes(content))
            except RefusedError:
                pass
            finally:
                content[at] ^= 1 << bit


@pytest.mark.skipif(not REFERENCE.is_dir(), reason=f"no {REFERENCE}")
def test_ports_of_fastdepth() -> None:
    ports = scan((REFERENCE / "fastdepth_7.onnx").read_bytes())
    assert [(one.name, one.element, one.shape) for one in ports.inputs] == [
        ("0", 1, (1, 3, 224, 224))
    ]
    assert [(one.name, one.shape) for one in ports.outputs] == [("350", (1, 1, 224, 224))]


def test_axes_of_any_length() -> None:
    ports = scan(red(shape=("n", 3, 0, -1), out=None).SerializeToString())
    assert ports.inputs[0].shape == (None, 3, None, None)
    assert ports.outputs[0].shape is None


def test_wire_format() -> None:
    message = (
        b"\x08\x96\x01" + b"\x12\x02hi" + b"\x1d1234" + b"\x2112345678" + b"\x2a\x03\x01\xac\x02"
    )
    decoded = list(fields(memoryview(message)))
    assert [one[0] for one in decoded] == [1, 2, 3, 4, 5]
    assert integer(decoded[0]) == 150
    assert list(integers(decoded[0])) == [150]
    assert text(decoded[1]) == "hi"
    assert list(integers(decoded[4])) == [1, 300]
    minus_one = b"\x08" + b"\xff" * 9 + b"\x01"
    assert integer(next(fields(memoryview(minus_one)))) == -1


@pytest.mark.parametrize(
    "message",
    [
        b"\x08",
        b"\x08\x80",
        b"\x08" + b"\xff" * 11,
        b"\x12\x05hi",
        b"\x1d123",
        b"\x0b\x0c",
        b"\x00\x01",
        b"\x80\x80\x80\x80\x80\x01\x00",
    ],
)
def test_malformed_messages(message: bytes) -> None:
    with pytest.raises(MalformedError):
        list(fields(memoryview(message)))


def test_wrong_wire_types_are_errors() -> None:
    number, string = (next(fields(memoryview(one))) for one in (b"\x08\x01", b"\x12\x02hi"))
    with pytest.raises(MalformedError):
        text(number)
    with pytest.raises(MalformedError):
        integer(string)
