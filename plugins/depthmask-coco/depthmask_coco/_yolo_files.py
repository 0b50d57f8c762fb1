"""Reads the files of YOLO segmentation: `data.yaml`, and a text file for each photograph.

https://docs.ultralytics.com/datasets/segment
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from depthmask import AssetError, AssetFolder, LeftOut, UsageError, is_one_line

from depthmask_coco._coco_shapes import BadShapeError, polygons
from depthmask_coco._instances import ANNOTATION, FILE, Annotations, Fault, Instance, Photograph
from depthmask_coco._json import printable, shown
from depthmask_coco._paths import copies_of, plain_name
from depthmask_coco._pictures import pictures_below
from depthmask_coco._yaml import MOST_BYTES, load_yaml

_MOST_LIST_BYTES = 64 << 20
_MOST_LABEL_BYTES = 16 << 20
_BOX_NUMBERS = 4
_SLACK = 0.01
"""How far polygons may reach beyond their photograph, as a share of it."""


def read_yolo(files: AssetFolder, root: Path, name: str, parts: Sequence[str]) -> Annotations:
    """The annotations of these parts of a dataset (train, val, test).

    name: of its YAML file below `root`. Raises `UsageError` for a file that is none.
    """
    return _Reader(files, root, name).annotations(parts)


class _Reader:
    def __init__(self, files: AssetFolder, root: Path, name: str) -> None:
        self._files = files
        self._root = root
        self._path = root / name
        content = load_yaml(self._path, files.read(name, MOST_BYTES))
        if not isinstance(content, dict):
            raise UsageError(f"{self._path}: no data.yaml of YOLO: it is no mapping with names")
        self._content: Mapping[Any, Any] = content
        self._names = self._read_names()
        self._unused: dict[tuple[str, str], int] = {}
        self._annotations = Annotations(str(root), hashes={name: files.hashes[name]})
        self._annotations.labels = tuple(sorted(set(self._names.values())))

    def annotations(self, parts: Sequence[str]) -> Annotations:
        """The photographs of the parts, and the objects on them."""
        for part in parts:
            for picture in self._pictures(part):
                self._annotations.photographs.setdefault(picture, Photograph(picture))
        for picture in self._annotations.photographs:
            self._read_labels(picture)
        self._annotations.unused = [
            LeftOut(where, reason, files=count) for (where, reason), count in self._unused.items()
        ]
        return self._annotations

    def _read_names(self) -> dict[int, str]:
        """The number of each class -> its name."""
        names = self._content.get("names")
        by_number = dict(enumerate(names)) if isinstance(names, list) else names
        if not isinstance(by_number, dict) or not by_number:
            raise UsageError(
                f"{self._path}: names is {shown(names)}; expected the names of classes"
            )
        for number, name in by_number.items():
            is_text = isinstance(name, str) and bool(name.strip()) and is_one_line(name)
            if type(number) is not int or not is_text:
                raise UsageError(
                    f"{self._path}: names has {shown(number)}: {shown(name)}; expected numbers, "
                    "and texts of one line"
                )
        return {number: name.strip() for number, name in by_number.items()}

    def _pictures(self, part: str) -> list[str]:
        """The names of the photographs of a part below the root, sorted."""
        entry = self._content.get(part)
        entries = entry if isinstance(entry, list) else [entry]
        texts = [one for one in entries if isinstance(one, str) and one]
        if not texts or len(texts) < len(entries):
            raise UsageError(f"{self._path}: {part} is {shown(entry)}; expected a folder of images")
        return sorted({name for text in texts for name in self._pictures_at(part, text)})

    def _pictures_at(self, part: str, entry: str) -> list[str]:
        """Those of a folder, or of a text file with their paths."""
        name = _plain(entry)
        try:
            path = self._files.path(name) if name else self._root
        except AssetError as error:
            raise UsageError(f"{self._path}: {part}: {shown(entry)} {error.reason}") from None
        if os.path.isdir(path) and path.resolve().is_relative_to(self._root.resolve()):
            return self._pictures_below(name)
        if not os.path.isfile(path) or not name.endswith(".txt"):
            raise UsageError(
                f"{self._path}: {part}: {shown(entry)}: no such folder below {self._root}"
            )
        lines = self._files.read(name, _MOST_LIST_BYTES).decode("utf-8-sig", "replace").splitlines()
        self._annotations.hashes[name] = self._files.hashes[name]
        return [_plain(line.strip()) for line in lines if line.strip()]

    def _pictures_below(self, folder: str) -> list[str]:
        """Those of a folder and its sub-folders; counts the other files."""
        names, unused = pictures_below(self._root, folder)
        where = printable(folder or str(self._root))
        self._unused |= {(where, reason): count for reason, count in unused.items()}
        return names

    def _read_labels(self, picture: str) -> None:
        """The objects on a photograph; without a file of labels it has none."""
        name = _labels_of(picture)
        try:
            path = self._files.path(name)
            if not os.path.lexists(path):
                return
            text = self._files.read(name, _MOST_LABEL_BYTES).decode("utf-8-sig")
        except UnicodeDecodeError:
            self._fault(name, "", "no UTF-8 text; replace it", None)
            self._annotations.incomplete.add(picture)
            return
        except AssetError as error:
            self._fault(name, "", error.reason, None)
            self._annotations.incomplete.add(picture)
            return
        self._annotations.hashes[name] = self._files.hashes[name]
        for number, line in enumerate(text.splitlines(), start=1):
            if line.strip():
                self._read_line(picture, name, number, line)

    def _read_line(self, picture: str, name: str, number: int, line: str) -> None:
        try:
            label, numbers = self._parsed(line)
            shape = polygons([numbers], (1, 1), slack=_SLACK, is_relative=True)
        except BadShapeError as error:
            self._fault(name, f"line {number}", str(error), line)
            self._annotations.incomplete.add(picture)
            return
        what = f"{printable(name)}: line {number}"
        key, facts = f"{picture}-{number}", {"line": number}
        self._annotations.instances.append(Instance(key, what, picture, label, shape, facts=facts))

    def _parsed(self, line: str) -> tuple[str, list[float]]:
        """The name of the class and the coordinates in a line; raises `BadShapeError`."""
        first, *rest = line.split()
        try:
            number, numbers = int(first), list(map(float, rest))
        except ValueError:
            raise BadShapeError(f"{shown(line)} is no class with coordinates") from None
        if number not in self._names:
            raise BadShapeError(f"refers to the class {shown(number)}, which is missing in names")
        if len(numbers) == _BOX_NUMBERS:
            raise BadShapeError("it has no polygon; a box alone is no cut-out")
        return self._names[number], numbers

    def _fault(self, name: str, what: str, reason: str, line: str | None) -> None:
        content = None if line is None else line.encode()
        copies = () if what else copies_of(self._files, name)
        where = f"{self._root}/{printable(name)}"
        kind = ANNOTATION if what else FILE
        self._annotations.faults.append(Fault(where, what, reason, kind, content, copies))


def _plain(entry: str) -> str:
    """A path of `data.yaml` or of a list, relative to the root.

    Some write `../train/images` for a folder beside `data.yaml`, as if it were in a folder of its
    own, and `./images/a.jpg`.
    """
    return plain_name(entry).removeprefix("../")


def _labels_of(picture: str) -> str:
    """The file of labels of a photograph: its last folder `images` becomes `labels`."""
    folders = picture.split("/")
    for at in range(len(folders) - 2, -1, -1):
        if folders[at] == "images":
            folders[at] = "labels"
            break
    return "/".join(folders).rpartition(".")[0] + ".txt"
