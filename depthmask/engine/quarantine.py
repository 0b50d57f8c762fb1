"""Copies assets that a run left out into its folder, each with the reason beside it."""

from __future__ import annotations

from collections.abc import Iterable

from depthmask.data import LeftOut
from depthmask.storage.path import StorePath

FOLDER = "quarantine"


def quarantine(output: StorePath, left_out: Iterable[LeftOut]) -> None:
    """Copy the files that the source asks to copy; the originals stay where they are."""
    for asset in left_out:
        for path in asset.copies:
            # Keep the folder, as in `bg/photo.png`: names are unique only within their folder.
            target = output / FOLDER / path.parent.name / path.name
            target.parent.make_folder()
            reason = target.parent / f"{path.name}.txt"
            reason.write_text(f"{asset.file}: {asset.reason}\n", encoding="utf-8")
            # A link may lead out of the folder, and reading a pipe might never end.
            if path.is_file() and not path.is_symlink():
                target.write_bytes(path.read_bytes())
