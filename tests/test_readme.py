"""The README: its table of stages is complete; tests/docs runs its blocks."""

from __future__ import annotations

import re

from depthmask.config.plugins import registry
from depthmask.config.provider import BUILT_IN
from depthmask.config.registry import KINDS
from tests.support.paths import ROOT

TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def test_table_of_stages_is_complete() -> None:
    for kind in KINDS:
        (row,) = [line for line in TEXT.splitlines() if line.startswith(f"| `{kind}` |")]
        named = set(re.findall(r"`(\w+)`", row.split("|")[2]))
        stages = registry().stages[kind].items()
        assert named == {name for name, one in stages if one.provider.name == BUILT_IN}
