"""docs/training.md names the scripts that are tested, and every adapter."""

from __future__ import annotations

import importlib
import re

import pytest

from tests.support.paths import ROOT

TEXT = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
ADAPTERS = re.findall(r"^\| `depthmask\.adapters\.(\w+)` \| (.*?) \|", TEXT, re.MULTILINE)


def test_examples_are_those_that_are_tested() -> None:
    named = set(re.findall(r"^python examples/(\w+)\.py", TEXT, re.MULTILINE))
    tests = "".join(path.read_text() for path in (ROOT / "tests" / "examples").glob("test_*.py"))
    scripts = {path.stem for path in (ROOT / "examples").glob("*.py")}
    assert named == {name for name in scripts if not name.endswith("_network")}
    assert all(f'"{name}"' in tests for name in named)


@pytest.mark.parametrize(("module", "names"), sorted(ADAPTERS))
def test_names_of_adapters(module: str, names: str) -> None:
    if module == "torch":
        pytest.importorskip("torch")
    adapter = importlib.import_module(f"depthmask.adapters.{module}")
    assert all(callable(getattr(adapter, name)) for name in re.findall(r"`(\w+)", names))


def test_all_adapters_are_in_the_table() -> None:
    modules = {path.stem for path in (ROOT / "depthmask" / "adapters").glob("[a-z]*.py")}
    assert {name for name, _ in ADAPTERS} == modules - {"stack"}
