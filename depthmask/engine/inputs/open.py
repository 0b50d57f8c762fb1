"""Opens the input at the paths of a command line."""

from __future__ import annotations

import difflib
import glob
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from depthmask.engine.display import Display, Silent
from depthmask.engine.inputs.base import JobInput, place_of
from depthmask.engine.inputs.containers import files
from depthmask.engine.inputs.dataset import DatasetInput
from depthmask.engine.inputs.photographs import Photographs
from depthmask.engine.inputs.picture_list import list_pictures
from depthmask.engine.inputs.pictures import PictureInput, has_pairs
from depthmask.errors import UsageError
from depthmask.stages.source._hidden import is_hidden
from depthmask.storage import shell
from depthmask.storage.local import LocalPath
from depthmask.storage.location import location
from depthmask.storage.path import StorePath
from depthmask.untrusted import other_accents


def open_input(
    paths: Sequence[str], *, skip_damaged: bool = False, display: Display | None = None
) -> JobInput:
    """The dataset, the pictures with masks, or the photographs at these paths.

    A path may be a pattern, as in `photos/*.jpg`. skip_damaged: whether photographs that cannot be
    decoded are left out. Raises `UsageError` for a path where there is nothing of these.
    """
    locations = list(_locations(paths))
    datasets = [path for path in locations if (location(path) / "plan.json").is_file()]
    if datasets and len(locations) > 1:
        raise UsageError(
            f"{datasets[0]}: one dataset at a time; only pictures may be in several places"
        )
    if datasets:
        return DatasetInput(datasets[0])
    at_paths = files(locations)
    if has_pairs(at_paths.names):
        return PictureInput(locations, at_paths)
    for path in locations:
        _refuse_assets(path)
    # A pattern stays one, so that a plan need not name thousands of files.
    named = tuple(str(location(path)) for path in paths)
    listed = list_pictures(
        at_paths, place_of(named), skip_damaged=skip_damaged, display=display or Silent()
    )
    return Photographs(named, at_paths, listed, skip_damaged=skip_damaged)


def _locations(paths: Sequence[str]) -> Iterator[str]:
    """The paths, and the files of those that are patterns; `UsageError` if there is nothing."""
    for text in paths:
        path = location(text)
        if not isinstance(path, LocalPath):
            yield str(_remote_dataset(path))
        elif path.exists():
            yield str(path)
        elif glob.has_magic(text):
            yield from _matches(text)
        else:
            raise UsageError(f"{path}: no such file or folder{_suggestion(Path(str(path)))}")


def _matches(pattern: str) -> list[str]:
    local = str(location(pattern))
    matches = sorted(glob.glob(local, recursive=True))
    if not matches:
        raise UsageError(f"{pattern}: no file has such a name; check the pattern")
    # Wildcards match no name that begins with a dot, but those that a system gives: `__MACOSX`.
    fixed = os.path.dirname(re.split(r"[*?[]", local)[0]) or "."
    return [one for one in matches if not is_hidden(os.path.relpath(one, fixed))] or matches


def _remote_dataset(path: StorePath) -> StorePath:
    """The path of a dataset in an object store; `UsageError` if there is none."""
    if not (path / "plan.json").is_file():
        raise UsageError(
            f"{path}: no dataset; pictures in an object store cannot be read, so copy them to this "
            "machine and give their folder"
        )
    return path


def _suggestion(path: Path) -> str:
    """Which file or folder may have been meant, as the end of a message."""
    folder = path.parent
    while not folder.is_dir():
        path, folder = folder, folder.parent
    names = [one.name for one in folder.iterdir()]
    alike = [one for one in names if other_accents(path.name, one)]
    if close := alike or difflib.get_close_matches(path.name, names, 1):
        return f"; did you mean {folder / close[0]}?{other_accents(path.name, close[0])}"
    return f"; check the path, {folder} exists"


def _refuse_assets(path: str) -> None:
    """Raise `UsageError` for the folder of a source: its cut-outs are no photographs."""
    if all((Path(path) / name).is_dir() for name in ("bg", "fg")):
        root = shell.word(shell.setting("source.root", shell.path_word(path)))
        raise UsageError(
            f"{path}: a folder of assets, with bg/ and fg/; give {Path(path) / 'bg'} for the depth "
            f"of its backgrounds, or make samples of it with source=assets {root}"
        )
