"""Reads the segmentations of Pascal VOC: a PNG of classes and one of objects for a photograph.

http://host.robots.ox.ac.uk/pascal/VOC/voc2012
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from depthmask import AssetError, AssetFolder, UInt8, UsageError

from depthmask_coco._instances import ANNOTATION, FILE, Annotations, Fault, Instance, Photograph
from depthmask_coco._json import printable
from depthmask_coco._paths import copies_of
from depthmask_coco._pictures import SUFFIXES, by_stem
from depthmask_coco._shapes import Box, Region

OBJECTS, CLASSES, PICTURES = "SegmentationObject", "SegmentationClass", "JPEGImages"
_LISTS = "ImageSets/Segmentation"
_LOOK = "voc 1"
"""Names what `_facts` does; another number makes later runs look again."""
_VOID = 255
_LEAST_SHARE = 0.9
"""An object of which a smaller part has one class is no object of one class."""
_MOST_LIST_BYTES = 64 << 20
Progress = Callable[[int], AbstractContextManager[Callable[[int], None]]]


def read_voc(
    files: AssetFolder,
    root: Path,
    list_name: str,
    names: Sequence[str],
    progress: Progress,
    *,
    recheck: bool,
) -> Annotations:
    """The annotations of a list, such as `trainval`, or of all segmentations if it is empty.

    names: of the classes, from 1 on. progress, recheck: as of `AssetFolder.look`. Raises
    `UsageError` for a folder that is none of VOC's.
    """
    annotations = Annotations(str(root), labels=tuple(sorted(set(names))))
    stems = _listed(files, root, list_name, annotations) if list_name else _all(root)
    objects = _file_names(root, OBJECTS, (".png",), stems)
    classes = dict(zip(objects, _file_names(root, CLASSES, (".png",), stems), strict=True))
    pictures = dict(zip(objects, _file_names(root, PICTURES, SUFFIXES, stems), strict=True))
    looks = files.look(
        objects,
        lambda name, data: _facts(files, name, classes[name], data),
        _LOOK,
        progress,
        read_with=lambda name: (classes[name],),
        recheck=recheck,
    )
    for name, look in looks.items():
        where, copies = f"{root}/{printable(name)}", copies_of(files, name, classes[name])
        if look.fault:
            annotations.faults.append(Fault(where, "", look.fault, FILE, copies=copies))
            continue
        annotations.hashes |= look.hashes
        _add(
            annotations,
            Fault(where, "", "", FILE, copies=copies),
            pictures[name],
            name,
            look.facts,
            names,
        )
    return annotations


def _add(
    annotations: Annotations, file: Fault, picture: str, name: str, facts: Any, names: Sequence[str]
) -> None:
    """Add the photograph and the objects of one segmentation."""
    size, objects = facts
    annotations.photographs[picture] = Photograph(picture, (size[0], size[1]))
    for value, number, share, box, area in objects:
        what = f"object {value}"
        if share < _LEAST_SHARE or not 1 <= number <= len(names):
            reason = (
                f"only {share:.0%} of it are of one class; expected one class"
                if share < _LEAST_SHARE
                else f"has the class {number}; source.names has {len(names)}"
            )
            annotations.faults.append(replace(file, what=what, reason=reason, kind=ANNOTATION))
            annotations.incomplete.add(picture)
            # One copy of the file is enough, with the first reason.
            file = replace(file, copies=())
            continue
        shape = Region(name, value, Box(*box), area)
        key, what = f"{picture}-{value}", f"{printable(name)}: {what}"
        facts = {"object": value}
        annotations.instances.append(
            Instance(key, what, picture, names[number - 1], shape, facts=facts)
        )


def _facts(files: AssetFolder, name: str, name_of_classes: str, data: bytes) -> Any:
    """[height, width]; of each object its value, class, the share of that, the box and the area."""
    values, classes = files.values(name, data), files.values(name_of_classes)
    if values.shape != classes.shape:
        raise AssetError(
            files.path(name),
            f"{values.shape[0]}x{values.shape[1]}, but its classes are "
            f"{classes.shape[0]}x{classes.shape[1]}",
        )
    present = np.flatnonzero(np.bincount(values.ravel(), minlength=256))
    numbers = [int(one) for one in present if one not in (0, _VOID)]
    return [list(values.shape), [_object(values, classes, one) for one in numbers]]


def _object(values: UInt8, classes: UInt8, value: int) -> list[Any]:
    mask = values == value
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    counts = np.bincount(classes[mask], minlength=256)
    area, number = int(mask.sum()), int(counts.argmax())
    box = [int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1]
    return [value, number, int(counts[number]) / area, box, area]


def _file_names(
    root: Path, folder: str, suffixes: tuple[str, ...], stems: Sequence[str]
) -> list[str]:
    """The name below the root of the file for each stem; of the first suffix if it is missing."""
    names = by_stem(root / folder, suffixes)
    return [f"{folder}/{names.get(stem, stem + suffixes[0])}" for stem in stems]


def _all(root: Path) -> list[str]:
    """The names without suffix of all segmentations, sorted."""
    folder = root / OBJECTS
    if not folder.is_dir():
        raise UsageError(
            f"{folder}: no such folder; source.root needs {PICTURES}/, {CLASSES}/ and {OBJECTS}/"
        )
    return sorted(by_stem(folder, (".png",)))


def _listed(files: AssetFolder, root: Path, list_name: str, annotations: Annotations) -> list[str]:
    """The names without suffix in a list."""
    name = f"{_LISTS}/{list_name}.txt"
    content = files.read(name, _MOST_LIST_BYTES)
    annotations.hashes[name] = files.hashes[name]
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise UsageError(f"{root / name}: no UTF-8 text; replace it") from None
    stems = [line.strip() for line in lines if line.strip()]
    if not stems:
        raise UsageError(f"{root / name}: it is empty; choose another source.image_set")
    return sorted(set(stems))
