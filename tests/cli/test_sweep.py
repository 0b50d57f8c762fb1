"""Sweeps: a dataset for each job, what went wrong with which, and what is left of it all."""

from __future__ import annotations

import csv
import html
import io
import json
import math
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import depthmask
import depthmask.engine.run
from depthmask.cli.main import main
from depthmask.cli.sweep import main as sweep
from depthmask.config.presets.folders import config_folder
from depthmask.engine.finish import finish
from depthmask.storage.location import location
from tests.support.plugins import loaded

SMALL = ("samples=3", "source.rooms=2", "source.furniture=4", "size=[32,32]", "runner.workers=1")
FAIL = "objects=1,9"
"""The second has more objects than there is furniture."""


def table(folder: Path) -> list[dict[str, str]]:
    with (folder / "sweep.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def results(folder: Path) -> list[dict[str, Any]]:
    paths = [path for path in (folder / "jobs").glob("*.json") if path.stem.isdecimal()]
    return [json.loads(path.read_text()) for path in sorted(paths, key=lambda one: int(one.stem))]


def datasets(folder: Path) -> list[str]:
    return sorted(path.parent.name for path in folder.glob("*/dataset.json"))


def test_each_job_has_a_dataset_and_a_row(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    words = ["placement=random,grid", "writer=zip,npz", f"output={out}"]
    assert main(["-m", *SMALL, *words]) == 0
    assert [name.rpartition("-")[0] for name in datasets(out)] == [
        "rooms-grid-layered-npz", "rooms-grid-layered-zip",
        "rooms-random-layered-npz", "rooms-random-layered-zip",
    ]  # fmt: skip
    others = {path.name for path in out.iterdir()} - set(datasets(out))
    assert others == {".lock", "jobs", "sweep.csv", "sweep.html"}
    rows = table(out)
    assert [(row["job"], row["placement"], row["writer"]) for row in rows] == [
        ("0", "random", "zip"), ("1", "random", "npz"), ("2", "grid", "zip"), ("3", "grid", "npz")
    ]  # fmt: skip
    for row in rows:
        ds = depthmask.open(row["dataset"])
        assert row["status"] == "made"
        assert int(row["samples"]) == len(ds) == 3
        assert int(row["bytes"]) == ds.info["bytes"]
        assert float(row["samples_per_s"]) > 0
        mean = sum(ds.stats["image"]["mean"]) / 3
        assert float(row["image_mean"]) == pytest.approx(mean)
        assert float(row["image_std"]) == pytest.approx(sum(ds.stats["image"]["std"]) / 3)
        assert float(row["mask_mean"]) == ds.stats["mask"]["mean"][0]
        assert float(row["depth_mean"]) == ds.stats["depth"]["mean"][0]
        assert f"placement={row['placement']} writer={row['writer']}" in row["overrides"]
    printed = capsys.readouterr()
    lines = printed.err.splitlines()
    (head,) = [
        number for number, line in enumerate(lines) if line.split()[:2] == ["job", "placement"]
    ]
    assert lines[head].split()[:4] == ["job", "placement", "writer", "samples"]
    assert lines[head + 3].split()[:4] == ["2", "grid", "zip", "3"]
    assert printed.out == f"{out}\n"


def test_a_folder_may_have_a_name_that_is_not_utf_8(tmp_path: Path) -> None:
    """As all names outside ASCII are to a Python in an ASCII locale."""
    out = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))
    assert main(["-m", *SMALL, "depth=none", "seed=0", f"output='{out}'"]) == 0
    with (out / "sweep.csv").open(newline="", errors="surrogateescape") as file:
        (row,) = csv.DictReader(file)
    assert Path(row["dataset"]).parent == out
    assert (out / "sweep.html").is_file()


def test_a_page_that_cannot_be_drawn_ends_no_sweep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> str:
        raise ValueError("cannot be drawn")

    monkeypatch.setattr(sweep, "page", fail)
    assert main(["-m", *SMALL, "depth=none", "seed=0,1", f"output={tmp_path / 'out'}"]) == 0
    assert len(table(tmp_path / "out")) == 2
    assert not (tmp_path / "out" / "sweep.html").exists()
    assert "sweep.html is left out: ValueError: cannot be drawn" in caplog.text


def test_a_failed_job_is_in_the_table_and_the_others_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    words = ["-m", *SMALL, "placement=random,grid", f"output={out}", "objects=9,1"]
    assert main(words) == 1
    reason = "objects=9: the source has 4 foregrounds"
    printed = capsys.readouterr()
    assert printed.err.count(f"failed: {reason}") == 4
    assert [row["status"] for row in table(out)] == ["failed", "made"] * 2
    assert [row["reason"].startswith(reason) for row in table(out)] == [True, False] * 2
    assert len(datasets(out)) == 2
    assert "2 of 4 jobs did not complete their dataset" in (out / "sweep.html").read_text()


def test_complete_datasets_are_skipped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    words = ["-m", *SMALL, f"output={out}", "seed=0,1"]
    assert main(words) == 0
    before = {path: path.read_bytes() for path in sorted(out.glob("*/shards/*"))}
    made = [row["dataset"] for row in table(out)]
    rates = [row["samples_per_s"] for row in table(out)]
    assert "" not in rates
    assert main([*words[:-1], "seed=0,1,2"]) == 0
    status = [row["status"] for row in table(out)]
    assert status == ["nothing left to do", "nothing left to do", "made"]
    assert [row["dataset"] for row in table(out)][:2] == made
    assert [row["samples_per_s"] for row in table(out)][:2] == rates
    assert main(words) == 0
    assert [row["samples_per_s"] for row in table(out)][:2] == rates
    # Each is in the line of its job and in the table.
    assert capsys.readouterr().err.count("nothing left to do") == 8
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize("harm", ["byte", "cut", "gone", "record", "summary"])
def test_damaged_datasets_are_completed(tmp_path: Path, harm: str) -> None:
    out = tmp_path / "out"
    words = ["-m", *SMALL, f"output={out}", "seed=0,1"]
    assert main(words) == 0
    dataset = Path(table(out)[1]["dataset"])
    shard, record = dataset / "shards/train-000000.tar", dataset / "records/train-000000.json"
    content = shard.read_bytes()
    if harm == "byte":
        shard.write_bytes(content[:600] + bytes([content[600] ^ 1]) + content[601:])
    elif harm == "cut":
        shard.write_bytes(content[:-512])
    else:
        {"gone": shard, "record": record, "summary": dataset / "dataset.json"}[harm].unlink()
    assert main(words) == 0
    # Only what dataset.json sums up was lost, so no sample had to be made.
    again = "nothing left to do" if harm == "summary" else "made"
    assert [row["status"] for row in table(out)] == ["nothing left to do", again]
    assert shard.read_bytes() == content
    assert main(["verify", str(dataset)]) == 0


def test_a_sweep_without_output_finds_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for words in (["seed=0,1"], ["seed=0,1"], ["seed=1,2"]):
        assert main(["-m", *SMALL, *words]) == 0
    assert len(datasets(tmp_path / "outputs")) == 3
    first, second = sorted(tmp_path.glob("outputs/sweep-*"), key=os.path.getmtime)
    assert [row["status"] for row in table(first)] == ["nothing left to do"] * 2
    assert [row["status"] for row in table(second)] == ["nothing left to do", "made"]
    assert [path.name for path in tmp_path.iterdir()] == ["outputs"]


def test_a_narrower_sweep_keeps_the_rows_of_all_datasets(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    words = ["-m", *SMALL, f"output={out}"]
    assert main([*words, "placement=random,grid", "seed=0,1"]) == 0
    before = {row["dataset"]: row for row in table(out)}
    capsys.readouterr()
    assert main([*words, "seed=1,2"]) == 0
    rows = table(out)
    assert [(row["job"], row["placement"], row["seed"]) for row in rows] == [
        ("0", "random", "1"), ("1", "random", "2"),
        ("", "random", "0"), ("", "grid", "0"), ("", "grid", "1"),
    ]  # fmt: skip
    assert [row["status"] for row in rows] == ["nothing left to do", "made"] + ["made before"] * 3
    assert {Path(row["dataset"]).name for row in rows} == set(datasets(out))
    for row in rows:
        if row["dataset"] in before:
            for name in ("samples", "samples_per_s", "bytes", "mask_mean", "depth_mean"):
                assert row[name] == before[row["dataset"]][name] != ""
    lines = capsys.readouterr().err.splitlines()
    (end,) = [number for number, line in enumerate(lines) if line.startswith("table ")]
    assert [line.split()[0] for line in lines[end - 6 : end - 3]] == ["job", "0", "1"]
    page = (out / "sweep.html").read_text()
    assert "2 jobs and 3 datasets from before, 15 samples" in page
    assert all(f"<code>{name}</code>" in page for name in datasets(out))
    assert page.count("<figure") == 5


def test_one_more_job_of_other_settings(tmp_path: Path) -> None:
    """Settings that only one of two sweeps gives have columns, and both values."""
    out = tmp_path / "out"
    assert main(["-m", *SMALL, f"output={out}", "seed=0,1"]) == 0
    assert main(["-m", *SMALL, f"output={out}", "placement=grid", "seed=0", "fov_deg=50"]) == 0
    rows = [(row["seed"], row["placement"], row["fov_deg"]) for row in table(out)]
    assert rows == [("0", "grid", "50.0"), ("0", "random", "60.0"), ("1", "random", "60.0")]


def test_rows_come_from_the_datasets_as_they_are(tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ["-m", *SMALL, f"output={out}"]
    assert main([*words, "seed=0,1,2"]) == 0
    first, second, third = (Path(row["dataset"]) for row in table(out))
    shutil.rmtree(first)
    assert main([*SMALL, "seed=1", "samples=5", f"output={second}"]) == 0
    (third / "dataset.json").unlink()
    assert main([*SMALL, "seed=7", f"output={out / 'mine'}"]) == 0
    moved = out.rename(tmp_path / "moved")
    assert main(["-m", *SMALL, f"output={moved}", "seed=3"]) == 0
    rows = {Path(row["dataset"]).name: row for row in table(moved)}
    assert all(Path(row["dataset"]).parent == moved for row in rows.values())
    assert first.name not in rows
    assert [row["seed"] for row in rows.values()] == ["3", "1", "2", "7"]
    assert rows[second.name]["samples"] == "5"
    assert rows[second.name]["status"] == rows["mine"]["status"] == "made before"
    assert (rows[third.name]["status"], rows[third.name]["samples"]) == ("did not finish", "")
    # No sweep has measured it: the rate of one process, from the records.
    assert float(rows["mine"]["samples_per_s"]) > 0


def test_failed_jobs_of_earlier_sweeps_without_a_dataset_are_left_out(tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ["-m", *SMALL, f"output={out}"]
    assert main([*words, FAIL]) == 1
    assert main([*words, "objects=1,2"]) == 0
    assert [(row["objects"], row["status"]) for row in table(out)] == [
        ("1", "nothing left to do"), ("2", "made")
    ]  # fmt: skip


def test_a_dataset_whose_hook_failed_has_its_figures(tmp_path: Path) -> None:
    out = tmp_path / "out"

    def depthmask_run_finished(root: Any, output: Any) -> None:
        if root.seed == 1:
            raise OSError("no network")

    words = ["-m", *SMALL, f"output={out}"]
    with loaded("uploader", depthmask_run_finished=depthmask_run_finished):
        assert main([*words, "seed=0,1"]) == 1
        for more in ("seed=0,1", "seed=2"):
            assert main([*words, more]) == (1 if "1" in more else 0)
            row = next(row for row in table(out) if row["seed"] == "1")
            assert row["status"] == "failed"
            assert "no network" in row["reason"]
            assert Path(row["dataset"]).parent == out
            assert row["samples"] == "3"
            assert float(row["mask_mean"]) > 0
            assert float(row["samples_per_s"]) > 0
    assert (out / "sweep.html").read_text().count("<figure") == 3


@pytest.mark.parametrize("kept", ["killed", "damaged", "gone"])
def test_results_that_a_killed_or_an_old_sweep_has_left(tmp_path: Path, kept: str) -> None:
    """Without `results.json` there are the files of the jobs, and the datasets themselves."""
    out = tmp_path / "out"
    assert main(["-m", *SMALL, f"output={out}", "seed=0,1"]) == 0
    rates = [row["samples_per_s"] for row in table(out)]
    (out / "jobs" / "results.json").unlink()
    for path in (out / "jobs").glob("[01].json"):
        result = json.loads(path.read_text())
        # As the results of versions that knew one value, and no settings.
        del result["settings"], result["values"]
        path.write_text(json.dumps({**result, "value": 0.5}))
    if kept == "damaged":
        (out / "jobs" / "0.json").write_text("{")
        (out / "jobs" / "1.json").write_text('{"number": "x", "overrides": 3}')
    elif kept == "gone":
        shutil.rmtree(out / "jobs")
    assert main(["-m", *SMALL, f"output={out}", "seed=2"]) == 0
    rows = sorted(table(out), key=lambda row: row["seed"])
    assert [row["seed"] for row in rows] == ["0", "1", "2"]
    assert [row["status"] for row in rows] == ["made before", "made before", "made"]
    if kept == "killed":
        assert [row["samples_per_s"] for row in rows][:2] == rates
    assert all(float(row["samples_per_s"]) > 0 for row in rows)


def test_a_sweep_in_an_object_store_keeps_its_rows(capsys: pytest.CaptureFixture[str]) -> None:
    out = location("memory://sweeps/kept")
    words = ["-m", *SMALL, f"output={out}"]

    def rows() -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO((out / "sweep.csv").read_bytes().decode())))

    assert main([*words, "seed=0,1"]) == 0
    rates = {row["seed"]: row["samples_per_s"] for row in rows()}
    assert main([*words, "seed=1,2"]) == 0
    assert [row["seed"] for row in rows()] == ["1", "2", "0"]
    assert {row["seed"]: row["samples_per_s"] for row in rows()} == {
        **rates, "2": rows()[1]["samples_per_s"]
    }  # fmt: skip
    # A sweep that was killed there has left its datasets alone.
    (out / "jobs").remove()
    assert main([*words, "seed=2"]) == 0
    assert (rows()[0]["seed"], rows()[0]["status"]) == ("2", "nothing left to do")
    assert sorted(row["seed"] for row in rows()) == ["0", "1", "2"]
    assert all(float(row["samples_per_s"]) > 0 for row in rows())
    capsys.readouterr()


@pytest.mark.parametrize(
    "words", [["placement=random,gird"], ["nosuch=1,2"], ["seed=a,1"], ["+experiment=nosuch"]]
)
def test_a_mistyped_command_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    out = tmp_path / "out"
    assert main(["-m", *SMALL, f"output={out}", *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {words[0].split('=')[0].lstrip('+')}")
    assert not out.exists()


def test_other_folders_are_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    notes = tmp_path / "notes"
    (notes / "jobs").mkdir(parents=True)
    (notes / "jobs" / "1.json").write_text("mine")
    assert main(["-m", *SMALL, "seed=0,1", f"output={notes}"]) == 2
    assert "is not empty and holds no sweep" in capsys.readouterr().err
    assert sorted(path.name for path in notes.rglob("*")) == ["1.json", "jobs"]
    assert main([*SMALL, f"output={tmp_path / 'one'}"]) == 0
    capsys.readouterr()
    assert main(["-m", *SMALL, "seed=0,1", f"output={tmp_path / 'one'}"]) == 2
    assert "is a dataset, but a sweep needs a folder for several" in capsys.readouterr().err
    assert not (tmp_path / "one" / "jobs").exists()


def test_the_folder_of_a_sweep_is_no_output_of_a_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["-m", *SMALL, "seed=0,1", f"output={out}"]) == 0
    capsys.readouterr()
    assert main([*SMALL, "seed=2", f"output={out}"]) == 2
    line = f"error: output={out}: the folder of a sweep, and no dataset; choose another output, or"
    assert capsys.readouterr().err.startswith(line)
    assert main(["-m", *SMALL, "seed=2", f"output={out}"]) == 0
    assert len(datasets(out)) == 3


def test_two_sweeps_in_one_folder_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["-m", *SMALL, "seed=0,1", f"output={tmp_path / 'out'}"]
    assert main(words) == 0
    with location(tmp_path / "out").locked():
        capsys.readouterr()
        assert main(words) == 2
    assert "another run is at work there" in capsys.readouterr().err


def test_the_table_is_written_even_if_the_sweep_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = depthmask.engine.run.run_job, []

    def interrupted(*args: Any, **more: Any) -> Any:
        calls.append(args)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*args, **more)

    monkeypatch.setattr("depthmask.cli.sweep.job.run_job", interrupted)
    out = tmp_path / "out"
    words = ["-m", *SMALL, f"output={out}", "seed=0,1,2"]
    assert main(words) == 130
    assert [row["status"] for row in table(out)] == ["made", "did not finish", "not started"]
    assert [row["seed"] for row in table(out)] == ["0", "1", "2"]
    assert "interrupted; run the same command again to resume" in capsys.readouterr().err
    # The second one has been begun, and its row is not there twice.
    monkeypatch.undo()
    assert main([*words[:-1], "seed=7"]) == 0
    assert [(row["seed"], row["status"]) for row in table(out)] == [
        ("7", "made"), ("0", "made before")
    ]  # fmt: skip
    assert main(words) == 0
    assert [row["status"] for row in table(out)] == [
        "nothing left to do", "made", "made", "made before"
    ]  # fmt: skip


def test_a_job_that_is_interrupted_in_its_middle_has_one_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = finish

    def interrupted(job: Any, totals: Any, left_out: Any) -> Any:
        if job.root.seed == 1:
            raise KeyboardInterrupt
        return real(job, totals, left_out)

    monkeypatch.setattr("depthmask.engine.run.finish", interrupted)
    out = tmp_path / "out"
    words = ["-m", *SMALL, f"output={out}"]
    assert main([*words, "seed=0,1"]) == 130
    rows = [("0", "made"), ("1", "did not finish")]
    assert [(row["seed"], row["status"]) for row in table(out)] == rows
    assert len({row["dataset"] for row in table(out)} - {""}) == 2
    assert main([*words, "seed=0"]) == 0
    assert [(row["seed"], row["status"]) for row in table(out)] == [
        ("0", "nothing left to do"), ("1", "did not finish")
    ]  # fmt: skip
    monkeypatch.undo()
    assert main([*words, "seed=0,1"]) == 0
    assert [row["status"] for row in table(out)] == ["nothing left to do"] * 2


def test_a_path_with_odd_characters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = tmp_path / "it's a \\ path, $x{y}\\"
    odd.mkdir()
    monkeypatch.chdir(odd)
    assert main(["-m", *SMALL, "seed=0,1", "output=here"]) == 0
    assert len(table(odd / "here")) == 2
    assert main(["-m", *SMALL, "seed=0,1", f'output="{odd}"']) == 2
    assert main(["-m", *SMALL, "seed=0,1", f'output="{odd}/there"']) == 0
    assert len(table(odd / "there")) == 2


def test_experiments_are_sweeps_by_name(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main(["-m", "+experiment=placements", *SMALL, f"output={out}"]) == 0
    found = [(row["placement"], row["objects"]) for row in table(out)]
    assert found == [
        (placement, objects) for placement in ("random", "grid", "ground")
        for objects in ("1", "[2,4]")
    ]  # fmt: skip
    counts: dict[str, list[int]] = {}
    for row in table(out):
        layers = [len(one.meta["layers"]) for one in depthmask.open(row["dataset"])]
        counts[row["objects"]] = counts.get(row["objects"], []) + layers
    assert set(counts["1"]) == {1}
    assert set(counts["[2,4]"]) <= {2, 3, 4}


def test_stages_in_an_experiment_are_no_list(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "experiment" / "mine.yaml"
    path.parent.mkdir()
    params = "      seed: 1,2\n      placement: [random, grid]\n"
    path.write_text(f"# @package _global_\nhydra:\n  sweeper:\n    params:\n{params}")
    assert main(["-m", "--config-dir", str(tmp_path), "+experiment=mine", *SMALL]) == 2
    line = "mine.yaml:6: placement: values of a sweep are a text: write placement: random,grid"
    assert line in capsys.readouterr().err


def test_experiments_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugins"]) == 0
    listing = capsys.readouterr().out
    for path in (config_folder() / "experiment").glob("*.yaml"):
        assert f"  +experiment={path.stem}  (built-in)  A sweep: " in listing


def test_hydra_mode_multirun_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SMALL, f"output={tmp_path / 'out'}", "hydra.mode=MULTIRUN"]) == 2
    assert "use -m for a sweep" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("package", "launcher"),
    [
        ("hydra_plugins.hydra_joblib_launcher", ["hydra/launcher=joblib"]),
        ("hydra_plugins.hydra_submitit_launcher", ["hydra/launcher=submitit_local"]),
    ],
)
def test_jobs_in_separate_processes(tmp_path: Path, package: str, launcher: list[str]) -> None:
    pytest.importorskip(package)
    out = tmp_path / "out"
    # Two shards and two workers: a job starts processes in its turn.
    pairs = [*SMALL[:-1], "shard_size=2", "runner.workers=2"]
    words = ["-m", *pairs, f"output={out}", "seed=0,1", FAIL, *launcher]
    # In a process of its own: submitit closes files that pytest captures.
    command = [sys.executable, "-m", "depthmask", *words]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert [row["status"] for row in table(out)] == ["made", "failed"] * 2
    assert [row["seed"] for row in table(out)] == ["0", "0", "1", "1"]
    assert "objects=9: the source has 4 foregrounds" in done.stderr
    for one in results(out):
        node, _, process = one["where"].rpartition(":")
        assert node == platform.node()
        assert int(process) != os.getpid()
    # The same bytes as in this process.
    alone = tmp_path / "alone"
    assert main(["-m", *pairs, f"output={alone}", "runner.workers=1", "seed=0,1"]) == 0
    assert datasets(alone) == datasets(out)
    for name in datasets(alone):
        for number in range(2):
            shard = Path(name) / "shards" / f"train-00000{number}.tar"
            assert (alone / shard).read_bytes() == (out / shard).read_bytes()


OPTUNA = ["hydra/sweeper=optuna", "hydra.sweeper.sampler.seed=3"]


def run_optuna(out: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a sweep in a process of its own, as optuna's import warns of SQLAlchemy."""
    pytest.importorskip("hydra_plugins.hydra_optuna_sweeper")
    command = [sys.executable, "-m", "depthmask", "-m", *SMALL, *OPTUNA, f"output={out}", *words]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def test_optuna_optimises_a_number_of_the_datasets(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # 3 is beyond max_scale: that trial fails, and the others go on.
    words = ["placement.min_scale=choice(0.2,0.9,3)", "hydra.sweeper.n_trials=6",
             "hydra.sweeper.direction=maximize"]  # fmt: skip
    out = tmp_path / "out"
    done = run_optuna(out, *words, "target=statistics.mask.mean")
    assert done.returncode == 1
    rows = table(out)
    assert len(rows) == 6
    assert {row["placement.min_scale"] for row in rows} == {"0.2", "0.9", "3"}
    for row in rows:
        failed = row["placement.min_scale"] == "3"
        assert row["status"].startswith("failed") == failed
        assert (row["target:statistics.mask.mean"] == "") == failed
    best = max(rows, key=lambda row: float(row["target:statistics.mask.mean"] or -math.inf))
    text = (out / "jobs" / "optimization_results.yaml").read_text()
    assert f"placement.min_scale: {best['placement.min_scale']}" in text
    assert f"best_value: {best['target:statistics.mask.mean']}" in text
    # The best trial is named with its value, its settings and a command, and so it is in the page.
    value = float(best["target:statistics.mask.mean"])
    line = (
        f"job {best['job']}: statistics.mask.mean={value:.6g} (maximize), "
        f"with placement.min_scale={best['placement.min_scale']}"
    )
    assert f"best      {line}" in done.stderr.splitlines()
    (command,) = re.findall(r"^again     (.*)", done.stderr, re.MULTILINE)
    page = html.unescape((out / "sweep.html").read_text())
    assert "<h2>Best trial</h2>" in page
    assert command in page
    # Neither Optuna nor its sweeper print lines of their own.
    assert "study" not in done.stderr
    assert "float-castable" not in done.stderr
    # The command works when pasted.
    monkeypatch.chdir(tmp_path)
    assert main(shlex.split(command)[3:]) == 0
    (again,) = (tmp_path / "outputs").iterdir()
    assert again.name == Path(best["dataset"]).name
    shard = "shards/train-000000.tar"
    assert (again / shard).read_bytes() == (Path(best["dataset"]) / shard).read_bytes()


def test_optuna_with_two_numbers(tmp_path: Path) -> None:
    words = ["placement.min_scale=choice(0.2,0.9)", "hydra.sweeper.n_trials=4"]
    directions = "hydra.sweeper.direction=[maximize,minimize]"
    out = tmp_path / "out"
    done = run_optuna(out, *words, directions, "target=[statistics.mask.mean,bytes]")
    assert done.returncode == 0, done.stderr
    costs = {
        row["job"]: (-float(row["target:statistics.mask.mean"]), float(row["target:bytes"]))
        for row in table(out)
    }
    best = {
        cost for cost in costs.values()
        if not any(other != cost and other[0] <= cost[0] and other[1] <= cost[1]
                   for other in costs.values())
    }  # fmt: skip
    values = r"statistics\.mask\.mean=\S+ \(maximize\), bytes=\S+ \(minimize\)"
    line = rf"^best      job (\d+): {values}, with placement\.min_scale="
    jobs = re.findall(line, done.stderr, re.MULTILINE)
    assert {costs[job] for job in jobs} == best
    assert len(jobs) == len(best)
    assert "solutions" in (out / "jobs" / "optimization_results.yaml").read_text()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ([], "hydra/sweeper=optuna needs a number in dataset.json to optimise; give target=NAME"),
        (
            ["target=[bytes,samples]"],
            "target names 2 numbers, and hydra.sweeper.direction has 1; give one for each, as in "
            "target=[bytes,samples] hydra.sweeper.direction=[minimize,minimize]",
        ),
        (
            ["target=bytes", "hydra.sweeper.direction=max"],
            "hydra.sweeper.direction=max: must be minimize or maximize",
        ),
        (
            ["target=statistics.masks.mean"],
            "target=statistics.masks.mean: dataset.json has no such number; did you mean "
            "statistics.mask.mean?",
        ),
    ],
)
def test_optuna_needs_a_target_that_exists(tmp_path: Path, words: list[str], line: str) -> None:
    done = run_optuna(tmp_path / "out", "placement.min_scale=choice(0.2,0.9)", *words)
    assert done.returncode == 2
    assert f"error: {line}" in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "line", "jobs"),
    [
        # No other trial would have the number, so the first two, a batch of Optuna, are the last.
        (
            ["placement.min_scale=choice(0.2,0.9)", "target=statistics.depth.mean", "depth=none"],
            "target=statistics.depth.mean: dataset.json has no such number; "
            "did you mean statistics.mask.mean?",
            2,
        ),
        (
            ["objects=choice(8,9)", "target=bytes"],
            "all 3 jobs failed; the first: objects=",
            3,
        ),
    ],
)
def test_optuna_without_any_value(tmp_path: Path, words: list[str], line: str, jobs: int) -> None:
    done = run_optuna(tmp_path / "out", *words, "hydra.sweeper.n_trials=3")
    errors = [text for text in done.stderr.splitlines() if text.startswith("error: ")]
    assert len(errors) == 1
    assert errors[0].startswith(f"error: {line}")
    assert "No trials" not in done.stderr
    assert "Error executing job" not in done.stderr
    assert len(table(tmp_path / "out")) == jobs
    assert done.returncode in (1, 2)


def test_the_target_does_not_change_the_fingerprint(tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ["-m", *SMALL, f"output={out}", "seed=0,1"]
    assert main(words) == 0
    assert main([*words, "target=bytes"]) == 0
    rows = table(out)
    assert [row["status"] for row in rows] == ["nothing left to do"] * 2
    assert [float(row["target:bytes"]) for row in rows] == [int(row["bytes"]) for row in rows]
    assert main([*words, "target=statistics.mask"]) == 1
    assert "did you mean statistics.mask.mean" in table(out)[0]["reason"]
    # The dataset is complete, though.
    assert table(out)[0]["samples"] == "3"


def test_each_job_is_composed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from hydra._internal.config_loader_impl import ConfigLoaderImpl

    composed: list[list[str]] = []
    real = ConfigLoaderImpl.load_sweep_config

    def counted(self: Any, master_config: Any, sweep_overrides: list[str]) -> Any:
        composed.append(sweep_overrides)
        return real(self, master_config, sweep_overrides)

    monkeypatch.setattr(ConfigLoaderImpl, "load_sweep_config", counted)
    # The same job twice: each has a config of its own.
    assert main(["-m", *SMALL, f"output={tmp_path / 'out'}", "seed=0,1,0"]) == 0
    assert len(composed) == 3
    assert len(table(tmp_path / "out")) == 3
    assert ConfigLoaderImpl.load_sweep_config is counted


def test_single_runs_import_no_module_of_sweeps() -> None:
    code = (
        "import sys; from depthmask.cli.main import main; "
        "main(['placement=nosuch']); "
        "print([name for name in sys.modules if re.match('jinja2|depthmask.reports.sweep', name)])"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"import re; {code}"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_the_page_needs_no_other_file(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main(["-m", *SMALL, f"output={out}", "placement=random,grid"]) == 0
    page, sheets = re.subn(
        'data:image/jpeg;base64,[^"]+', "#sheet", (out / "sweep.html").read_text()
    )
    assert sheets == 2
    links = re.findall(r"(?:src|href)=\"(.*?)\"|(?:url|@import)(.*?);", page)
    assert len(links) >= 6
    assert all(link.startswith("#") and not style for link, style in links)
    assert "default-src 'none'" in page
    assert "<script" not in page
