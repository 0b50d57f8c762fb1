"""The packages that `setup.py` names are those that there are."""

from __future__ import annotations

import runpy
from typing import Any

import pytest
import setuptools

from tests.support.paths import ROOT


def test_every_folder_of_the_package_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    named: dict[str, Any] = {}
    monkeypatch.setattr(setuptools, "setup", lambda **options: named.update(options))
    monkeypatch.chdir(ROOT)
    runpy.run_path("setup.py")
    listed = named["packages"]
    assert len(listed) == len(set(listed))
    here = [path.parent for path in (ROOT / "depthmask").rglob("__init__.py")]
    there = {".".join(folder.relative_to(ROOT).parts) for folder in here}
    there |= {
        ".".join(("depthmask", *path.parent.relative_to(ROOT).parts))
        for path in (ROOT / "conf").rglob("*.yaml")
    }
    assert set(listed) == there
