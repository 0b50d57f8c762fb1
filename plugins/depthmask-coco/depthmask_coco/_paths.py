"""Folders and files that settings name."""

from __future__ import annotations

from pathlib import Path

from depthmask import AssetFolder, SettingError, UsageError


def folder_of(root: str, setting: str) -> Path:
    """A folder on this machine; raises `SettingError` for anything else."""
    _require_here(root, setting)
    path = Path(root).expanduser()
    if not path.is_dir():
        raise SettingError(f"source.{setting}", root, "no such folder")
    return path


def file_of(name: str, setting: str) -> Path:
    """The path of a file that a setting names; raises `SettingError` for one that is missing."""
    _require_here(name, setting)
    path = Path(name).expanduser()
    if not path.is_file():
        raise SettingError(f"source.{setting}", name, "no such file")
    return path


def _require_here(place: str, setting: str) -> None:
    """Raise `SettingError` for a URL."""
    if "://" in place:
        raise SettingError(
            f"source.{setting}", place, "is a URL; copy the files to a folder of this machine"
        )


def plain_name(name: str) -> str:
    """A name of a file without `.` and empty folders, which lead nowhere else.

    What may lead out of its folder stays as it is, and so does a URL.
    """
    if "://" in name:
        return name
    root = "/" if name.startswith("/") else ""
    return root + "/".join(one for one in name.split("/") if one not in ("", "."))


def copies_of(files: AssetFolder, *names: str) -> tuple[Path, ...]:
    """The files to keep of these, without those that are missing or lead out of their folder."""
    return tuple(files.path(name) for name in names if _is_inside(files, name))


def _is_inside(files: AssetFolder, name: str) -> bool:
    try:
        files.state(name)
    except UsageError:
        return False
    return True
