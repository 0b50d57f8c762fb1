"""A run that adds samples to a dataset compares finished ones first, and is refused if they differ.

Whether the versions of packages are others decides nothing.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from depthmask._version import __version__
from depthmask.cli.main import main
from depthmask.data import Encoded
from depthmask.engine import run, self_test
from depthmask.engine.recode import Recoding
from depthmask.errors import DepthmaskError
from depthmask.plan.layout import Shard
from depthmask.stages.blend.alpha import Alpha
from depthmask.stages.depth.layered import Layered
from depthmask.storage.identity import DatasetIdentity
from depthmask.storage.location import location
from depthmask.storage.publish import require_sealed, write_sealed
from tests.support import tiny
from tests.support.plugins import run_with_plugins, write_plugin

WRITERS = ("webdataset", "zip", "folder", "npz", "depthmaskdataset")
SPLITS = ("split.train=0.7", "split.val=0.3")
LIBRARIES = {"numpy": "0.1", "pillow": "0.2", "zlib": "1", "simplejpeg": "3"}


@pytest.fixture
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for a dataset, beside its assets."""
    tiny.make_assets(tmp_path / "assets")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "out"


def words(*more: str) -> list[str]:
    return [*tiny.words(Path("assets"), Path("out")), "shard_size=2", "runner.workers=1", *more]


def change_image(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a pixel of each image one level brighter, as another BLAS kernel may."""
    blend: Callable[..., bool] = Alpha.blend

    def brighter(self: Alpha, canvas: Any, patch: Any, top: int, left: int) -> bool:
        result = blend(self, canvas, patch, top, left)
        canvas[top, left, 0] ^= 1
        return result

    monkeypatch.setattr(Alpha, "blend", brighter)


def refusal(capsys: pytest.CaptureFixture[str], *command: str) -> str:
    """The error line of a command that is refused."""
    capsys.readouterr()
    assert main(list(command)) == 2
    (line,) = (one for one in capsys.readouterr().err.splitlines() if one.startswith("error: "))
    return line


def contents(output: Path) -> dict[str, bytes]:
    """All files of a dataset but its lock."""
    files = (path for path in output.rglob("*") if path.is_file() and path.name != ".lock")
    return {str(path.relative_to(output)): path.read_bytes() for path in files}


def log(output: Path) -> str:
    return (output / "run.log").read_text()


def plan_of(output: Path) -> dict[str, Any]:
    return require_sealed(location(output) / "plan.json")


@pytest.mark.parametrize("writer", WRITERS)
def test_every_writer(
    out: Path, writer: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    png = ("encode.image=png",) if writer != "npz" else ()
    assert main(words("samples=4", f"writer={writer}", *png)) == 0
    assert "finished samples" not in log(out)
    assert main(["extend", "out", "samples=6"]) == 0
    assert "finished samples made once more have the same bytes (4 compared)" in log(out)
    before = contents(out)
    change_image(monkeypatch)
    line = refusal(capsys, "extend", "out", "samples=8")
    assert "of sample 0 in train-000000, made once more, has other bytes: the same settings" in line
    assert "`python -m depthmask repeat out output=OUT2` makes one with the settings" in line
    assert contents(out) == before
    assert main(["extend", "out", "samples=6"]) == 0, "nothing is made, so nothing is compared"


@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupted_dataset(
    out: Path, workers: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words("samples=6", "encode.image=png", "labels=[instances]", *SPLITS)) == 0
    for name in ("records/val-000000.json", "dataset.json"):
        (out / name).unlink()
    with monkeypatch.context() as changed:
        change_image(changed)
        for command in (
            ["resume", "out"],
            words("samples=6", "encode.image=png", "labels=[instances]", *SPLITS),
        ):
            assert "of sample " in refusal(capsys, *command)
            assert not (out / "records" / "val-000000.json").exists()
    assert main(["resume", "out", f"runner.workers={workers}"]) == 0


def test_a_shard_that_the_dataset_outgrows(
    out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is made again with more samples, and the published ones must stay."""
    assert main(words("samples=1", "encode.image=png")) == 0
    before = contents(out)
    change_image(monkeypatch)
    assert "sample 0 in train-000000" in refusal(capsys, "extend", "out", "samples=2")
    assert contents(out) == before


def test_a_repair_that_can_compare_no_shard(
    out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a record and without dataset.json, other samples tell whether the bytes are right."""
    assert main(words("samples=6", "encode.image=png")) == 0
    for name in ("records/train-000001.json", "shards/train-000001.tar", "dataset.json"):
        (out / name).unlink()
    with monkeypatch.context() as changed:
        change_image(changed)
        assert "of sample 0 in train-000000" in refusal(capsys, "verify", "out", "--repair")
    assert not (out / "shards" / "train-000001.tar").exists()
    assert main(["verify", "out", "--repair"]) == 0
    assert "same bytes (4 compared)" in log(out)


def other_json(self: Recoding, encoded: Encoded, *arguments: Any, **options: Any) -> Encoded:
    return Encoded(encoded.key, {**encoded.members, "json": b"{}"}, encoded.arrays)


def other_depth(self: Layered, composites: Any) -> list[Any]:
    return [np.full(one.image.shape[:2], 2, np.float32) for one in composites]


@pytest.mark.parametrize(
    ("job", "changed", "method", "change", "member"),
    [
        ("convert", Recoding, "apply", other_json, "json"),
        ("annotate", Layered, "annotate", other_depth, "depth.png"),
    ],
)  # fmt: skip
def test_jobs_over_existing_samples(
    out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    job: str, changed: type, method: str, change: Callable[..., Any], member: str,
) -> None:  # fmt: skip
    assert main(words("samples=6")) == 0
    more = ("depth=layered", "geometry=source") if job == "annotate" else ("writer=zip",)
    assert main([job, "out", *more, "output=new", "runner.workers=1"]) == 0
    new = out.with_name("new")
    for name in ("records/train-000001.json", "dataset.json"):
        (new / name).unlink()
    with monkeypatch.context() as patched:
        patched.setattr(changed, method, change)
        line = refusal(capsys, "resume", "new")
    assert f"new cannot be continued: {member} of sample 0 in train-000000, made once" in line
    assert main(["resume", "new"]) == 0
    assert "same bytes (4 compared)" in log(new)


PLUGIN = """
import random
from depthmask import Placement, scaled_layer, setting, stage

@stage("mine")
class Mine(Placement):
    "Somewhere."
    {setting}

    def place(self, scene, foreground, flip, rng):
        return scaled_layer(foreground, top=2, left={left}, scale=0.5, flip=flip)
"""
TILT = 'tilt: int = setting(0, help="degrees")'


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The package `mine` 1.0, and a dataset of two samples by it."""
    write_plugin(tmp_path / "site", "mine", "1.0", PLUGIN.format(setting="", left="2"))
    done = run_with_plugins(
        tmp_path / "site", "depthmask", "placement=mine", "source.rooms=1", "source.furniture=2",
        "size=[24,32]", "geometry=source", "shard_size=1", "samples=2", "runner.workers=1",
        "output=out", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return tmp_path / "site"


def test_a_stage_of_a_plugin_that_changed(site: Path) -> None:
    write_plugin(site, "mine", "1.1", PLUGIN.format(setting="", left="3"))
    done = run_with_plugins(site, "depthmask", "extend", "out", "samples=3", cwd=site.parent)
    assert done.returncode == 2
    assert "sample 0 in train-000000, made once more, has other bytes: mine 1.1 instead of 1.0" in (
        done.stderr
    )


def test_a_setting_that_was_added_later(site: Path) -> None:
    """It counts with its default, and earlier versions refuse what they do not know."""
    write_plugin(site, "mine", "1.1", PLUGIN.format(setting=TILT, left="2 + self.tilt"))
    before = plan_of(site.parent / "out")
    extend = ("depthmask", "extend", "out", "samples=3")
    done = run_with_plugins(site, *extend, cwd=site.parent)
    assert done.returncode == 0, done.stderr
    after = plan_of(site.parent / "out")
    assert DatasetIdentity.of_plan(after).lineage == DatasetIdentity.of_plan(before).lineage
    again = ("placement=mine", "source.rooms=1", "source.furniture=2", "size=[24,32]")
    done = run_with_plugins(
        site, "depthmask", *again, "geometry=source", "shard_size=1", "samples=3",
        "placement.tilt=4", "output=out", cwd=site.parent,
    )  # fmt: skip
    assert "holds another dataset: placement.tilt was 0 and is 4; choose" in done.stderr


def test_a_setting_of_a_newer_version_is_named(
    out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words("samples=2")) == 0
    plan = plan_of(out)
    plan["config"]["placement"]["tilt"] = 3
    write_sealed(location(out) / "plan.json", plan)
    for command in (["resume", "out"], ["extend", "out", "samples=4"]):
        assert refusal(capsys, *command) == (
            "error: out/plan.json: placement.tilt=3 is no setting of placement=random here; the "
            f"dataset was made by depthmask {__version__}: "
            f"`pip install 'depthmask=={__version__}'`"
        )
    line = refusal(capsys, *words("samples=4"))
    assert "holds another dataset: placement.tilt was 3 and is null" in line


def as_of_0_2_0(output: Path) -> None:
    """Leave the dataset as depthmask 0.2.0 made it: libraries in `versions`, which is hashed."""
    folder, plan = location(output), plan_of(output)
    del plan["environments"]
    plan["versions"] |= LIBRARIES
    identity = DatasetIdentity.of_plan(plan)
    write_sealed(folder / "plan.json", {**plan, "fingerprint": identity.fingerprint})
    info = require_sealed(folder / "dataset.json")
    write_sealed(folder / "dataset.json", {**info, "fingerprint": identity.fingerprint})
    for path in (folder / "records").iterdir():
        write_sealed(path, {**require_sealed(path), "lineage": identity.lineage})


def test_a_dataset_by_other_versions_of_libraries(
    out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A dataset of 0.2.0 keeps its fingerprint and its lineage, and says what differs."""
    assert main(words("samples=2")) == 0
    as_of_0_2_0(out)
    before = plan_of(out)
    assert main(words("samples=2")) == 0
    assert plan_of(out) == before
    monkeypatch.setattr("depthmask.config.versions.__version__", "99")
    capsys.readouterr()
    assert main(["extend", "out", "samples=4"]) == 0
    (line,) = (one for one in capsys.readouterr().err.splitlines() if "begun" in one)
    note = line.removeprefix("note: ")
    assert "depthmask 99 instead of " in note
    assert f"numpy {np.__version__} instead of 0.1" in note
    assert note.endswith("finished samples made once more have the same bytes (2 compared)")
    assert note in log(out)
    after = plan_of(out)
    assert after["versions"] == before["versions"]
    assert DatasetIdentity.of_plan(after).lineage == DatasetIdentity.of_plan(before).lineage
    begun, present = after["environments"]
    assert begun == before["versions"]
    assert present["numpy"] == np.__version__
    assert require_sealed(location(out) / "dataset.json")["versions"] == begun
    assert main(["verify", "out"]) == 0


def test_environments_are_recorded_once_each(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for samples, version in [(2, "1"), (2, "2"), (4, "3"), (6, "1")]:
        monkeypatch.setattr(run, "environment_of", lambda root, version=version: {"numpy": version})
        assert main(words(f"samples={samples}")) == 0
    # A run that makes nothing changes nothing.
    assert plan_of(out)["environments"] == [{"numpy": "1"}, {"numpy": "3"}]
    assert require_sealed(location(out) / "dataset.json")["versions"]["numpy"] == "1"


def test_a_writer_that_reads_nothing(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(words("samples=2")) == 0

    def unreadable(*arguments: Any) -> Encoded:
        raise DepthmaskError("no reader")

    monkeypatch.setattr(self_test, "published_sample", unreadable)
    assert main(["extend", "out", "samples=4"]) == 0
    assert "sample 0 in train-000000 cannot be compared: no reader" in log(out)
    assert "no finished sample was compared" in log(out)


def test_the_time_is_limited(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(words("samples=8")) == 0
    monkeypatch.setattr(self_test, "_LEAST_S", 0.0)
    monkeypatch.setattr(self_test, "_SHARE", 0.0)
    assert main(["extend", "out", "samples=10"]) == 0
    assert "(2 compared)" in log(out)


@pytest.mark.parametrize("counts", [(1, 1), (7, 5, 3), (10, 0, 4)])
def test_samples_are_chosen_from_all_splits(counts: tuple[int, ...]) -> None:
    shards = [
        Shard(number, f"split{split}", start, min(start + 3, count))
        for split, count in enumerate(counts)
        for number, start in enumerate(range(0, count, 3))
    ]
    chosen = list(self_test._samples_of(shards))
    assert all(len(one) == 1 for one in chosen)
    assert all(3 * one.number == one.start - one.start % 3 for one in chosen)
    assert len({(one.split, one.start) for one in chosen}) == len(chosen) == sum(counts)
    splits = [f"split{split}" for split, count in enumerate(counts) if count]
    assert [one.split for one in chosen[: len(splits)]] == splits


@pytest.mark.parametrize(
    "switches",
    [
        {"OPENBLAS_CORETYPE": "Sandybridge"},
        {"NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR", "OPENCV_IPP": "disabled"},
    ],
    ids=["OpenBLAS", "NumPy and OpenCV"],
)
def test_another_processor(tmp_path: Path, switches: dict[str, str]) -> None:
    """Rooms are calculated by BLAS: other bytes are refused, and the same ones go on."""
    common = (
        "source=rooms", "source.rooms=2", "source.furniture=3", "geometry=source", "size=[64,64]",
        "shard_size=2", "encode.image=png", "runner.workers=1", f"output={tmp_path / 'out'}",
    )  # fmt: skip
    assert main([*common, "samples=4"]) == 0
    before = contents(tmp_path / "out")
    command = [sys.executable, "-m", "depthmask", "extend", str(tmp_path / "out"), "samples=6"]
    environment = {**os.environ, **switches}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    named = " ".join(f"{name}={value}" for name, value in switches.items()).split()[0]
    assert named in done.stderr
    if done.returncode == 2:
        assert contents(tmp_path / "out") == before
        return
    assert done.returncode == 0, done.stderr
    assert main([*common[:-1], f"output={tmp_path / 'whole'}", "samples=6"]) == 0
    assert tiny.sha256s(tmp_path / "whole") == tiny.sha256s(tmp_path / "out")
