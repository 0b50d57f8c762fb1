"""The README: its table of stages is complete; tests/docs runs its blocks."""

from __future__ import annotations

import re

import yaml

from depthmask.config.plugins import registry
from depthmask.config.provider import BUILT_IN
from depthmask.config.registry import KINDS
from tests.support.paths import ROOT

TEXT = (ROOT / "README.md").read_text(encoding="utf-8")

CONFIG = yaml.safe_load((ROOT / "conf" / "config.yaml").read_text())
DEFAULTS = {
    kind: name for one in CONFIG["defaults"] if isinstance(one, dict) for kind, name in one.items()
}


def test_table_of_stages_is_complete() -> None:
    for kind in KINDS:
        (row,) = [line for line in TEXT.splitlines() if line.startswith(f"| `{kind}` |")]
        named = re.findall(r"`(\w+)`", row.split("|")[2])
        stages = registry().stages[kind].items()
        assert sorted(named) == sorted(n for n, one in stages if one.provider.name == BUILT_IN)
        assert DEFAULTS[kind] in ([], named[0])
