"""What a run's numbers depend on beside its recipe: pixels, device, photographs, sources."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from benchmarks.usefulness.recipes_file import TASKS, Recipe
from benchmarks.usefulness.sets import Picture, digest_of
from depthmask._version import PIXEL_VERSION
from depthmask.config.plugins import registry
from depthmask.config.provider import BUILT_IN
from depthmask.config.registry import KINDS

PACKAGES = (BUILT_IN, "depthmask-coco")
"""Whose stages the recipes have."""


@dataclass(frozen=True)
class Identity:
    """The state that runs are made at.

    pixels: of depthmask, see `pixel_state`. tested: set -> digest of its pictures. data: the folder
    that has the sources of recipes.
    """

    pixels: str
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
    return Identity(pixel_state(), device, tested, data)


@cache
def pixel_state() -> str:
    """A hash of the pixel versions of depthmask, of its stages, and of what their settings turn on.

    The table takes hours: code that makes the same pixels faster leaves its runs as they are.
    """
    versions = {
        f"{kind}={one.stage.name}": [one.stage.pixel_version, dict(one.stage.setting_versions)]
        for kind in KINDS
        for one in registry().offered(kind)
        if one.provider.name in PACKAGES
    }
    text = json.dumps([PIXEL_VERSION, versions], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


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
        if path.is_file():
            bytes_ = hashlib.sha256(path.read_bytes()).hexdigest()
            total.update(f"{path.relative_to(folder).as_posix()} {bytes_}\n".encode())
    return total.hexdigest()
