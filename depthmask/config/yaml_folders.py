"""Finds the folders with YAML configs, of depthmask and of its plugins."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from depthmask.config.plugins import registry
from depthmask.errors import DepthmaskError

_PACKAGE = Path(__file__).resolve().parents[1]


def config_folder() -> Path:
    """`conf/` inside the installed package, or beside the package in a checkout."""
    for folder in (_PACKAGE / "conf", _PACKAGE.parent / "conf"):
        if (folder / "config.yaml").is_file():
            return folder
    raise DepthmaskError(f"{_PACKAGE / 'conf'}: config.yaml is missing; reinstall depthmask")


def plugin_config_folders() -> list[Path]:
    """The folders of the plugins' presets, from search paths like `pkg://package.folder`."""
    folders = []
    for path in registry().config_paths:
        scheme, _, target = path.partition("://")
        if scheme == "pkg":
            spec = importlib.util.find_spec(target)
            if spec is not None:
                folders += [Path(folder) for folder in spec.submodule_search_locations or []]
        elif scheme == "file":
            folders.append(Path(target))
    return folders
