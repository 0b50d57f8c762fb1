"""What annotations say, in one form for all formats: photographs, and the objects on them."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from depthmask import LeftOut, Size, is_one_line

from depthmask_coco._shapes import Shape

MOST_PIXELS = 100_000_000
"""The most pixels of a photograph, as for all assets of depthmask."""
ANNOTATION = "annotation"
FILE = "file"
"""What is counted of what is not used: entries of a file, and whole files."""
_LONGEST_FILE_NAME = 100
_KEPT_SUFFIXES = (".json", ".txt")


@dataclass(frozen=True, slots=True)
class Photograph:
    """A photograph.

    file: its name below the root. size: as its annotations say; None if they do not. facts: what
    they say about it, such as its id, for the JSON of samples. licence: empty if it is unknown.
    """

    file: str
    size: Size | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    licence: str = ""


# Frozen, a hundred thousand would take a tenth of a second more.
@dataclass(slots=True)
class Instance:
    """An object on a photograph.

    what: names it in messages, such as `annotation 17`. file: of the photograph. shape: in shares
    of its height and width if `shape.is_relative`, else in pixels. facts: as of `Photograph`.
    """

    key: str
    what: str
    file: str
    label: str
    shape: Shape
    is_crowd: bool = False
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that cannot be used.

    where: the file at fault, and within it `what`. reason: what is wrong, and what to do. kind: as
    it is counted. content: its entry, if it is one of a file. copies: the files to keep.
    """

    where: str
    what: str
    reason: str
    kind: str
    content: bytes | None = None
    copies: tuple[Path, ...] = ()

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}"

    @property
    def name(self) -> str:
        """The file and what in it is at fault."""
        text = f"{self.where}: {self.what}" if self.what else self.where
        return text if is_one_line(text) else ascii(text)[1:-1]

    @property
    def file_name(self) -> str:
        """A name for a file with the content: the file, what in it is at fault, and the suffix."""
        stem, suffix = os.path.splitext(os.path.basename(self.where))
        text = re.sub(r"[^A-Za-z0-9_-]+", "-", f"{stem} {self.what}").strip("-")
        return f"{text[:_LONGEST_FILE_NAME]}{suffix if suffix in _KEPT_SUFFIXES else ''}"


@dataclass(slots=True)
class Annotations:
    """All that files with annotations say.

    where: the file, or the folder of them, for messages. hashes: of the files, by their names.
    labels: of all categories. unused: files that are no photographs. unusable: how many instances
    are of photographs or categories at fault. incomplete: the photographs of instances at fault.
    """

    where: str
    photographs: dict[str, Photograph] = field(default_factory=dict)
    instances: list[Instance] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    labels: tuple[str, ...] = ()
    hashes: dict[str, str] = field(default_factory=dict)
    unused: list[LeftOut] = field(default_factory=list)
    unusable: int = 0
    incomplete: set[str] = field(default_factory=set)
