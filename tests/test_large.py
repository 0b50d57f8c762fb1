"""A plan of a billion samples costs nothing at its start, and no shard outgrows its archive."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection
from pathlib import Path

import pytest

from depthmask.cli.main import main
from depthmask.codec.sample import Encode, SizeEstimate
from depthmask.codec.zip import LARGEST
from depthmask.data import Sample
from depthmask.errors import DepthmaskError, SettingError
from depthmask.plan.plan import Plan, Sampling, SplitAssets
from depthmask.plan.shares import MILLION
from depthmask.stages.writer.base import Writer, check_shard_size
from depthmask.stages.writer.folder import Folder
from depthmask.stages.writer.npz import Images, Npz
from depthmask.stages.writer.webdataset import WebDataset
from depthmask.stages.writer.zip import Zip

BILLION = 10**9
# The disk of a tester has no room for a billion samples, and a run says so before it starts; peak
# memory is asked for at the very end, by whatever way the run ends (`ru_maxrss` would be that of
# the tests, if they had more before the run began).
RUN = """
import atexit, re, shutil, sys, types
shutil.disk_usage = lambda path: types.SimpleNamespace(free=10**18)
peak = lambda: re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]
atexit.register(lambda: print(int(peak()) * 1024))
from depthmask.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def words(assets_root: Path, out: Path, samples: int) -> list[str]:
    return ["source=assets", f"source.root={assets_root}", f"output={out}", f"samples={samples}",
            "size=[24,32]", "shard_size=100", "+preset=pairs", "runner.workers=1"]  # fmt: skip


def start(assets_root: Path, out: Path, samples: int) -> tuple[float, int]:
    """Run until three more shards are there; CPU seconds to its first line, and peak bytes."""
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, *words(assets_root, out, samples)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    read = process.stderr.readline
    while not re.match(r"[\d,]+ samples|making finished samples once more", line := read()):
        assert line, "the run ended at once"
    # Not by the clock, which tells how busy the machine is.
    times = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    seconds = sum(map(int, times)) / os.sysconf("SC_CLK_TCK")
    records = out / "records"
    before = len(list(records.glob("*.json")))
    while len(list(records.glob("*.json"))) < before + 3:
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    stdout, _ = process.communicate(timeout=60)
    assert process.returncode == 143
    return seconds, int(stdout)


def starts(assets_root: Path, out: Path, samples: int) -> list[float]:
    """CPU seconds of a first start, and of one that resumes."""
    costs = []
    for _ in range(2):
        seconds, peak = start(assets_root, out, samples)
        assert peak < 300e6
        costs.append(seconds)
    return costs


@pytest.mark.usefixtures("no_coverage")
def test_a_billion_samples(assets_root: Path, tmp_path: Path) -> None:
    costs = []
    # Other work beside makes one start twice as dear as another: the least of three counts.
    for number in range(3):
        few = starts(assets_root, tmp_path / f"few{number}", 40_000)
        many = starts(assets_root, tmp_path / f"many{number}", BILLION)
        costs.append([much / little for much, little in zip(many, few, strict=True)])
        if all(min(ratios) < 1.5 for ratios in zip(*costs, strict=True)):
            break
    else:
        pytest.fail(f"first starts and resumed ones cost so many times those of 40,000: {costs}")
    out = tmp_path / "many0"
    assert main(["render", str(out), "--index", str(BILLION - 1), "--into", str(tmp_path)]) == 0
    assert (tmp_path / "999999999.jpg").is_file()
    assert main(["render", str(out), "--index", str(BILLION)]) == 2


def plan(samples: int = 10**12, shard_size: int = 1000) -> Plan:
    return Plan(
        seed=0, samples=samples, shard_size=shard_size, sampling=Sampling.random, objects=(1, 1),
        flips=True, repeats=1, splits=(SplitAssets("train", MILLION, ("b",), ("f",)),),
    )  # fmt: skip


def test_shards_are_made_as_they_are_asked_for() -> None:
    shards = plan().shards(done=[plan().shard(number) for number in (0, 2, 10**9 - 1)])
    assert len(shards) == 10**9 - 3
    assert shards.samples == 10**12 - 3000
    everything: Collection[object] = shards
    assert "train-000005" not in everything
    first = iter(shards)
    assert [next(first).number for _ in range(3)] == [1, 3, 4]
    assert plan().shard(5) in shards
    assert plan().shard(2) not in shards
    assert plan().shard(10**9) not in shards
    assert plan(shard_size=7).shard(5) not in shards


def test_all_shards_of_a_small_plan() -> None:
    shards = plan(samples=25, shard_size=10).shards()
    assert [(one.start, one.stop) for one in shards] == [(0, 10), (10, 20), (20, 25)]
    assert (len(shards), shards.samples) == (3, 25)
    assert plan(samples=25, shard_size=10).shards([plan(25, 10).shard(2)]).samples == 20


EXPECTED = Encode().expected((160, 160), (160, 160))


@pytest.mark.parametrize(
    ("writer", "expected", "most"),
    [
        (Zip(), EXPECTED, 65_534 // 4),
        (Zip(), SizeEstimate(4, 20_000_000, {}), 107),
        (Npz(), EXPECTED, LARGEST // (160 * 160 * 4 + 1)),
        (Npz(images=Images.raw), EXPECTED, LARGEST // (160 * 160 * 8 + 1)),
        (Npz(), SizeEstimate(4, 20_000_000, {}), 107),
        (Zip(), SizeEstimate(4, 2**32, {}), 0),
    ],
)
def test_a_shard_that_would_be_too_large(writer: Writer, expected: SizeEstimate, most: int) -> None:
    assert writer.most_samples(expected) == most
    if most:
        check_shard_size(writer, expected, plan(shard_size=most))
        # The setting may be larger than what there is.
        check_shard_size(writer, expected, plan(samples=most, shard_size=10**6))
    fits = f"shard_size={most} fits" if most else "writer=webdataset fits"
    with pytest.raises(SettingError, match=fits):
        check_shard_size(writer, expected, plan(shard_size=most + 1))


@pytest.mark.parametrize("writer", [WebDataset(), Folder()])
def test_writers_without_a_limit(writer: Writer) -> None:
    check_shard_size(writer, EXPECTED, plan(shard_size=10**9))


def test_noisier_than_expected(
    make_sample: Callable[..., Sample], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("depthmask.codec.zip.LARGEST", 20_000)
    samples = (Encode().encode(make_sample(number)) for number in range(100))
    with pytest.raises(DepthmaskError, match=r"4 GiB .*choose a smaller shard_size: shard_size=\d"):
        Zip().write(tmp_path, "train-000000", 100, samples)


def test_it_is_said_before_anything_is_written(
    assets_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    rest = [word for word in words(assets_root, out, BILLION) if not word.startswith("shard_size")]
    assert main([*rest, "writer=zip", "shard_size=40000"]) == 2
    line = "shard_size=40000: writer=zip holds 21,844 such samples in a file; shard_size=21844 fits"
    assert line in capsys.readouterr().err
    assert not out.exists()
