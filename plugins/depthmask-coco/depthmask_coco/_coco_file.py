"""Reads COCO's files with annotations (https://cocodataset.org/#format-data)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, TypeGuard

import orjson
from depthmask import UsageError, is_one_line

from depthmask_coco._coco_shapes import BadShapeError, coco_shape, require_box, usual_polygons
from depthmask_coco._instances import (
    ANNOTATION,
    MOST_PIXELS,
    Annotations,
    Fault,
    Instance,
    Photograph,
)
from depthmask_coco._json import load_json, shown
from depthmask_coco._licences import licence_of
from depthmask_coco._paths import plain_name
from depthmask_coco._shapes import Polygons

Id: TypeAlias = int | str
_LONGEST_ID = 100
_MOST_ID = 1 << 63
_BATCH = 256
"""How many annotations have their polygons made together; more take memory, and no less time."""
_LISTS = ("images", "annotations", "categories")


class _BadEntryError(ValueError):
    """Why an entry cannot be used."""


@dataclass(slots=True)
class _Image:
    """A photograph by its id in the file; None instead of a photograph that is at fault."""

    photograph: Photograph | None


def read_coco(path: Path, data: bytes) -> Annotations:
    """The annotations of a file. data: its content.

    Raises `UsageError` for what is no COCO file.
    """
    content = load_json(path, data)
    if not isinstance(content, dict):
        raise UsageError(f"{path}: no COCO file: it is no object with {', '.join(_LISTS)}")
    for name in _LISTS:
        if not isinstance(content.get(name), list):
            raise UsageError(
                f"{path}: no COCO file: it has no list {name!r}; give one with instances, such as "
                "instances_val2017.json"
            )
    return _Reader(path, content).annotations()


class _Entry(NamedTuple):
    """An entry of one of the lists. its_id: None for one that is none. is_twice: others have it."""

    kind: str
    number: int
    content: Any
    its_id: Id | None
    is_twice: bool


class _Reader:
    """Reads the lists of one file, one after the other."""

    def __init__(self, path: Path, content: Mapping[str, Any]) -> None:
        self._path = path
        self._content = content
        self._annotations = Annotations(str(path))
        self._keys: set[str] = set()
        self._labels: dict[Id, str | None] = {}
        self._licences: dict[Id, str] = {}
        self._images: dict[Id, _Image] = {}

    def annotations(self) -> Annotations:
        """Everything in the file, with what cannot be used."""
        self._read_licences()
        for entry in self._entries("categories"):
            self._take(entry, self._category)
        for entry in self._entries("images"):
            self._take(entry, self._image)
        for entry, outline in self._outlined():
            self._take(entry, partial(self._annotation, outline))
        result = self._annotations
        result.labels = tuple(sorted({label for label in self._labels.values() if label}))
        return result

    def _entries(self, kind: str) -> Iterator[_Entry]:
        """Yield the entries of a list, each with its id and whether others have the same."""
        entries = self._content[kind]
        ids = [one.get("id") if isinstance(one, dict) else None for one in entries]
        known = [one if _is_id(one) else None for one in ids]
        counts = Counter(known)
        for number, (content, one) in enumerate(zip(entries, known, strict=True)):
            yield _Entry(kind, number, content, one, counts[one] > 1)

    def _outlined(self) -> Iterator[tuple[_Entry, Polygons | None]]:
        """Yield the annotations, each with its polygons if these are usual."""
        entries = self._entries("annotations")
        while batch := list(islice(entries, _BATCH)):
            shapes = [
                one.content.get("segmentation") if isinstance(one.content, dict) else None
                for one in batch
            ]
            yield from zip(batch, usual_polygons(shapes), strict=True)

    def _take(self, one: _Entry, take: Callable[[str, dict[str, Any]], None]) -> None:
        kind, number, entry, its_id, is_twice = one
        what = f"{kind}[{number}]" if its_id is None else f"{_SINGULAR[kind]} {_id_text(its_id)}"
        try:
            if not isinstance(entry, dict):
                raise _BadEntryError(f"{shown(entry)} is no object")
            if its_id is None:
                raise _BadEntryError(
                    f"its id is {shown(entry.get('id'))}; expected a number of 64 bits"
                )
            if is_twice:
                raise _BadEntryError("others have the same id; give each its own")
            take(what, entry)
        except (_BadEntryError, BadShapeError) as error:
            if its_id is not None:
                self._mark_bad(kind, its_id)
            if isinstance(entry, dict) and kind == "annotations":
                self._mark_incomplete(entry.get("image_id"))
            content = _as_json(entry) if kind != "categories" else None
            fault = Fault(str(self._path), what, str(error), ANNOTATION, content)
            self._annotations.faults.append(fault)

    def _mark_bad(self, kind: str, one: Id) -> None:
        """Remember that an entry is known and cannot be used."""
        if kind == "categories":
            self._labels[one] = None
        elif kind == "images":
            self._images[one] = _Image(None)

    def _mark_incomplete(self, image_id: object) -> None:
        """Remember that not all is known of what a photograph shows."""
        image = self._images.get(image_id) if _is_id(image_id) else None
        if image is not None and image.photograph is not None:
            self._annotations.incomplete.add(image.photograph.file)

    def _read_licences(self) -> None:
        licences = self._content.get("licenses")
        for entry in licences if isinstance(licences, list) else ():
            if isinstance(entry, dict) and _is_id(entry.get("id")):
                self._licences[entry["id"]] = licence_of(entry.get("name"), entry.get("url"))

    def _category(self, what: str, entry: Mapping[str, Any]) -> None:
        name = entry.get("name")
        if not isinstance(name, str) or not name.strip() or not is_one_line(name):
            raise _BadEntryError(f"its name is {shown(name)}; expected a text of one line")
        self._labels[entry["id"]] = name.strip()

    def _image(self, what: str, entry: Mapping[str, Any]) -> None:
        name, size = entry.get("file_name"), (entry.get("height"), entry.get("width"))
        if not isinstance(name, str):
            raise _BadEntryError(f"its file_name is {shown(name)}; expected a text")
        height, width = size
        if type(height) is not int or type(width) is not int or height < 1 or width < 1:
            raise _BadEntryError(f"its height and width are {shown(size)}; expected pixels")
        if height * width > MOST_PIXELS:
            pixels = f"{shown(height)}x{shown(width)}"
            raise _BadEntryError(f"{pixels} is more than {MOST_PIXELS:,} pixels")
        name = plain_name(name)
        if name in self._annotations.photographs:
            raise _BadEntryError(f"another image has its file_name {shown(name)}")
        facts = {"image_id": entry["id"]}
        licence = entry.get("license")
        text = self._licences.get(licence, "") if _is_id(licence) else ""
        one = Photograph(name, (height, width), facts, text)
        self._images[entry["id"]] = _Image(one)
        self._annotations.photographs[name] = one

    def _annotation(self, outline: Polygons | None, what: str, entry: Mapping[str, Any]) -> None:
        image_id = entry.get("image_id")
        image = self._images.get(image_id) if _is_id(image_id) else None
        if image is None:
            raise _BadEntryError(f"refers to the image {shown(image_id)}, which is missing")
        category = entry.get("category_id")
        if not _is_id(category) or category not in self._labels:
            raise _BadEntryError(f"refers to the category {shown(category)}, which is missing")
        label, photograph = self._labels[category], image.photograph
        if label is None or photograph is None:
            self._annotations.unusable += 1
            if photograph is not None:
                self._annotations.incomplete.add(photograph.file)
            return
        is_crowd = entry.get("iscrowd", 0)
        if is_crowd not in (0, 1):
            raise _BadEntryError(f"its iscrowd is {shown(is_crowd)}; expected 0 or 1")
        key = f"{photograph.file}-{entry['id']}"
        if key in self._keys:
            raise _BadEntryError(f"another annotation has its key {shown(key)}; give it another id")
        assert photograph.size is not None
        require_box(entry.get("bbox"), photograph.size)
        self._annotations.instances.append(
            Instance(
                key,
                what,
                photograph.file,
                label,
                coco_shape(entry.get("segmentation"), photograph.size, outline),
                bool(is_crowd),
                {"annotation_id": entry["id"]},
            )
        )
        self._keys.add(key)


_SINGULAR = {"images": "image", "annotations": "annotation", "categories": "category"}


def _is_id(value: object) -> TypeGuard[Id]:
    if type(value) is int:
        return -_MOST_ID <= value < _MOST_ID
    return (
        isinstance(value, str)
        and 0 < len(value) <= _LONGEST_ID
        and is_one_line(value)
        and "/" not in value
    )


def _id_text(value: Id) -> str:
    return str(value) if type(value) is int else shown(value)


def _as_json(entry: object) -> bytes:
    """An entry as JSON, to be kept; NaN becomes null."""
    try:
        return orjson.dumps(entry)
    except (TypeError, ValueError):
        return ascii(entry).encode()
