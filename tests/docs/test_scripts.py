"""docs/commands.md on scripts: the JSON lines that programs may rely on."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from depthmask.cli.main import main
from tests.support.paths import ROOT

TEXT = (ROOT / "docs" / "commands.md").read_text()
FIXED = {"start", "progress", "done", "dry-run", "error"}
SMALL = ("source.rooms=2", "source.furniture=3", "size=[16,16]")


def documented() -> dict[str, set[str]]:
    """Event -> its fields, as the table says."""
    rows = re.findall(r"^\| (`.*?) \| (.*?) \|$", TEXT, re.MULTILINE)
    return {
        event: set(re.findall(r"`(\w+)`", fields))
        for events, fields in rows
        for event in re.findall(r"`([\w-]+)`", events)
    }


def fields(printed: str) -> dict[str, set[str]]:
    """Event -> the fields of its lines."""
    lines = [json.loads(line) for line in printed.splitlines()]
    return {line["event"]: line.keys() - {"event", "text"} for line in lines}


def test_the_fields_are_those_of_the_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [*SMALL, "samples=4", f"output={tmp_path / 'out'}", "progress=json"]
    for code, more in ((0, ["--dry-run"]), (0, []), (2, ["samples=2"])):
        assert main([*words, *more]) == code
        printed = fields(capsys.readouterr().err)
        for event in printed.keys() & FIXED:
            assert documented()[event] == printed[event], event
    assert main(["-m", *SMALL, "samples=4,5", f"output={tmp_path / 'sweep'}", "progress=json"]) == 0
    printed = fields(capsys.readouterr().err)
    assert printed["job-done"] == {"status", "output"}
    assert printed["done"] == {"output"}
