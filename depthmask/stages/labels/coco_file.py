"""Writes the labels of a dataset as one COCO file: https://cocodataset.org/#format-data."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import IO, Any

import orjson

from depthmask.codec.members import JPG, JSON, PNG
from depthmask.stages.writer.base import PublishedDataset
from depthmask.storage.path import StorePath


def write_coco(dataset: PublishedDataset, path: StorePath) -> int:
    """Write images, annotations and categories; returns the number of annotations.

    Image ids are sample numbers. `file_name` is the name of the image's member in its shard.
    Foregrounds that are not visible have no annotation; boxes are [x, y, width, height] of the
    visible area. Beyond COCO, each annotation has `visible` (the visible share of the foreground,
    0..1), `distance_m` where it is known, and `amodal`: segmentation, area and bbox of the whole
    foreground on the canvas, as if nothing were in front of it. Only one sample is in memory.
    """
    member = (PNG if PNG.name in dataset.encoded(0).members else JPG).name
    categories: dict[str, int] = {}
    count = 0
    with (
        path.new_file() as new_path,
        new_path.open("wb") as file,
        tempfile.TemporaryFile(dir=new_path.parent) as annotations,
    ):
        file.write(b'{"info":{"description":"made by depthmask"},"licenses":[],"images":[')
        for number, meta in enumerate(_metas(dataset)):
            height, width = meta["size"]
            image = {"id": meta["index"], "file_name": f"{meta['key']}.{member}"}
            _append(file, {**image, "height": height, "width": width}, first=number == 0)
            for layer in meta["layers"]:
                if layer["area"]:
                    count += 1
                    category = categories.setdefault(layer["label"], len(categories) + 1)
                    _append(
                        annotations, _annotation(count, category, meta, layer), first=count == 1
                    )
        file.write(b'],"annotations":[')
        annotations.seek(0)
        while chunk := annotations.read(1 << 20):
            file.write(chunk)
        category_list = [{"id": number, "name": name} for name, number in categories.items()]
        file.write(b'],"categories":' + orjson.dumps(category_list) + b"}\n")
    return count


def _metas(dataset: PublishedDataset) -> Iterator[dict[str, Any]]:
    for index in range(len(dataset)):
        yield orjson.loads(dataset.encoded(index).members[JSON.name])


def _append(file: IO[bytes], item: dict[str, Any], *, first: bool) -> None:
    file.write(orjson.dumps(item) if first else b"," + orjson.dumps(item))


def _annotation(
    number: int, category: int, meta: dict[str, Any], layer: dict[str, Any]
) -> dict[str, Any]:
    annotation = {
        "id": number,
        "image_id": meta["index"],
        "category_id": category,
        "iscrowd": 0,
        **_shape(meta["size"], layer["visible_box"], layer),
        "visible": layer["visible"],
        "amodal": _shape(meta["size"], layer["amodal"]["box"], layer["amodal"]),
    }
    if "depth_m" in layer:
        annotation["distance_m"] = layer["depth_m"]
    return annotation


def _shape(size: list[int], box: list[int], label: dict[str, Any]) -> dict[str, Any]:
    top, left, height, width = box
    return {
        "area": label["area"],
        "bbox": [left, top, width, height],
        "segmentation": {"size": size, "counts": label["counts"]},
    }
