"""`--dry-run` says what a run would make, by a measurement, and writes nothing."""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from depthmask.cli.main import main
from tests.support import tiny

OUT = Path("OUT")
Printed = pytest.CaptureFixture[str]


@pytest.fixture
def assets(tmp_path: Path) -> Path:
    return tiny.make_assets(tmp_path / "assets")


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The working folder, the cache and the temporary files are inside `tmp_path`."""
    (tmp_path / "scratch").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DEPTHMASK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "scratch"))
    monkeypatch.setattr("tempfile.tempdir", None)


def tree(folder: Path) -> dict[str, str]:
    """Every file with its hash and its time, and every folder."""
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest() + str(path.stat().st_mtime_ns)
        if path.is_file()
        else ""
        for path in sorted(folder.rglob("*"))
    }


def dry(tmp_path: Path, *words: str) -> int:
    """Run a command with `--dry-run`, and check that no file changed."""
    before = tree(tmp_path)
    code = main([*words, "--dry-run"])
    assert tree(tmp_path) == before
    return code


def facts(printed: str) -> dict[str, Any]:
    """The facts of `progress=json`."""
    (line,) = [line for line in printed.splitlines() if '"event": "dry-run"' in line]
    return dict(json.loads(line))


def test_it_says_what_would_be_made(assets: Path, tmp_path: Path, capsys: Printed) -> None:
    words = tiny.words(assets, OUT, "samples=40", "shard_size=15", "labels=[coco]", "objects=[1,2]")
    shares = ["split.train=0.5", "split.val=0.5", "placement.min_scale=0.5", "split.alike=0"]
    assert dry(tmp_path, *words, *shares) == 0
    printed = capsys.readouterr()
    assert printed.out == "OUT\n"
    for line in (
        "output    OUT, a new dataset",
        "samples   40 (train 20, val 20)",
        "placement random  ",
        "labels    coco",
        "assets    3 backgrounds, 4 foregrounds",
        "shards    4 to make, of 15 samples at most",
        "nothing was written (--dry-run)",
    ):
        assert line in printed.err
    assert "min_scale=0.5" in printed.err
    assert "objects=[1,2]" in printed.err
    assert re.search(
        r"size      about \d.* kB, .* a full shard, measured on \d+ samples", printed.err
    )
    assert re.search(r"time      about .* with \d workers?, .*/s", printed.err)


@pytest.mark.parametrize("writer", tiny.WRITERS)
def test_size_is_that_of_the_files(
    assets: Path, tmp_path: Path, writer: str, capsys: Printed
) -> None:
    words = tiny.words(assets, OUT, "samples=96", f"writer={writer}", "size=[96,96]")
    assert dry(tmp_path, *words, "progress=json") == 0
    expected = facts(capsys.readouterr().err)["bytes"]
    assert main(words) == 0
    files = (path for path in Path("OUT/shards").rglob("*") if path.is_file())
    size = sum(path.stat().st_size for path in files)
    assert 0.8 * size < expected < 1.2 * size


def test_a_geometry_that_is_measured_stays_out_of_the_cache(
    assets: Path, tmp_path: Path, capsys: Printed
) -> None:
    for path in (assets / "bg_depth").iterdir():
        path.unlink()
    words = [*tiny.words(assets, OUT, "samples=4"), "geometry=fastdepth"]
    assert dry(tmp_path, *words) == 0
    assert "measured on 4 samples" in capsys.readouterr().err
    assert main(words) == 0
    assert list((tmp_path / "cache" / "store" / "depth").rglob("*"))


def test_weights_are_not_downloaded(assets: Path, tmp_path: Path, capsys: Printed) -> None:
    assert dry(tmp_path, *tiny.words(assets, OUT), "depth=densedepth") == 2
    assert (
        "weights=nyu: not downloaded yet, and a dry run writes nothing" in capsys.readouterr().err
    )


def test_a_dataset_that_exists_is_completed_extended_or_refused(
    assets: Path, tmp_path: Path, capsys: Printed
) -> None:
    words = tiny.words(assets, OUT, "shard_size=4")
    assert main([*words, "samples=10"]) == 0
    capsys.readouterr()
    assert dry(tmp_path, *words, "samples=10") == 0
    assert "OUT, which has all samples" in capsys.readouterr().err
    assert dry(tmp_path, *words, "samples=20") == 0
    assert (
        "which would be extended; 8 samples are in full shards, which stay"
        in capsys.readouterr().err
    )
    assert dry(tmp_path, *words, "samples=10", "seed=3") == 2
    assert "OUT holds another dataset" in capsys.readouterr().err
    assert dry(tmp_path, *words, "samples=10", "seed=3", "overwrite=true") == 0
    assert "OUT, whose dataset would be deleted" in capsys.readouterr().err
    os.unlink("OUT/records/train-000001.json")
    assert dry(tmp_path, *words, "samples=10") == 0
    assert "which would be completed; 6 samples are in finished shards" in capsys.readouterr().err


def test_other_commands_accept_it(assets: Path, tmp_path: Path, capsys: Printed) -> None:
    assert main(tiny.words(assets, OUT, "samples=6")) == 0
    capsys.readouterr()
    assert dry(tmp_path, "convert", "OUT", "writer=npz", "output=OUT2") == 0
    printed = capsys.readouterr()
    assert printed.out == "OUT2\n"
    assert "input     OUT" in printed.err
    assert "writer    npz  images=encoded" in printed.err
    assert "placement" not in printed.err
    assert dry(tmp_path, "annotate", "OUT", "depth=fastdepth", "output=OUT2") == 0
    assert "depth     fastdepth  " in capsys.readouterr().err
    assert dry(tmp_path, "prepare", f"source.root={assets}", "output=OUT2") == 0
    assert "with PNG for a canvas of 160x160" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["verify", "stats", "report", "plugins"])
def test_commands_that_make_no_dataset_refuse_it(command: str, capsys: Printed) -> None:
    assert main([command, "OUT", "--dry-run"]) == 2
    assert f"--dry-run: {command} makes no dataset" in capsys.readouterr().err


def test_a_sweep_lists_its_jobs(assets: Path, tmp_path: Path, capsys: Printed) -> None:
    words = tiny.words(assets, OUT, "samples=6", "writer=zip,npz", "objects=1,99")
    assert dry(tmp_path, "-m", *words, "hydra/launcher=basic") == 1
    printed = capsys.readouterr()
    assert printed.out == "OUT\n"
    jobs = [line for line in printed.err.splitlines() if line.startswith("job ")]
    assert len(jobs) == 4
    assert "6 samples to make, about " in jobs[0]
    assert "into OUT/assets-random-layered-zip-" in jobs[0]
    assert "objects=99: the source has 4 foregrounds" in jobs[1]


def test_bad_words_are_refused_as_in_a_run(tmp_path: Path, capsys: Printed) -> None:
    assert dry(tmp_path, "placement=nosuch") == 2
    assert "placement=nosuch" in capsys.readouterr().err


def test_a_stage_that_fails_is_named_with_its_sample(
    assets: Path, tmp_path: Path, capsys: Printed
) -> None:
    words = tiny.words(assets, OUT, "samples=6", "placement.max_overlap=0", "objects=4")
    code = dry(tmp_path, *words, "placement.attempts=1", "placement.min_visible=1")
    printed = capsys.readouterr().err
    assert code == 1
    assert re.match(r"error: sample \d \(.*\): ", printed.splitlines()[-1])
    assert "Traceback" not in printed


def test_the_size_of_a_shard_is_that_of_a_full_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last shard is short: the mean over the shards would be half as much."""
    words = ["samples=10", "shard_size=9", "depth=none", "size=[32,40]", "source.rooms=2"]
    assert main(["--dry-run", *words, f"output={tmp_path / 'out'}"]) == 0
    text = capsys.readouterr().err
    total, shard = re.findall(r"size +about ([\d.]+) kB, ([\d.]+) kB a full shard", text)[0]
    assert float(shard) == pytest.approx(0.9 * float(total), rel=0.02)


def test_it_prints_the_notes_of_a_run(assets: Path, capsys: Printed) -> None:
    (assets / "assets.csv").write_text("key,height_cm\nbox0,12\n")
    assert main([*tiny.words(assets, OUT, "samples=4"), "--dry-run"]) == 0
    note = "note: assets.csv: column 'height_cm' is not used; did you mean 'height_m'?"
    assert note in capsys.readouterr().err.splitlines()
