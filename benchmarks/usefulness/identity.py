"""What a run's numbers depend on beside its recipe: code, device, photographs, sources."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import depthmask
from benchmarks.usefulness.recipes_file import TASKS, Recipe
from benchmarks.usefulness.sets import Picture, digest_of
from depthmask._version import PIXEL_VERSION

PACKAGES = ("depthmask", "depthmask_coco")
_MADE = {".pyc", ".so", ".pyd"}
"""Compiled files: kernels give the same bytes with and without them."""


@dataclass(frozen=True)
class Identity:
    """The state that runs are made at.

    code: of depthmask, see `code_state`. tested: set -> digest of its pictures. data: the folder
    that has the sources of recipes.
    """

    code: str
    device: str
    tested: Mapping[str, str]
    data: Path

    def tested_on(self, task: str) -> str:
        """The digests of what a task is tried on; depth's boundary recall is of people."""
        kinds = dict.fromkeys([TASKS[task], "people"])
        return "-".join(self.tested.get(kind, "") for kind in kinds)

    def sources_of(self, recipe: Recipe) -> str:
        """The content of the folders that the recipe reads."""
        return sources_state(self.data, recipe.sources)


def identity_of(data: Path, sets: Mapping[str, Iterable[Picture]], device: str) -> Identity:
    """The identity of runs that begin now."""
    tested = {kind: digest_of(pictures) for kind, pictures in sets.items()}
    return Identity(code_state(), device, tested, data)


@cache
def code_state() -> str:
    """Versions of depthmask and of its pixels, and the content of its packages."""
    contents = [content_of(folder) for folder in _folders()]
    digest = hashlib.sha256(json.dumps(contents).encode()).hexdigest()[:12]
    return f"{depthmask.__version__}-{PIXEL_VERSION}-{digest}"


def sources_state(data: Path, names: Sequence[str]) -> str:
    """A hash of the content of folders of the data; nothing where there are none."""
    folders = [data / name for name in names if (data / name).is_dir()]
    contents = [(folder.name, content_of(folder)) for folder in folders]
    return hashlib.sha256(json.dumps(contents).encode()).hexdigest()[:12] if contents else ""


@cache
def content_of(folder: Path) -> str:
    """A hash of the names and bytes of all files below a folder."""
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix not in _MADE:
            bytes_ = hashlib.sha256(path.read_bytes()).hexdigest()
            total.update(f"{path.relative_to(folder).as_posix()} {bytes_}\n".encode())
    return total.hexdigest()


def _folders() -> Iterator[Path]:
    for name in PACKAGES:
        spec = find_spec(name)
        if spec is not None and spec.origin is not None:
            yield Path(spec.origin).parent
