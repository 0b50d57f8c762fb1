"""Copies of the assets that a run left out, each with the reason beside it."""

from __future__ import annotations

from collections.abc import Iterable

from depthmask.data import LeftOut
from depthmask.storage.path import StorePath

FOLDER = "quarantine"


def quarantine(output: StorePath, left_out: Iterable[LeftOut]) -> None:
    """Copy the files that a source wants kept; the user's own stay where they are."""
    for one in left_out:
        for path in one.copies:
            # `bg/photo.png`: names are unique within their folder only.
            target = output / FOLDER / path.parent.name / path.name
            target.parent.make_folder()
            reason = target.parent / f"{path.name}.txt"
            reason.write_text(f"{one.file}: {one.reason}\n", encoding="utf-8")
            # What a link out of the folder leads to is not ours, and a pipe has no end.
            if path.is_file() and not path.is_symlink():
                target.write_bytes(path.read_bytes())
