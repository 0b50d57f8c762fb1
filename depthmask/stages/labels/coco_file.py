"""Writes the labels of a dataset as COCO files: https://cocodataset.org/#format-data."""

from __future__ import annotations

import heapq
import logging
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from operator import attrgetter
from typing import IO, Any

import orjson

from depthmask.codec.members import JPG, JSON, PNG
from depthmask.stages.writer.base import PublishedDataset
from depthmask.storage.path import StorePath

_log = logging.getLogger(__name__)
_CATEGORIES = b'],"categories":'
"""What stands before the categories, and nowhere else: JSON escapes the quotes of a text."""
_OF_BACKGROUND = "background_instances"
_MOST_COMPARED = 1 << 27
"""The most bytes of an earlier file that is read for its ids: it is in memory as a whole."""


def write_coco(dataset: PublishedDataset) -> None:
    """Write `coco_SPLIT.json` for each split with samples; a category has one id in all of them.

    The labels of the source are numbered in the order of the alphabet. If the source does not tell
    them, they are numbered as they first appear in the samples of all splits by number, so that a
    longer dataset goes on with the numbers of a shorter one.

    Image ids are sample numbers. `file_name` is the image's file below `shards/`, or its name in
    the archives. Foregrounds that are not visible have no annotation; boxes are
    [x, y, width, height] of the visible area. Beyond COCO, each annotation has `visible` (the
    visible share of the foreground, 0..1), `distance_m` where it is known, and `amodal`:
    segmentation, area and bbox of the whole foreground on the canvas, as if nothing were in front
    of it. Annotations of instances of the background follow those of foregrounds, and have
    `of_background`: true. Only one sample of each split is in memory.
    """
    categories = {label: number for number, label in enumerate(dataset.foreground_labels, 1)}
    splits = [name for name in dataset.splits if len(dataset.split(name))]
    with ExitStack() as stack:
        paths = {name: dataset.path / f"coco_{name}.json" for name in splits}
        files = {name: stack.enter_context(_new_file(path)) for name, path in paths.items()}
        for image in heapq.merge(*(_images(dataset, name) for name in splits), key=_number):
            for layer in image.labelled:
                categories.setdefault(layer["label"], len(categories) + 1)
            files[image.split].add(image, categories)
        for name, path in paths.items():
            _warn_of_other_ids(path, categories)
            files[name].end(categories)


@dataclass(frozen=True, slots=True)
class _Image:
    """An image of a split. meta: the sample's JSON."""

    split: str
    file_name: str
    meta: dict[str, Any]

    @property
    def number(self) -> int:
        """The number of the sample."""
        return int(self.meta["index"])

    @property
    def labelled(self) -> list[dict[str, Any]]:
        """The JSON of each layer, and of each instance of the background."""
        return [*self.meta["layers"], *self.meta.get(_OF_BACKGROUND, ())]


_number = attrgetter("number")


def _images(dataset: PublishedDataset, name: str) -> Iterator[_Image]:
    split = dataset.split(name)
    for record in split.records():
        for rank in range(record.start, record.stop):
            encoded = split.encoded(rank)
            member = (PNG if PNG.name in encoded.members else JPG).name
            file_name = dataset.writer.member_path(record.shard, encoded, member)
            yield _Image(name, file_name, orjson.loads(encoded.members[JSON.name]))


@dataclass
class _CocoFile:
    """A COCO file in the making. annotations: those written so far, in a file of their own."""

    file: IO[bytes]
    annotations: IO[bytes]
    images: int = field(default=0, init=False)
    count: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.file.write(b'{"info":{"description":"made by depthmask"},"licenses":[],"images":[')

    def add(self, image: _Image, categories: dict[str, int]) -> None:
        """Add an image and the annotations of its layers."""
        height, width = image.meta["size"]
        entry = {"id": image.number, "file_name": image.file_name}
        _append(self.file, {**entry, "height": height, "width": width}, first=self.images == 0)
        self.images += 1
        layers = len(image.meta["layers"])
        for number, layer in enumerate(image.labelled):
            # A stage that extends `Coco` may label the layers alone.
            if layer.get("area"):
                self.count += 1
                category = categories[layer["label"]]
                annotation = _annotation(self.count, category, image.meta, layer)
                if number >= layers:
                    annotation |= {"iscrowd": layer.get("iscrowd", 0), "of_background": True}
                _append(self.annotations, annotation, first=self.count == 1)

    def end(self, categories: dict[str, int]) -> None:
        """Write what follows the images."""
        self.file.write(b'],"annotations":[')
        self.annotations.seek(0)
        while chunk := self.annotations.read(1 << 20):
            self.file.write(chunk)
        category_list = [{"id": number, "name": name} for name, number in categories.items()]
        self.file.write(_CATEGORIES + orjson.dumps(category_list) + b"}\n")


def _warn_of_other_ids(path: StorePath, categories: dict[str, int]) -> None:
    """Log a warning if the file is there already, of a version that numbered each split alone."""
    earlier = _ids_in(path)
    if changed := [name for name, number in earlier.items() if categories.get(name) != number]:
        _log.warning(
            "%s: %d of %d categories have other ids than before, since they are now the same in "
            "all splits; read the ids from the new files",
            path.name, len(changed), len(earlier),
        )  # fmt: skip


def _ids_in(path: StorePath) -> dict[str, int]:
    """The ids of the categories of a file, by name; empty if they cannot be read."""
    try:
        content = path.read_whole(_MOST_COMPARED)
        start = content.rindex(_CATEGORIES) + len(_CATEGORIES)
        return {one["name"]: one["id"] for one in orjson.loads(content[start:].rstrip(b"}\n"))}
    except (OSError, ValueError, TypeError, KeyError):
        return {}


@contextmanager
def _new_file(path: StorePath) -> Iterator[_CocoFile]:
    with (
        path.new_file() as new_path,
        new_path.open("wb") as file,
        tempfile.TemporaryFile(dir=new_path.parent) as annotations,
    ):
        yield _CocoFile(file, annotations)


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
