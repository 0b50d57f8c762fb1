"""Mistakes of plugin authors: each ends a run with a line that names the stage and its package."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from depthmask import Command, Statistic
from depthmask.cli.main import main
from depthmask.config.plugins import registry
from depthmask.config.provider import Provider
from depthmask.config.registry import Registered
from tests.support.mistakes import MISTAKES
from tests.support.plugins import loaded

PACKAGE = Provider("depthmask-rt", "0.1.0")
ROOMS = (
    *("source.rooms=2", "source.furniture=4", "source.oversample=1", "size=[48,64]"),
    *("objects=[1,2]", "samples=4", "shard_size=2", "runner.workers=1"),
)


@pytest.fixture(autouse=True, scope="module")
def plugin() -> Iterator[None]:
    """All of them in one plugin."""
    tables = registry().stages
    before = {kind: dict(table) for kind, table in tables.items()}
    for cls, _ in MISTAKES.values():
        tables[cls.kind][cls.name] = Registered(cls, PACKAGE)
    yield
    for kind, table in before.items():
        tables[kind].clear()
        tables[kind].update(table)


@pytest.mark.parametrize("name", MISTAKES)
def test_a_run_ends_with_a_line_that_names_stage_and_package(
    name: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cls, line = MISTAKES[name]
    monkeypatch.setenv("DEPTHMASK_CACHE", str(tmp_path / "cache"))
    choice = f"{cls.kind}=[{name}]" if cls.kind == "labels" else f"{cls.kind}={name}"
    words = [word for word in ROOMS if cls.kind != "source" or "source." not in word]
    words = [word for word in words if cls.kind != "runner" or "runner." not in word]
    reads = [] if cls.kind == "geometry" else ["geometry=source"]
    assert main([*words, *reads, choice, f"output={tmp_path / 'out'}"]) == 1
    text = capsys.readouterr().err
    errors = [one for one in text.splitlines() if one.startswith("error: ")]
    assert len(errors) == 1, text
    assert f"{cls.kind}={name} (depthmask-rt 0.1.0): " in errors[0]
    assert line in errors[0]
    assert "Traceback" not in text
    assert not (tmp_path / "out" / "dataset.json").exists()


def fail(**arguments: object) -> NoReturn:
    raise LookupError("a mistake")


def failing_hook(name: str) -> Any:
    """An implementation of a hook that fails."""
    hooks = {
        "depthmask_run_started": lambda root, output: fail(),
        "depthmask_shard_published": lambda record: fail(),
        "depthmask_run_finished": lambda output: fail(),
    }
    return hooks[name]


@pytest.mark.parametrize(
    ("name", "complete"),
    [
        ("depthmask_run_started", False),
        ("depthmask_shard_published", True),
        ("depthmask_run_finished", True),
    ],
)
def test_hooks_that_fail(
    name: str, complete: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with loaded("hooked", **{name: failing_hook(name)}):
        assert main([*ROOMS, "depth=none", f"output={tmp_path / 'out'}"]) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert f"{name} of hooked 1.2 failed: LookupError: a mistake (in " in error
    assert (tmp_path / "out" / "dataset.json").exists() == complete


@pytest.mark.parametrize(
    ("measure", "said"),
    [
        (lambda sample: float("nan"), "measure returned nan; expected finite numbers, or None"),
        (lambda sample: "much", "measure returned 'much'; expected finite numbers, or None"),
        (lambda sample: fail(), "LookupError: a mistake (in fail, test_mistakes.py:"),
        (lambda sample: sample.nosuch, "AttributeError: 'Sample' object has no attribute 'nosuch'"),
    ],
)
def test_statistics_that_fail(
    measure: Any, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    statistic = Statistic("odd", "Odd.", measure)
    with loaded("measuring", depthmask_statistics=lambda: [statistic]):
        assert main([*ROOMS, "depth=none", f"output={tmp_path / 'out'}"]) == 1
    lines = capsys.readouterr().err.splitlines()
    (error,) = (line for line in lines if line.startswith("error: "))
    assert f"sample 0: statistic odd of measuring 1.2: {said}" in error


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (lambda words: fail(), ": LookupError: a mistake (in fail, test_mistakes.py:"),
        (lambda words: "done", " returned 'done'; it must return an exit code or None"),
    ],
)
def test_commands_that_fail(run: Any, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with loaded("commanding", depthmask_commands=lambda: [Command("errs", "Errs.", run)]):
        assert main(["errs"]) == 1
    assert capsys.readouterr().err.startswith(f"error: command errs of commanding 1.2{said}")
