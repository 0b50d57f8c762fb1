"""The packages that `pyproject.toml` lists are those that there are."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_every_folder_of_the_package_is_installed() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    here = [path.parent for path in (ROOT / "depthmask").rglob("__init__.py")]
    there = {".".join(folder.relative_to(ROOT).parts) for folder in here}
    there |= {
        ".".join(("depthmask", *path.parent.relative_to(ROOT).parts))
        for path in (ROOT / "conf").rglob("*.yaml")
    }
    assert set(listed) == there
