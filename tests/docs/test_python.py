"""The page about Python: its script with a stage of its own, whose workers import it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import depthmask
from tests.support.pages import FENCE
from tests.support.paths import ROOT


def test_the_script_with_a_stage_of_its_own(tmp_path: Path) -> None:
    blocks = [block[2] for block in FENCE.finditer((ROOT / "docs" / "python.md").read_text())]
    first, (script,) = blocks[0], [block for block in blocks if "TopLeft" in block]
    settings = first.partition("ds = ")[0]
    (tmp_path / "mine.py").write_text(f"{settings}\n{script}")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    subprocess.run([sys.executable, "mine.py"], cwd=tmp_path, env=environment, check=True)
    layer = depthmask.open(tmp_path / "OWN")[0].meta["layers"][0]
    assert layer["box"][:2] == [0, 0]
