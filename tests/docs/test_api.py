"""The API reference: every exported name on one page, with a docstring that needs no import."""

from __future__ import annotations

import re
from typing import Any

import pytest

import depthmask
from tests.support.paths import ROOT

pytestmark = pytest.mark.tools

griffe: Any = pytest.importorskip("griffe", reason="comes with the extra `docs`")
PAGES = sorted((ROOT / "docs" / "api").glob("*.md"))
NAMED = [
    name for page in PAGES for name in re.findall(r"^::: (\S+)$", page.read_text(), re.MULTILINE)
]
SAME_AS_STORE_PATH = "ObjectPath"
"""Its methods are documented where they are declared."""


@pytest.fixture(scope="module")
def package() -> Any:
    """The package as the site reads it: from the sources, nothing is imported."""
    loader = griffe.GriffeLoader(search_paths=[ROOT], allow_inspection=False)
    module = loader.load("depthmask")
    loader.resolve_aliases(implicit=True)
    return module


def test_each_exported_name_is_on_one_page() -> None:
    """Add `::: depthmask.NAME` to a page of docs/api."""
    last = [name.rpartition(".")[2] for name in NAMED]
    assert [name for name in depthmask.__all__ if last.count(name) != 1] == []


@pytest.mark.parametrize("name", NAMED)
def test_it_is_documented(package: Any, name: str) -> None:
    documented = package[name.removeprefix("depthmask.")]
    assert documented.docstring, f"{name} has no docstring"
    if documented.is_class and documented.name != SAME_AS_STORE_PATH:
        bare = [
            member.path
            for member in documented.members.values()
            if member.is_function and member.is_public and not member.docstring
        ]
        assert [path for path in bare if not path.rpartition(".")[2].startswith("__")] == []
