"""Guards the local folders into which commands write files about one dataset."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from depthmask.errors import UsageError, refuse_machine_errors
from depthmask.storage.identity import identity_in
from depthmask.storage.local import LocalPath
from depthmask.storage.location import holds, location
from depthmask.storage.path import StorePath
from depthmask.untrusted import untrusted

_MARKER = ".depthmask.json"
"""The file that names the dataset and the command of the other files in a folder."""


def folder_for(
    dataset: StorePath, command: str, into: str | None, names: Iterable[str], **facts: float
) -> Path:
    """Make the folder for the files of a command, or return that of the same dataset, to add files.

    into: the folder that the user names; without one it is NAME-COMMAND in the working folder, with
    the name of the dataset. names: the files that will be written. facts: what all files in the
    folder have in common. Raises `UsageError` for a folder with files of another dataset, and for
    one with other files, unless the user names it and none of them would be overwritten.
    """
    folder = _local(into if into is not None else f"{_name(dataset)}-{command}", dataset)
    marker = _marker(dataset, command, facts)
    existing = _read(folder / _MARKER)
    if existing is not None:
        _require_same(folder, existing, marker)
    elif folder.is_dir():
        present = {path.name for path in folder.iterdir()}
        lost = sorted(present.intersection(names))
        if lost or (present and into is None):
            holds = f"holds {lost[0]}" if lost else "is not empty"
            raise UsageError(
                f"{folder} {holds}, and `{command}` has not made it; "
                "choose another folder with --into FOLDER"
            )
    try:
        folder.make_folder()
        (folder / _MARKER).write_whole(json.dumps(marker, indent=1).encode() + b"\n")
    except OSError as error:
        raise UsageError(
            f"{error.filename}: {error.strerror}; choose another folder with --into FOLDER"
        ) from None
    return folder


def _name(dataset: StorePath) -> str:
    path = dataset.resolve() if isinstance(dataset, LocalPath) else dataset
    return path.name


def _local(into: str, dataset: StorePath) -> LocalPath:
    """The path of the folder, which must be local, no file, and outside the dataset."""
    folder = location(into)
    if not isinstance(folder, LocalPath):
        raise UsageError(
            f"{into}: the files go into a local folder only; name one with --into FOLDER"
        )
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file; choose a folder with --into FOLDER")
    if holds(dataset, folder):
        raise UsageError(
            f"{folder} is in the dataset {dataset}, which holds nothing but its own files; "
            "choose another folder with --into FOLDER"
        )
    return folder


def _marker(dataset: StorePath, command: str, facts: dict[str, float]) -> dict[str, Any]:
    with untrusted(str(dataset / "plan.json")):
        lineage = identity_in(dataset).lineage
    path = os.fsencode(str(dataset.absolute())).decode("utf-8", "backslashreplace")
    return {"command": command, "dataset": path, "lineage": lineage, **facts}


def _read(path: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        refuse_machine_errors(path, error)
        content = None
    return content if isinstance(content, dict) else {}


def _require_same(folder: Path, existing: dict[str, Any], marker: dict[str, Any]) -> None:
    """Raise `UsageError` unless the folder has files of the same dataset, command and facts."""
    if any(existing.get(name) != marker[name] for name in ("lineage", "command")):
        raise UsageError(
            f"{folder} holds the files of `{existing.get('command', 'another command')} "
            f"{existing.get('dataset', 'OUT')}`, not of `{marker['command']} "
            f"{marker['dataset']}`; choose another folder with --into FOLDER"
        )
    for name in marker:
        if name != "dataset" and existing.get(name) != marker[name]:
            raise UsageError(
                f"{folder} holds files with --{name} {existing.get(name)}, not {marker[name]}; "
                f"give --{name} {existing.get(name)} to add files, or choose another folder with "
                "--into FOLDER"
            )
