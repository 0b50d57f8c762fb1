"""The inputs and outputs of an ONNX file, and checks before a runtime loads it.

Reads the protobuf itself: the field numbers below are fixed by ONNX's promise of
compatibility (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto), while the `onnx` package
requires protobuf and ml_dtypes, and copies every weight only to read its header.

The following raises RefusedError, anywhere in the file (graph, subgraphs, functions, training
information):

- tensors with external data: a path could name any file of this machine, and ONNX Runtime even
  takes the text `*/_ORT_MEM_ADDR_/*` for an address in memory;
- operators that are neither standard ONNX nor a function that the file itself defines;
- sizes that a few bytes can inflate: a tensor of more elements than its bytes can hold, sparse
  tensors, functions that call functions until a small file has millions of nodes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import prod
from typing import TypeAlias

from depthmask_onnx._wire import MalformedError, content, fields, integer, integers, text

MAX_NODES = 1_000_000
"""Limit after all functions are expanded; Depth Anything V2 large has about 3,000."""
MAX_NESTING = 32
"""Limit of nested graphs and of nested calls of functions; exporters use two or three."""
MAX_AXES = 16
ELEMENTS_PER_BYTE = 4
"""ONNX's smallest elements have two bits."""
STANDARD_DOMAINS = ("", "ai.onnx")

_Operator: TypeAlias = tuple[str, str, str]
"""(domain, name, overload)."""


class RefusedError(ValueError):
    """The file has forbidden content; the message names the node or tensor."""


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output of a model.

    element: a number of `TensorProto.DataType`, 1 is float32. shape: None for an axis of any
    length; None instead of a shape if the file gives none.
    """

    name: str
    element: int
    shape: tuple[int | None, ...] | None


@dataclass(frozen=True, slots=True)
class Ports:
    """The inputs and outputs of a model, in the order of the file."""

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]


def scan(model: bytes) -> Ports:
    """The inputs and outputs of an ONNX model; `RefusedError` for one that must not be run."""
    # ONNX Runtime's own format, which it recognises by these bytes alone.
    if model[4:8] == b"ORTM":
        raise RefusedError("is in the ORT format; only ONNX is read")
    try:
        return _scanned(memoryview(model))
    except MalformedError as error:
        raise RefusedError(f"is not an ONNX model, or was cut: {error}") from None


def _scanned(model: memoryview) -> Ports:
    main, functions, used = _Body(), dict[_Operator, _Body](), _Names()
    for one in fields(model):
        if one[0] == 7:
            _graph(content(one), main, used, 0)
        elif one[0] == 25:
            operator, body = _function(content(one))
            # Expansion counts functions by their operators, which must not be standard ones.
            if operator in functions or operator[0] in STANDARD_DOMAINS:
                raise RefusedError(f"defines function {operator[1]} twice, or as standard ONNX")
            functions[operator] = body
        elif one[0] == 20:
            raise RefusedError("holds training information; export it for inference")
    if not main.nodes:
        raise RefusedError("is not an ONNX model: it has no nodes")
    _check_operators(main, functions)
    return Ports(
        tuple(port for port in used.inputs if port.name not in used.initializers),
        tuple(used.outputs),
    )


@dataclass
class _Body:
    """The nodes of a graph with its subgraphs, or of a function.

    calls: the number of uses of each non-standard operator. node: one node that uses it.
    """

    nodes: int = 0
    calls: Counter[_Operator] = field(default_factory=Counter)
    node: dict[_Operator, str] = field(default_factory=dict)


@dataclass
class _Names:
    """Names in the main graph; before version 4 of ONNX's format, weights are inputs as well."""

    inputs: list[Port] = field(default_factory=list)
    outputs: list[Port] = field(default_factory=list)
    initializers: set[str] = field(default_factory=set)


def _graph(graph: memoryview, body: _Body, names: _Names, nesting: int) -> None:
    if nesting > MAX_NESTING:
        raise RefusedError(f"has graphs nested deeper than {MAX_NESTING}")
    for one in fields(graph):
        if one[0] == 1:
            _node(content(one), body, nesting)
        elif one[0] == 5:
            names.initializers.add(_tensor(content(one), "the graph"))
        elif one[0] == 11:
            names.inputs.append(_port(content(one)))
        elif one[0] == 12:
            names.outputs.append(_port(content(one)))
        elif one[0] == 15:
            raise RefusedError("holds a sparse tensor; only dense ones are read")


def _function(function: memoryview) -> tuple[_Operator, _Body]:
    body, texts = _Body(), {10: "", 1: "", 13: ""}
    for one in fields(function):
        if one[0] in texts:
            texts[one[0]] = text(one)
        elif one[0] == 7:
            _node(content(one), body, 0)
        elif one[0] == 11:
            _attribute(content(one), body, "a function's default", 0)
    return (texts[10], texts[1], texts[13]), body


def _node(node: memoryview, body: _Body, nesting: int) -> None:
    body.nodes += 1
    if body.nodes > MAX_NODES:
        raise RefusedError(f"has more than {MAX_NODES:,} nodes")
    texts = {7: "", 4: "", 8: "", 3: ""}
    attributes = []
    for one in fields(node):
        if one[0] in texts:
            texts[one[0]] = text(one)
        elif one[0] == 5:
            attributes.append(content(one))
    operator = texts[7], texts[4], texts[8]
    name = f"node {texts[3]!r} ({texts[4]})" if texts[3] else f"a node {texts[4]}"
    if operator[0] not in STANDARD_DOMAINS:
        body.calls[operator] += 1
        body.node.setdefault(operator, name)
    for attribute in attributes:
        _attribute(attribute, body, name, nesting)


def _attribute(attribute: memoryview, body: _Body, node: str, nesting: int) -> None:
    for one in fields(attribute):
        if one[0] in (5, 10):
            _tensor(content(one), node)
        elif one[0] in (6, 11):
            _graph(content(one), body, _Names(), nesting + 1)
        elif one[0] in (22, 23):
            raise RefusedError(f"{node} holds a sparse tensor; only dense ones are read")


def _tensor(tensor: memoryview, where: str) -> str:
    """The name of a tensor; `RefusedError` unless its data are in the file."""
    dims, name = list[int](), ""
    external = False
    for one in fields(tensor):
        if one[0] == 1:
            dims.extend(integers(one))
        elif one[0] == 8:
            name = text(one)
        elif one[0] == 13 or (one[0] == 14 and integer(one) != 0):
            external = True
    if external:
        raise RefusedError(
            f"{where} has tensor {name!r} with external data; save the model as one file"
        )
    if len(dims) > MAX_AXES:
        raise RefusedError(f"{where} has tensor {name!r} of {len(dims):,} axes")
    if min(dims, default=1) < 0 or prod(dims) > ELEMENTS_PER_BYTE * len(tensor):
        shape = "x".join(map(str, dims))
        raise RefusedError(f"{where} has tensor {name!r} of shape {shape} in {len(tensor):,} bytes")
    return name


def _port(value: memoryview) -> Port:
    name, element, shape = "", 0, None
    for one in fields(value):
        if one[0] == 1:
            name = text(one)
        elif one[0] == 2:
            for tensor in _inside(content(one), 1):
                for entry in fields(tensor):
                    if entry[0] == 1:
                        element = integer(entry)
                    elif entry[0] == 2:
                        shape = tuple(map(_length, _inside(content(entry), 1)))
    return Port(name, element, shape)


def _inside(message: memoryview, number: int) -> Iterator[memoryview]:
    """The contents of the fields with a number."""
    return (content(one) for one in fields(message) if one[0] == number)


def _length(dimension: memoryview) -> int | None:
    """The length of an axis; None for a named axis, and for 0 or -1, which some exporters write."""
    lengths = [integer(one) for one in fields(dimension) if one[0] == 1]
    return lengths[-1] if lengths and lengths[-1] > 0 else None


def _check_operators(main: _Body, functions: dict[_Operator, _Body]) -> None:
    """Raise unless every operator is defined and the expanded graph has a sane size."""
    for body in (main, *functions.values()):
        for operator in body.calls:
            if operator not in functions:
                domain, name, _ = operator
                raise RefusedError(
                    f"{body.node[operator]} is operator {name} of {domain}; only standard ONNX "
                    "operators are run, export the model without custom or fused ones"
                )
    if _expanded(main, functions, {}, 0) > MAX_NODES:
        raise RefusedError(f"has more than {MAX_NODES:,} nodes once its functions are expanded")


def _expanded(
    body: _Body, functions: dict[_Operator, _Body], known: dict[_Operator, int], nesting: int
) -> int:
    """The number of nodes in a body with all functions expanded."""
    # Functions that call themselves end here as well.
    if nesting > MAX_NESTING:
        raise RefusedError(f"has functions nested deeper than {MAX_NESTING}")
    total = body.nodes
    for operator, times in body.calls.items():
        if operator not in known:
            known[operator] = _expanded(functions[operator], functions, known, nesting + 1)
        total += times * known[operator]
    return total
