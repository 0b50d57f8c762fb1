"""Annotations as plain JSON, which the asset store keeps, so that later starts take less time."""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64
from pathlib import Path
from typing import Any

from depthmask import Size, is_one_line

from depthmask_coco._instances import ANNOTATION, Annotations, Fault, Instance, Photograph
from depthmask_coco._shapes import Box, Polygons, RunLengths, Shape


def as_plain(annotations: Annotations) -> dict[str, Any] | None:
    """The annotations of a COCO file; None if it has a name that is no UTF-8, and so no JSON."""
    photographs = annotations.photographs.values()
    if not all(is_one_line(one.file) for one in photographs):
        return None
    shapes = [_as_plain_shape(one.shape) for one in annotations.instances]
    return {
        "photographs": [[one.file, one.size, one.facts, one.licence] for one in photographs],
        "instances": [
            [one.key, one.what, one.file, one.label, one.is_crowd, one.facts]
            for one in annotations.instances
        ],
        "shapes": [shape for shape, _ in shapes],
        "contents": b2a_base64(b"".join(content for _, content in shapes)).decode(),
        "faults": [[one.what, one.reason, _text(one.content)] for one in annotations.faults],
        "labels": annotations.labels,
        "unusable": annotations.unusable,
        "incomplete": sorted(annotations.incomplete),
    }


def from_plain(path: Path, plain: dict[str, Any]) -> Annotations:
    """The annotations of the file `path`."""
    sizes = {file: tuple(size) for file, size, _, _ in plain["photographs"]}
    contents, at, instances = a2b_base64(plain["contents"]), 0, []
    for row, shape in zip(plain["instances"], plain["shapes"], strict=True):
        key, what, file, label, is_crowd, facts = row
        content = contents[at : at + shape[0]]
        at += shape[0]
        one = _shape(content, sizes[file], *shape[1:])
        instances.append(Instance(key, what, file, label, one, is_crowd, facts))
    return Annotations(
        str(path),
        {
            file: Photograph(file, sizes[file], facts, licence)
            for file, _, facts, licence in plain["photographs"]
        },
        instances,
        [
            Fault(str(path), what, reason, ANNOTATION, None if text is None else text.encode())
            for what, reason, text in plain["faults"]
        ],
        tuple(plain["labels"]),
        unusable=plain["unusable"],
        incomplete={*plain["incomplete"]},
    )


def _as_plain_shape(shape: Shape) -> tuple[list[Any], bytes]:
    """What `_shape` makes a shape of, after the length of its content; and the content."""
    if isinstance(shape, Polygons):
        return [len(shape.points), shape.ends, [*shape.box], shape.area], shape.points
    assert isinstance(shape, RunLengths), "COCO has no other shapes"
    return [len(shape.counts), None, [*shape.box], shape.area], shape.counts


def _shape(
    content: bytes, size: Size, ends: list[int] | None, edges: list[float], area: float
) -> Shape:
    box = Box._make(edges)
    if ends is None:
        return RunLengths(content, size, box, area)
    return Polygons(content, tuple(ends), box, area)


def _text(content: bytes | None) -> str | None:
    return None if content is None else content.decode()
