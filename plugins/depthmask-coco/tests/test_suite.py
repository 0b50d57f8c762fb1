"""The stages pass the suite that all sources are held to."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import made
import pytest
from depthmask.testing import SourceSuite

from depthmask_coco.coco import Coco
from depthmask_coco.voc import Voc
from depthmask_coco.yolo import Yolo


class TestCoco(SourceSuite):
    stage_class = Coco

    @pytest.fixture
    def stage(self, coco: Coco) -> Coco:
        return coco


class TestYolo(SourceSuite):
    stage_class = Yolo

    @pytest.fixture
    def stage(self, tmp_path: Path) -> Yolo:
        return Yolo(root=str(made.make_yolo(tmp_path / "yolo")), least_area=100)


class TestVoc(SourceSuite):
    stage_class = Voc

    @pytest.fixture
    def stage(self, tmp_path: Path) -> Voc:
        return Voc(root=str(made.make_voc(tmp_path / "voc")), least_area=100)


def test_help_has_each_setting_on_a_line() -> None:
    """In a process of its own, which finds the stages by the metadata of the package."""
    command = [sys.executable, "-m", "depthmask", "--help"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for stage in (Coco, Voc, Yolo):
        lines = printed.split(f"  source={stage.name}  (depthmask-coco ")[1].splitlines()[1:]
        for field, line in zip(dataclasses.fields(stage), lines, strict=False):
            assert line.startswith(f"      source.{field.name}=")
            assert line.index("  ", 8) < 80 or field.name == "names"
