"""Finds the folders with YAML configs, of depthmask, of its plugins, and of the user."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from depthmask.errors import DepthmaskError, UsageError

_PACKAGE = Path(__file__).resolve().parents[2]
_USER_FOLDER: ContextVar[Path | None] = ContextVar("_USER_FOLDER", default=None)
_FORMS = "write pkg://PACKAGE.FOLDER, or file:// and an absolute path"


def config_folder() -> Path:
    """`conf/` inside the installed package, or beside the package in a checkout."""
    for folder in (_PACKAGE / "conf", _PACKAGE.parent / "conf"):
        if (folder / "config.yaml").is_file():
            return folder
    raise DepthmaskError(f"{_PACKAGE / 'conf'}: config.yaml is missing; reinstall depthmask")


def preset_files(folder: Path) -> list[Path]:
    """The YAML files in the groups of a config folder, sorted."""
    return sorted(path for path in folder.glob("*/*.yaml") if path.is_file())


def folders_of(path: str) -> list[Path]:
    """The folders of a search path of Hydra, such as `pkg://package.folder`.

    They are several if packages share a namespace. Raises `UsageError` if there is no folder.
    """
    scheme, _, target = path.rpartition("://")
    if scheme == "pkg":
        return _folders_of_package(target)
    if scheme not in ("file", ""):
        raise UsageError(f"the scheme {scheme}:// is unknown; {_FORMS}")
    if not Path(target).is_absolute():
        raise UsageError(f"the path is relative; {_FORMS}")
    if not Path(target).is_dir():
        raise UsageError("there is no such folder")
    return [Path(target)]


def _folders_of_package(name: str) -> list[Path]:
    # As Hydra reads it.
    package = name.replace("/", ".").rstrip(".")
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        spec = None
    if spec is None:
        raise UsageError(f"there is no package {package}")
    if spec.submodule_search_locations is None:
        raise UsageError(f"{package} is a module and no folder; {_FORMS}")
    return list(map(Path, spec.submodule_search_locations))


@contextmanager
def user_folder(folder: Path | None) -> Iterator[None]:
    """Let Hydra search a folder of the user inside the block, as `--config-dir` asks for."""
    token = _USER_FOLDER.set(folder)
    try:
        yield
    finally:
        _USER_FOLDER.reset(token)


def current_user_folder() -> Path | None:
    """The folder of `user_folder`, None outside of its block."""
    return _USER_FOLDER.get()


def shown(path: Path) -> str:
    """A path as short as it can be written: from the working directory, or from the root."""
    return min(str(path), os.path.relpath(path), key=len)
