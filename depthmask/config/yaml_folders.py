"""Finds the folders with YAML configs, of depthmask, of its plugins, and of the user."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from depthmask.config.plugins import registry
from depthmask.errors import DepthmaskError

_PACKAGE = Path(__file__).resolve().parents[1]
_USER_FOLDER: ContextVar[Path | None] = ContextVar("_USER_FOLDER", default=None)


def config_folder() -> Path:
    """`conf/` inside the installed package, or beside the package in a checkout."""
    for folder in (_PACKAGE / "conf", _PACKAGE.parent / "conf"):
        if (folder / "config.yaml").is_file():
            return folder
    raise DepthmaskError(f"{_PACKAGE / 'conf'}: config.yaml is missing; reinstall depthmask")


def plugin_config_folders() -> list[Path]:
    """The folders of the plugins' presets."""
    return [folder for path in registry().config_paths for folder in folders_of(path)]


def folders_of(search_path: str) -> list[Path]:
    """The folders of a search path like `pkg://package.folder`; none if it is no folder here."""
    scheme, _, target = search_path.partition("://")
    if scheme == "pkg":
        try:
            spec = importlib.util.find_spec(target)
        except (ImportError, ValueError):
            return []
        return [Path(one) for one in (spec and spec.submodule_search_locations) or ()]
    return [Path(target)] if scheme == "file" else []


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
