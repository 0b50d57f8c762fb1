"""A stage checks what it needs of the machine before a run, and nowhere else."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import depthmask
from depthmask import (
    DepthContract,
    FinishedSample,
    FixedBatchEstimator,
    Float32,
    LabelCodec,
    LabelOutput,
    Labels,
    PublishedDataset,
    Resolution,
    SettingError,
    Size,
    UsageError,
    setting,
    stage,
)
from depthmask.cli.main import main
from depthmask.config.resources import check_resources
from depthmask.stage import Stage
from depthmask.stages.blend.several import Several
from depthmask.stages.placement.random import Random
from depthmask.stages.writer.webdataset import WebDataset

pytestmark = pytest.mark.usefixtures("stages_of_tests")


def require_file(weights: str) -> None:
    if not Path(weights).is_file():
        raise SettingError("weights", weights, "no such file")


@stage("simple_net")
class SimpleNet(FixedBatchEstimator):
    """Depth from the red of the image, without weights."""

    batch: int = setting(4, ge=1, help="images at a time")
    resolution: Resolution = setting(Resolution.image, help="size of the maps")

    @property
    def weights_sha256(self) -> str:
        return "0" * 64

    @property
    def cache_key(self) -> str:
        return f"{self.name} {self.weights_sha256}"

    @property
    def value_range(self) -> tuple[float, float]:
        return 0.5, 9.0

    def input_size(self, size: Size) -> Size:
        return size

    def output_size(self, size: Size) -> Size:
        return size

    def run(self, inputs: Float32) -> Float32:
        return 1 + inputs[..., 0]


@stage("weighty")
class Weighty(SimpleNet):
    """Needs a file of weights."""

    weights: str = setting(help="file of weights")

    @property
    def weights_sha256(self) -> str:
        return hashlib.sha256(Path(self.weights).read_bytes()).hexdigest()

    def check_resources(self) -> None:
        require_file(self.weights)


@stage("weighty_old")
class WeightyOld(Weighty):
    """Checks where plugins of 0.1.0 had to."""

    def __post_init__(self) -> None:
        require_file(self.weights)


@stage("clever")
class Clever(Labels):
    """A label by a network, and a file about the dataset."""

    weights: str = setting(help="file of weights")

    def check_resources(self) -> None:
        require_file(self.weights)

    def outputs(self, size: Size, contract: DepthContract | None) -> Sequence[LabelOutput]:
        return [LabelOutput("clever", LabelCodec.json, "always 1", bytes=10)]

    def label(self, sample: FinishedSample, rng: np.random.Generator) -> Mapping[str, Any]:
        return {"clever": int(Path(self.weights).read_text())}

    def derive(self, dataset: PublishedDataset) -> None:
        (dataset.path / "clever.txt").write_text(str(len(dataset)), encoding="utf-8")


@stage("clever_old")
class CleverOld(Clever):
    """Checks where plugins of 0.1.0 had to."""

    def __post_init__(self) -> None:
        require_file(self.weights)


@stage("on_gpu")
class OnGpu(SimpleNet):
    """Needs a device that this machine lacks."""

    device: str = setting("cuda", help="cpu or cuda")

    def check_resources(self) -> None:
        if self.device == "cuda":
            raise SettingError("device", self.device, "no CUDA here; choose depth.device=cpu")


@stage("picky_writer")
class PickyWriter(WebDataset):
    """Needs a library that this machine lacks."""

    def check_resources(self) -> None:
        raise UsageError("its library is not installed; pip install it")


@stage("buggy_check")
class BuggyCheck(Random):
    """A mistake in the check."""

    def check_resources(self) -> None:
        raise KeyError("oops")


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "weights.bin"
    path.write_text("1")
    return path


@pytest.fixture
def words(weights: Path, tmp_path: Path) -> Callable[[str], list[str]]:
    """A run of 4 samples with a depth stage and a label that have weights. old: "" or "_old"."""

    def make(old: str) -> list[str]:
        depth, label = f"weighty{old}", f"clever{old}"
        return [
            *("source.rooms=2", "source.furniture=2", "source.oversample=1", "size=[24,32]"),
            *(f"output={tmp_path / 'out'}", "samples=4", "shard_size=2", "geometry=none"),
            *(f"depth={depth}", f"depth.weights={weights}"),
            *(f"labels=[{label}]", f"labels.{label}.weights={weights}"),
        ]

    return make


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*words: object) -> None:
        raise AssertionError("a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.parametrize("old", ["", "_old"])
@pytest.mark.usefixtures("no_network")
def test_a_dataset_outlives_its_weights(
    old: str, words: Callable[[str], list[str]], weights: Path, tmp_path: Path
) -> None:
    pytest.importorskip("vl_convert")
    out = tmp_path / "out"
    assert main(words(old)) == 0
    assert (out / "clever.txt").read_text() == "4"
    weights.unlink()
    assert depthmask.open(out)[0].labels == {"clever": 1}
    converted = str(tmp_path / "converted")
    for command in (
        ["verify", str(out)],
        ["stats", str(out)],
        ["report", str(out)],
        ["convert", str(out), "writer=zip", f"output={converted}"],
        ["annotate", str(out), "depth=simple_net", f"output={tmp_path / 'annotated'}"],
        ["verify", converted, "--repair"],
    ):
        assert main(command) == 0, command
    assert depthmask.open(converted)[3].labels == {"clever": 1}
    assert "clever" in (Path(converted) / "README.md").read_text()


def test_what_old_labels_cannot_derive_is_said(
    words: Callable[[str], list[str]],
    weights: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(words("_old")) == 0
    weights.unlink()
    capsys.readouterr()
    assert main(["convert", str(tmp_path / "out"), f"output={tmp_path / 'copy'}"]) == 0
    shown = " ".join(capsys.readouterr().err.split())
    assert (
        "labels=clever_old writes no files about the dataset: labels.clever_old.weights=" in shown
    )
    assert not (tmp_path / "copy" / "clever.txt").exists()


def test_convert_needs_no_plugin_of_other_stages(
    words: Callable[[str], list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(words("")) == 0
    registry = depthmask.config.plugins.registry()
    monkeypatch.setattr(registry, "packages", registry.packages | {"tests"})
    assert registry.find("depth", "weighty") is None
    assert main(["convert", str(tmp_path / "out"), "writer=zip", f"output={tmp_path / 'z'}"]) == 0
    assert depthmask.open(tmp_path / "z")[3].labels == {"clever": 1}


@pytest.mark.parametrize("old", ["", "_old"])
def test_a_run_names_the_file_before_anything_is_written(
    old: str,
    words: Callable[[str], list[str]],
    weights: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    assert main(words(old)) == 0
    weights.unlink()
    shard = next((out / "shards").iterdir())
    shard.write_bytes(b"damaged")
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    line = f"depth.weights={weights}: no such file\n"
    new = [*words(old), f"output={tmp_path / 'new'}"]
    for command in (new, [*words(old), "samples=8"], ["verify", str(out), "--repair"]):
        capsys.readouterr()
        assert main(command) == 2, command
        shown = capsys.readouterr().err
        assert shown.endswith(line), shown
        assert "Traceback" not in shown
    without_depth = [word for word in words(old) if not word.startswith("depth")]
    assert main([*without_depth, "depth=none", f"output={tmp_path / 'new'}"]) == 2
    label = f"clever{old}"
    assert f"labels.{label}.weights={weights}: no such file\n" in capsys.readouterr().err
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("choice", "line"),
    [
        ("depth=on_gpu", "depth.device=cuda: no CUDA here; choose depth.device=cpu"),
        (
            "writer=picky_writer",
            "writer=picky_writer (test_resources.py sha256:{}): its library is not installed; "
            "pip install it",
        ),
        (
            "placement=buggy_check",
            "placement=buggy_check (test_resources.py sha256:{}): KeyError: 'oops' (in "
            "check_resources, test_resources.py:{})",
        ),
    ],
)
def test_a_line_names_stage_and_package(
    choice: str, line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["source.rooms=2", "source.furniture=2", "size=[24,32]", "samples=2"]
    assert main([*words, choice, f"output={tmp_path / 'out'}"]) == 2
    shown = capsys.readouterr().err
    position = -1
    for piece in line.split("{}"):
        position = shown.find(piece, position + 1)
        assert position >= 0, shown
    assert len(shown.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_stages_inside_a_stage_are_checked() -> None:
    class Inside(Several):
        def inner_stages(self) -> Sequence[Stage]:  # type: ignore[override]
            return [OnGpu()]

    with pytest.raises(
        UsageError, match=r"^blend=several: depth=on_gpu \(.*\): device=cuda: no CU"
    ):
        check_resources([("blend", Inside())])


def test_a_stage_is_checked_once_in_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []
    monkeypatch.setattr(Stage, "check_resources", lambda self: checked.append(self.name))
    words = ["source.rooms=2", "source.furniture=2", "size=[24,32]", "samples=4", "shard_size=2"]
    assert main([*words, "runner.workers=1", "blend=several", f"output={tmp_path / 'out'}"]) == 0
    # FastDepth, which `auto` uses, has a check of its own.
    of_samples = ["alpha", "auto", "feather", "layered", "poisson", "random", "rooms", "several"]
    assert sorted(checked) == sorted([*of_samples, "webdataset", "local"])
    checked.clear()
    out = str(tmp_path / "out")
    assert main(["convert", out, "writer=zip", f"output={tmp_path / 'zip'}"]) == 0
    assert sorted(checked) == ["local", "zip"]
    checked.clear()
    words = ["annotate", out, "depth=simple_net", "writer=zip", f"output={tmp_path / 'net'}"]
    assert main(words) == 0
    assert sorted(checked) == ["local", "simple_net", "zip"]
    checked.clear()
    for command in (["verify", out], ["stats", out], ["pictures", out, "--into", out + "-p"]):
        assert main(command) == 0
    assert depthmask.open(out)[0].depth is not None
    assert checked == []


def test_commands_that_run_one_stage_check_it(
    assets_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in (["evaluate", f"on={assets_root}"], ["tune"]):
        assert main([*command, "depth=on_gpu"]) == 2
        assert "depth.device=cuda: no CUDA here" in capsys.readouterr().err
    with pytest.raises(UsageError, match=r"^depth\.device=cuda: no CUDA here"):
        depthmask.virtual(["depth=on_gpu"])
