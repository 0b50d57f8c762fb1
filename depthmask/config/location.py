"""Where the YAML files lie."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import depthmask
from depthmask.config.registry import registry
from depthmask.errors import DepthmaskError


def config_folder() -> Path:
    """`conf/` inside the installed package, or beside the package in a checkout."""
    package = Path(depthmask.__file__).resolve().parent
    for folder in (package / "conf", package.parent / "conf"):
        if (folder / "config.yaml").is_file():
            return folder
    raise DepthmaskError(f"{package / 'conf'}: config.yaml is missing; install depthmask again")


def plugin_config_folders() -> list[Path]:
    """The folders behind `pkg://package.folder` and `file://path` of the plugins."""
    folders = []
    for path in registry().config_paths():
        scheme, _, place = path.partition("://")
        if scheme == "pkg":
            spec = importlib.util.find_spec(place)
            folders += (
                [Path(one) for one in (spec.submodule_search_locations or [])] if spec else []
            )
        elif scheme == "file":
            folders.append(Path(place))
    return folders
