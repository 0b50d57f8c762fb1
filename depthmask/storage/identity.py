"""The guard of an output folder: what was begun there is continued, or refused, never mixed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatch
from typing import Any

from depthmask.errors import UsageError
from depthmask.storage.choice import store_of
from depthmask.storage.location import Location
from depthmask.storage.publish import read_sealed, write_sealed
from depthmask.storage.store import LOCK, TEMPORARY

FREE = ("output", "overwrite", "runner", "target")
"""Config that decides nothing about the samples."""


_FIRST = ("job", "stage")
"""A change of these explains all that comes with it, so it is named first."""


class FolderState(Enum):
    """What the output folder held."""

    nothing = "nothing"
    same = "same"
    shorter = "shorter"


@dataclass(frozen=True, slots=True)
class DatasetIdentity:
    """All that decides the bytes of a dataset, as plain data, and its hash."""

    description: dict[str, Any]

    @property
    def fingerprint(self) -> str:
        """sha256 of the description."""
        return _hash(self.description)

    @property
    def lineage(self) -> str:
        """The same for all numbers of samples: what a shard and a longer dataset have in common."""
        config = {**self.description["config"], "samples": None}
        return _hash({**self.description, "config": config})


def _hash(data: dict[str, Any]) -> str:
    text = json.dumps(data, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def examine(output: Location, wanted: DatasetIdentity, *, overwrite: bool) -> FolderState:
    """What is in the folder; UsageError if it is not for this plan. Nothing is written."""
    if _is_free(output):
        return FolderState.nothing
    if not (output / "plan.json").is_file():
        raise UsageError(
            f"output={output}: the folder is not empty and holds no dataset of ours; "
            "choose another output"
        )
    return FolderState.nothing if overwrite else _compare(output, wanted)


def claim(output: Location, wanted: DatasetIdentity, *, overwrite: bool) -> FolderState:
    """Take the folder for the plan, by writing `plan.json`; UsageError as `examine`.

    A larger number of samples of the same plan extends what is there.
    """
    found = examine(output, wanted, overwrite=overwrite)
    store = store_of(output)
    if overwrite:
        _clear(output)
    if found is not FolderState.same:
        store.make_folder(output)
        # No longer complete, so no longer to be read as if it were.
        (output / "dataset.json").unlink(missing_ok=True)
        write_sealed(
            output / "plan.json", {**wanted.description, "fingerprint": wanted.fingerprint}
        )
    store.make_folder(output / "records")
    store.remove_leftovers(output)
    return found


def _compare(output: Location, wanted: DatasetIdentity) -> FolderState:
    there = read_sealed(output / "plan.json")
    if there is None:
        raise UsageError(
            f"output={output}: its plan.json is damaged, so nobody knows what is there; "
            "choose another output, or overwrite=true"
        )
    differences = list(_differences(there, wanted.description))
    if not differences:
        return FolderState.same
    names = [name for name, _, _ in differences]
    name, old, new = differences[0]
    if names == ["config.samples"] and type(old) is int and old < new:
        return FolderState.shorter
    more = f" (and {len(differences) - 1} more)" if len(differences) > 1 else ""
    raise UsageError(
        f"output={output} holds another dataset: {name.removeprefix('config.')} is {old} there "
        f"and {new} now{more}; choose another output, or overwrite=true"
    )


def _differences(there: Any, wanted: Any, name: str = "") -> Iterator[tuple[str, Any, Any]]:
    """(field, value there, value wanted) of all leaves that differ."""
    if isinstance(there, dict) and isinstance(wanted, dict):
        for key in sorted({*there, *wanted} - {"fingerprint"}, key=lambda k: (k not in _FIRST, k)):
            path = f"{name}.{key}" if name else key
            yield from _differences(there.get(key), wanted.get(key), path)
    elif there != wanted:
        yield name, there, wanted


def _is_free(output: Location) -> bool:
    """Whether nobody has the folder yet."""
    if output.exists() and not output.is_dir():
        raise UsageError(f"output={output}: a file; choose the name of a folder")
    return not output.exists() or all(_is_debris(path) for path in output.iterdir())


def _is_debris(path: Location) -> bool:
    """What a run leaves that was killed before it had a plan."""
    return path.name == LOCK or fnmatch(path.name, f"plan.json.*{TEMPORARY}")


def _clear(output: Location) -> None:
    """Remove a dataset of ours, and keep the lock that this run holds."""
    # Killed in between, what is left must not look complete, and must still look like ours.
    last = [output / "plan.json", output / LOCK]
    (output / "dataset.json").unlink(missing_ok=True)
    store = store_of(output)
    for path in output.iterdir():
        if path not in last:
            store.remove(path)
    (output / "plan.json").unlink(missing_ok=True)
