"""Where the YAML files lie."""

from __future__ import annotations

from pathlib import Path

import depthmask
from depthmask.errors import DepthmaskError


def config_folder() -> Path:
    """`conf/` inside the installed package, or beside the package in a checkout."""
    package = Path(depthmask.__file__).resolve().parent
    for folder in (package / "conf", package.parent / "conf"):
        if (folder / "config.yaml").is_file():
            return folder
    raise DepthmaskError(f"{package / 'conf'}: config.yaml is missing; install depthmask again")
