"""Sweeps: a dataset for each job, what went wrong with which, and what is left of it all."""

from __future__ import annotations

import csv
import json
import math
import os
import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir

import depthmask
import depthmask.engine.run
from depthmask.cli import sweep
from depthmask.cli.main import main
from depthmask.config.presets.folders import config_folder
from depthmask.storage.location import location

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
    assert main([*words[:-1], "seed=0,1,2"]) == 0
    status = [row["status"] for row in table(out)]
    assert status == ["nothing left to do", "nothing left to do", "made"]
    assert [row["dataset"] for row in table(out)][:2] == made
    assert [row["samples_per_s"] for row in table(out)][:2] == ["", ""]
    assert capsys.readouterr().err.count("nothing left to do") == 4
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


def test_a_shorter_sweep_shows_its_own_jobs_alone(tmp_path: Path) -> None:
    for words in (["seed=0,1,2"], ["seed=2,3"]):
        assert main(["-m", *SMALL, f"output={tmp_path / 'out'}", *words]) == 0
    assert [row["seed"] for row in table(tmp_path / "out")] == ["2", "3"]


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
    real, calls = depthmask.engine.run.run, []

    def interrupted(*args: Any, **more: Any) -> Any:
        calls.append(args)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*args, **more)

    monkeypatch.setattr(sweep, "run", interrupted)
    out = tmp_path / "out"
    words = ["-m", *SMALL, f"output={out}", "seed=0,1,2"]
    assert main(words) == 130
    assert [row["status"] for row in table(out)] == ["made", "did not finish", "did not finish"]
    assert [row["seed"] for row in table(out)] == ["0", "1", "2"]
    assert "interrupted; run the same command again to resume" in capsys.readouterr().err
    monkeypatch.undo()
    assert main(words) == 0
    assert [row["status"] for row in table(out)] == ["nothing left to do", "made", "made"]


def test_a_path_with_odd_characters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = tmp_path / "it's a \\ path, $x{y}\\"
    odd.mkdir()
    monkeypatch.chdir(odd)
    assert main(["-m", *SMALL, "seed=0,1", "output=here"]) == 0
    assert len(table(odd / "here")) == 2
    assert main(["-m", *SMALL, "seed=0,1", f'output="{odd}"']) == 2
    assert main(["-m", *SMALL, "seed=0,1", f'output="{odd}/there"']) == 0
    assert len(table(odd / "there")) == 2


@pytest.mark.parametrize(
    "text",
    ["plain/a b", "it's", "a\\", "\\'", "${x}", "\\${x}", "\\\\${x}'\\", '"${{', "a, b=[1]", "ü"],
)
def test_quoted_paths_are_parsed_to_the_same_text(text: str) -> None:
    with initialize_config_dir(str(config_folder()), version_base="1.3"):
        config = compose("config", [f"hydra.sweep.dir={sweep._quoted(text)}"], True)
    assert config.hydra.sweep.dir == text


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


def test_optuna_optimises_a_number_of_the_datasets(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("hydra_plugins.hydra_optuna_sweeper")
    out = tmp_path / "out"
    words = ["-m", *SMALL, "hydra/sweeper=optuna", "placement.min_scale=choice(0.2,0.9,3)",
             "hydra.sweeper.sampler.seed=3", "hydra.sweeper.n_trials=6",
             "hydra.sweeper.direction=maximize"]  # fmt: skip
    assert main([*words, f"output={out}"]) == 2
    assert "to optimise; give target=NAME" in capsys.readouterr().err
    assert not out.exists()
    # 3 is beyond max_scale: that trial fails, and the others go on. In a process of its own, as
    # optuna's import warns of SQLAlchemy.
    command = [sys.executable, "-m", "depthmask", *words]
    done = subprocess.run([*command, f"output={out}", "target=statistics.mask.mean"], check=False)
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


def test_the_target_does_not_change_the_fingerprint(tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ["-m", *SMALL, f"output={out}", "seed=0,1"]
    assert main(words) == 0
    assert main([*words, "target=bytes"]) == 0
    rows = table(out)
    assert [row["status"] for row in rows] == ["nothing left to do"] * 2
    assert [float(row["target:bytes"]) for row in rows] == [int(row["bytes"]) for row in rows]
    assert main([*words, "target=statistics.mask"]) == 1
    assert "available: " in table(out)[0]["reason"]
    assert "statistics.mask.mean" in table(out)[0]["reason"]


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
