"""docs/reading.md word for word: its Python, its commands, and the names of the adapters."""

from __future__ import annotations

import ast
import importlib
import re
from typing import Any

import pytest

from depthmask.cli.main import main
from tests.support.paths import ROOT

TEXT = (ROOT / "docs" / "reading.md").read_text(encoding="utf-8")
OPEN, *BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The names after the first block."""
    out = tmp_path_factory.mktemp("reading") / "OUT"
    small = ["source.rooms=2", "source.furniture=3", "size=[24,32]", "samples=60"]
    split = ["split.train=0.8", "split.val=0.2"]
    assert main([f"output={out}", *small, *split, "runner.workers=1"]) == 0
    names: dict[str, Any] = {}
    exec(OPEN.replace('"OUT"', repr(str(out))), names)
    return names


def test_open(opened: dict[str, Any]) -> None:
    assert (len(opened["ds"]), len(opened["every_tenth"]), len(opened["val"])) == (60, 6, 12)
    assert opened["sample"].depth.shape == (24, 32)


def title(block: str) -> str:
    return next(
        line for line in reversed(TEXT.partition(block)[0].splitlines()) if line[:3] == "## "
    )


# The library `webdataset` leaves its files to the garbage collector.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("block", BLOCKS, ids=map(title, BLOCKS))
def test_block(block: str, opened: dict[str, Any]) -> None:
    if "torch" in block:
        pytest.importorskip("torch")
    if "measure" in block:
        made = opened["depthmask"].virtual(["source.rooms=2", "geometry=fastdepth", "size=[24,32]"])
        opened = opened | {"made": made}
    names = dict(opened)
    exec(block, names)
    # Every loop went round.
    targets = [node.target for node in ast.walk(ast.parse(block)) if isinstance(node, ast.For)]
    assert [
        name.id for name in targets if isinstance(name, ast.Name) and name.id not in names
    ] == []


def test_examples_are_those_that_are_tested() -> None:
    named = set(re.findall(r"^python examples/(\w+)\.py", TEXT, re.MULTILINE))
    tests = "".join(path.read_text() for path in (ROOT / "tests" / "examples").glob("test_*.py"))
    scripts = {path.stem for path in (ROOT / "examples").glob("*.py")}
    assert named == {name for name in scripts if not name.endswith("_network")}
    assert all(f'"{name}"' in tests for name in named)


@pytest.mark.parametrize(
    ("module", "names"),
    sorted(re.findall(r"^\| `depthmask\.adapters\.(\w+)` \| (.*?) \|", README, re.MULTILINE)),
)
def test_adapters_in_the_readme(module: str, names: str) -> None:
    if module == "torch":
        pytest.importorskip("torch")
    adapter = importlib.import_module(f"depthmask.adapters.{module}")
    assert all(callable(getattr(adapter, name)) for name in re.findall(r"`(\w+)", names))


def test_all_adapters_are_in_the_readme() -> None:
    there = {path.stem for path in (ROOT / "depthmask" / "adapters").glob("*.py")}
    named = set(re.findall(r"^\| `depthmask\.adapters\.(\w+)`", README, re.MULTILINE))
    assert named == there - {"__init__", "stack"}
