"""Mistakes of plugin authors: each ends a run with a line that names the stage and its package."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from depthmask.cli.main import main
from depthmask.config.plugins import registry
from depthmask.config.provider import Provider
from depthmask.config.registry import Registered
from tests.support.mistakes import MISTAKES

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
