"""Runs on machines that lack something: the tool that repeats them, and what it calls a fault."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.paths import ROOT
from tools.machines import Machine, Seen, faults

WHOLE = Seen("run", 0, "note: a\n/out\n")
CORES = Seen("cores", 0, "1\n")
FULL = Machine("full disk", line="[Mm]ake room")


@pytest.mark.parametrize(
    ("machine", "run", "verify", "expected"),
    [
        (FULL, WHOLE, Seen("verify", 0, ""), []),
        (FULL, Seen("run", 1, "error: full. Make room"), Seen("verify", 2, "error: none"), []),
        (FULL, Seen("run", 1, "error: full"), WHOLE, ["run: the line does not say what to change"]),
        (FULL, Seen("run", 1, "full"), WHOLE, ["run: exit 1 without one line"]),
        (FULL, Seen("run", 1, "error: a\nerror: b"), WHOLE, ["run: exit 1 without one line"]),
        (
            FULL,
            Seen("run", 0, "Traceback (most recent call last)"),
            Seen("verify", 1, "error: damaged"),
            ["run: traceback", "verify: the line does not say what to change"],
        ),
        (Machine("umask"), Seen("run", 1, "error: Make room"), WHOLE,
         ["run: the line does not say what to change"]),
        (Machine("quota"), WHOLE, WHOLE, []),
    ],
)  # fmt: skip
def test_faults(machine: Machine, run: Seen, verify: Seen, expected: list[str]) -> None:
    assert faults(machine, [run, verify, CORES]) == expected


def test_a_quota_that_is_not_seen_is_a_fault() -> None:
    seen = [WHOLE, Seen("verify", 0, ""), Seen("cores", 0, "2\n")]
    assert faults(Machine("quota"), seen) == ["cores: 2 cores"]


@pytest.mark.slow
def test_all_machines_end_with_a_dataset_or_with_one_line() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.machines"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("\nok ") > 5
