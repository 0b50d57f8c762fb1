"""The kit finds every mistake that ends a run, before a user meets it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.support.mistakes import MISTAKES
from tests.support.paths import ROOT

SUITES = """
from depthmask import testing
from tests.support.mistakes import MISTAKES

for _name, (_cls, _) in MISTAKES.items():
    _suite = getattr(testing, f"{_cls.kind.capitalize()}Suite")
    globals()[f"Test_{_name}"] = type(f"Test_{_name}", (_suite,), {"stage_class": _cls})
"""
UNRELATED = "not can_be_chosen and not importing_it and not documented"
"""Tests that fail here in any case, or would start a process for each mistake."""


def test_the_kit_refuses_each_of_them(tmp_path: Path) -> None:
    (tmp_path / "test_suites.py").write_text(SUITES)
    options = ("-q", "--tb=no", "-p", "no:cacheprovider", "-p", "no:xdist", "-k", UNRELATED)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-c", "/dev/null", *options, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "failed" in done.stdout, done.stderr
    refused = set(re.findall(r"^(?:FAILED|ERROR) \S+::Test_(\w+)", done.stdout, re.MULTILINE))
    assert sorted(set(MISTAKES) - refused) == []
