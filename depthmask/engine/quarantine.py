"""Keeps assets that a run left out in its folder, each with the reason beside it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from depthmask.data import AssetCatalogue, LeftOut
from depthmask.errors import UsageError
from depthmask.storage.path import StorePath
from depthmask.storage.record import is_inside

FOLDER = "quarantine"


def check_contents(left_out: Iterable[LeftOut], source: str) -> None:
    """Raise `UsageError` for contents and names of copies that cannot be written into the folder.

    source: the name of the source, for the error.
    """
    names: set[str] = set()
    for asset in left_out:
        if asset.names and (
            len(asset.names) != len(asset.copies) or any(map(_leads_out, asset.names))
        ):
            raise UsageError(
                f"source={source}: LeftOut.names of {asset.file}: must be a path below {FOLDER}/ "
                "for each copy"
            )
        for name, content in asset.contents.items():
            if reason := _fault(name, content, names):
                raise UsageError(f"source={source}: LeftOut.contents of {asset.file}: {reason}")
            names.add(name)


def quarantine(output: StorePath, left_out: Iterable[LeftOut]) -> None:
    """Copy the files and write the contents that the source gives; its own files stay."""
    folder = output / FOLDER
    for asset in left_out:
        names = asset.names or map(_name, asset.copies)
        for path, name in zip(asset.copies, names, strict=True):
            # A link may lead out of the folder, and reading a pipe might never end.
            is_plain = path.is_file() and not path.is_symlink()
            _keep(folder / name, asset, path.read_bytes() if is_plain else None)
        for name, content in asset.contents.items():
            _keep(folder / name, asset, content)


def _leads_out(name: Any) -> bool:
    """Whether a name, which may have characters that no output has, is no path below a folder."""
    return not isinstance(name, str) or bool({"", ".", ".."} & set(name.split("/")))


def without_contents(catalogue: AssetCatalogue) -> AssetCatalogue:
    """The catalogue for workers, which get it by pickle and keep nothing in the folder."""
    left_out = tuple(replace(asset, contents={}) for asset in catalogue.left_out)
    return replace(catalogue, left_out=left_out, hashes={})


def _name(path: Path) -> str:
    """The name of a copy: with its folder, since names are unique only within it."""
    return f"{path.parent.name}/{path.name}"


def _keep(target: StorePath, asset: LeftOut, content: bytes | None) -> None:
    """Write the reason, and the content if there is any that can be read."""
    target.parent.make_folder()
    reason = target.parent / f"{target.name}.txt"
    # A file name of the asset may be no valid UTF-8.
    reason.write_whole(f"{asset.file}: {asset.reason}\n".encode("utf-8", "backslashreplace"))
    if content is not None:
        target.write_whole(content)


def _fault(name: Any, content: Any, names: set[str]) -> str | None:
    """Why a file of this name and content cannot be written; None if it can."""
    if not isinstance(name, str) or not is_inside(name):
        return f"the name {name!r} does not stay below {FOLDER}/"
    if name in names:
        return f"the name {name!r} is given twice"
    return None if isinstance(content, bytes) else f"{name!r} is not bytes"
