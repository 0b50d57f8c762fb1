"""What `setting` accepts, for type checkers and when it runs."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from pathlib import Path

import pytest

from depthmask.stage import Limits
from tests.support.paths import ROOT

RIGHT = """
    a: int = setting(4, ge=0, help="h")
    b: float | None = setting(None, help="h")
    c: int = setting(help="h")
    d: list[float] = setting([1, 2.5], help="h")
    e: Mode = setting(Mode.fast, help="h")
    f: Literal["a", "b"] = setting("a", help="h")
    g: dict[str, float] = setting({}, help="h")
    h: Path | None = setting(None, by_content=True, help="h")
    i: tuple[float, float] = setting((0, 1), help="h")
    j: list[list[float]] = setting([[1]], help="h")
    k: Any = setting({"a": 1}, help="h")
    l: float = setting(1, decides_bytes=False, help="h")
"""
WRONG = """
    a: int = setting("no", help="h")
    b: list[int] = setting(["x"], help="h")
    c: Literal["a"] = setting("b", help="h")
    d: int = setting(None, help="h")
    e: Path = setting("x", help="h")
    f: Mode = setting("fast", help="h")
    g: int = setting(1, ge="2", help="h")
    h: int = setting(1)
"""
MODULE = """
from enum import Enum
from pathlib import Path
from typing import Any, Literal

from depthmask import Placement, setting, stage


class Mode(Enum):
    fast = "fast"


@stage("typed")
class Typed(Placement):
"""


def errors(folder: Path, settings: str) -> list[str]:
    """The names of the settings in which mypy finds an error."""
    pytest.importorskip("mypy")
    module = folder / "typed.py"
    module.write_text(MODULE + settings)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", "pyproject.toml", str(module)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = module.read_text().splitlines()
    assert done.returncode in (0, 1), done.stdout + done.stderr
    numbers = sorted({int(one) for one in re.findall(r"typed\.py:(\d+): error", done.stdout)})
    return [lines[number - 1].strip()[0] for number in numbers]


@pytest.mark.tools
def test_mypy_compares_defaults_with_types(tmp_path: Path) -> None:
    assert errors(tmp_path, RIGHT) == []
    assert errors(tmp_path, WRONG) == list("abcdefgh")


def test_limits_read_as_an_interval() -> None:
    assert str(Limits(ge=0, le=1)) == "0..1"
    assert str(Limits(gt=0, lt=2)) == "> 0, < 2"
    assert str(Limits()) == ""
    assert Limits().violated_by(math.nan) is None
    assert not Limits()
    assert Limits(le=0)


def test_limits_are_for_every_number_inside() -> None:
    limits = Limits(ge=0, lt=2)
    assert limits.violated_by([1, (0.5, None), {"a": [0], "b": "x"}, True]) is None
    assert limits.violated_by({"a": [1, [2]]}) == "must be less than 2"
    assert limits.violated_by({-1: 1}) is None


@pytest.mark.parametrize(
    ("limits", "is_empty"),
    [
        (Limits(ge=1, le=1), False),
        (Limits(gt=1, le=1), True),
        (Limits(ge=1, lt=1), True),
        (Limits(ge=2, le=1), True),
        (Limits(ge=1, gt=3, le=2), True),
        (Limits(gt=-math.inf), False),
        (Limits(), False),
    ],
)
def test_limits_without_a_number_between_them(limits: Limits, is_empty: bool) -> None:
    assert limits.is_empty() is is_empty
