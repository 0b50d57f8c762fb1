"""The folders of depthmask are layers: imports run down, and no two files import each other."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.paths import ROOT

PACKAGE = ROOT / "depthmask"
FOLDERS = (
    *("cli", "testing", "engine", "reports", "adapters", "reading", "config", "compose"),
    *("stages", "asset_store", "storage", "networks", "plan", "codec", "statistics", "kernels"),
)
"""From the top to the bottom; the modules beside them are below all, `__init__` is above."""
LOADER = "depthmask.config.plugins"
"""The one module that names the built-in stages, and plugins, by text."""


def _modules() -> dict[str, Path]:
    names = {}
    for path in PACKAGE.rglob("*.py"):
        folders = path.relative_to(ROOT).with_suffix("").parts
        names[".".join(folders[:-1] if folders[-1] == "__init__" else folders)] = path
    return names


MODULES = _modules()


def _imported(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every name that is imported anywhere, for types or in a function too, and by importlib."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name the whole module"
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                yield submodule if submodule in MODULES else str(node.module), node.lineno
        elif isinstance(node, ast.Call) and "import" in ast.unparse(node.func):
            yield from ((name, node.lineno) for word in node.args for name in _named(word))


def _named(word: ast.expr) -> list[str]:
    """The modules that a text can name; all of a folder for `f"FOLDER.{name}"`."""
    if isinstance(word, ast.Constant):
        return [str(word.value)]
    if isinstance(word, ast.JoinedStr) and isinstance(word.values[0], ast.Constant):
        return [name for name in MODULES if name.startswith(str(word.values[0].value))]
    return []


def _edges() -> list[tuple[str, str, int]]:
    return [
        (module, name, line)
        for module, path in MODULES.items()
        for name, line in _imported(ast.parse(path.read_text(encoding="utf-8")))
        if name in MODULES and name != module
    ]


EDGES = _edges()


def _depth(module: str) -> int:
    """0 at the top, larger further down."""
    words = module.split(".")
    if len(words) == 1 or words[1] == "__main__":
        return 0
    return FOLDERS.index(words[1]) + 1 if words[1] in FOLDERS else len(FOLDERS) + 1


def test_imports_run_down() -> None:
    upward = [f"{one}:{line} imports {other}" for one, other, line in EDGES
              if _depth(one) > _depth(other)]  # fmt: skip
    assert upward == []


def test_no_circle_of_files() -> None:
    below: dict[str, set[str]] = {module: set() for module in MODULES}
    for one, other, _ in EDGES:
        below[one].add(other)
    # Take away what imports nothing that is left, as long as there is such.
    while leaves := [module for module, others in below.items() if not others]:
        for module in leaves:
            del below[module]
        for others in below.values():
            others.difference_update(leaves)
    assert below == {}


def test_only_the_loader_of_plugins_names_modules_by_text() -> None:
    """A text in any other module could hide an import; that of commands is seen above."""
    texts = [
        (module, node.value)
        for module, path in MODULES.items()
        if module != LOADER
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value in MODULES and "." in str(node.value)
    ]
    folders = {name for name in MODULES if MODULES[name].name == "__init__.py"}
    # `PackageLoader("depthmask.reports")` and the like name the folder that a file lies in.
    assert [one for one in texts if one[1] not in folders or not one[0].startswith(one[1])] == []


def test_the_top_can_be_drawn_from_memory() -> None:
    entries = {path.name for path in PACKAGE.iterdir()} - {"py.typed", "__pycache__"}
    assert entries >= set(FOLDERS)
    assert len(entries) <= 28


@pytest.mark.parametrize(
    ("source", "module"),
    [
        ("import depthmask.cli.commands.run", "depthmask.cli.commands.run"),
        ("from depthmask.cli.commands import run", "depthmask.cli.commands.run"),
        ("from depthmask.cli.commands.run import main", "depthmask.cli.commands.run"),
        ("if TYPE_CHECKING:\n    from depthmask.cli.screen import Screen", "depthmask.cli.screen"),
        ("def f():\n    import depthmask.cli.commands.run", "depthmask.cli.commands.run"),
        ("importlib.import_module('depthmask.cli.commands.run')", "depthmask.cli.commands.run"),
        ("__import__('depthmask.cli.commands.run')", "depthmask.cli.commands.run"),
        ("import_module(f'depthmask.cli.commands.{name}')", "depthmask.cli.commands.run"),
    ],
)
def test_every_way_to_import_is_seen(source: str, module: str) -> None:
    assert module in {name for name, _ in _imported(ast.parse(source))}
