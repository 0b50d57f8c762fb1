"""Compiled kernels count only if they are those of the C files that lie beside them."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import pytest

from depthmask.kernels import compiled


def module(sources: str | None) -> ModuleType:
    made = ModuleType("_native")
    if sources is not None:
        made.__dict__["sources"] = sources
    return made


def test_kernels_of_other_files_are_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiled, "_SOURCES", tmp_path)
    (tmp_path / "b.c").write_text("beta")
    (tmp_path / "a.h").write_text("alpha ")
    hash_of_both = "1a989ea86150171c"
    monkeypatch.setattr(importlib, "import_module", lambda name: module(hash_of_both))
    assert compiled._native() is not None
    (tmp_path / "b.c").write_text("gamma")
    assert compiled._native() is None
    monkeypatch.setattr(importlib, "import_module", lambda name: module(None))
    assert compiled._native() is None


def test_an_installed_package_has_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "_SOURCES", tmp_path)
    monkeypatch.setattr(importlib, "import_module", lambda name: module("anything"))
    assert compiled._native() is not None


@pytest.mark.skipif(compiled.native is None, reason="the kernels are not compiled")
def test_what_was_built_names_its_files() -> None:
    assert compiled.native is not None
    assert compiled._is_current(compiled.native)
    assert len(compiled.native.sources) == 16
