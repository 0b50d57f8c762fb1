"""The built-in stages pass the suites that plugins are held to."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from depthmask import testing
from depthmask.config.plugins import registry
from depthmask.config.registry import KINDS
from depthmask.engine.runner.local import Local
from depthmask.stages.blend.alpha import Alpha
from depthmask.stages.blend.feather import Feather
from depthmask.stages.blend.poisson import Poisson
from depthmask.stages.blend.several import Several
from depthmask.stages.depth.densedepth import DenseDepth
from depthmask.stages.depth.fastdepth import FastDepth
from depthmask.stages.depth.layered import Layered
from depthmask.stages.depth.none import NoDepth
from depthmask.stages.geometry.auto import Auto
from depthmask.stages.geometry.none import NoGeometry
from depthmask.stages.geometry.source import SourceGeometry
from depthmask.stages.labels.coco import Coco
from depthmask.stages.labels.instances import Instances
from depthmask.stages.placement.grid import Grid
from depthmask.stages.placement.ground import Ground
from depthmask.stages.placement.random import Random
from depthmask.stages.source.assets import Assets
from depthmask.stages.source.rooms import Rooms
from depthmask.stages.writer.depthmaskdataset import DepthMaskDataset
from depthmask.stages.writer.folder import Folder
from depthmask.stages.writer.npz import Images, Npz
from depthmask.stages.writer.webdataset import WebDataset
from depthmask.stages.writer.zip import Zip
from depthmask.testing.base import StageSuite


class TestAssets(testing.SourceSuite):
    stage_class = Assets

    @pytest.fixture
    def stage(self, assets_root: Path) -> Assets:
        return Assets(root=str(assets_root))


class TestNestedAssets(testing.SourceSuite):
    """Cut-outs by class, in two roots, with a table of splits."""

    stage_class = Assets

    @pytest.fixture
    def stage(self, assets_root: Path, tmp_path: Path) -> Assets:
        other = tmp_path / "other"
        for folder in ("bg", "fg"):
            shutil.copytree(assets_root / folder, other / folder / "class")
        (other / "assets.csv").write_text("key,split,label\nclass/cup.png,val,\n")
        return Assets(root=f"{assets_root}:{other}", label_pattern="LABEL/*")


class TestRooms(testing.SourceSuite):
    stage_class = Rooms
    settings = {"rooms": 3, "furniture": 5, "oversample": 2}


class TestAuto(testing.GeometrySuite):
    stage_class = Auto


class TestSourceGeometry(testing.GeometrySuite):
    stage_class = SourceGeometry


class TestNoGeometry(testing.GeometrySuite):
    stage_class = NoGeometry


class TestRandom(testing.PlacementSuite):
    stage_class = Random


class TestGrid(testing.PlacementSuite):
    stage_class = Grid


class TestGround(testing.PlacementSuite):
    stage_class = Ground


class TestAlpha(testing.BlendSuite):
    stage_class = Alpha


class TestFeather(testing.BlendSuite):
    stage_class = Feather


class TestPoisson(testing.BlendSuite):
    stage_class = Poisson


class TestSeveral(testing.BlendSuite):
    stage_class = Several


class TestLayered(testing.DepthSuite):
    stage_class = Layered


class TestFastDepth(testing.DepthSuite):
    stage_class = FastDepth


class TestNoDepth(testing.DepthSuite):
    stage_class = NoDepth


class TestWebDataset(testing.WriterSuite):
    stage_class = WebDataset


class TestZip(testing.WriterSuite):
    stage_class = Zip


class TestNpz(testing.WriterSuite):
    stage_class = Npz


class TestRawNpz(testing.WriterSuite):
    stage_class = Npz
    settings = {"images": Images.raw}


class TestFolder(testing.WriterSuite):
    stage_class = Folder


class TestDepthMaskDataset(testing.WriterSuite):
    stage_class = DepthMaskDataset


class TestCoco(testing.LabelsSuite):
    stage_class = Coco


class TestInstances(testing.LabelsSuite):
    stage_class = Instances


class TestLocal(testing.RunnerSuite):
    stage_class = Local
    settings = {"workers": 1}


class TestLocalWorkers(testing.RunnerSuite):
    stage_class = Local
    settings = {"workers": 2}


NOT_HERE = {DenseDepth}
"""Its weights are a download of 170 MB; tests/stages/depth has what can be tested without."""


def test_all_are_here() -> None:
    mine = [
        one for one in globals().values() if isinstance(one, type) and one.__module__ == __name__
    ]
    tried = {one.stage_class for one in mine if issubclass(one, StageSuite)}
    stages = {one.stage for kind in KINDS for one in registry().stages[kind].values()}
    built_in = {one for one in stages if one.__module__.startswith("depthmask.")}
    assert built_in - tried == NOT_HERE
