"""Statistics of plugins: measured in the workers, kept in records, and exact over all shards."""

from __future__ import annotations

import os
import signal
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import depthmask
from depthmask import Sample, Statistic
from depthmask.cli.main import main
from depthmask.reports.dataset.page import report
from depthmask.statistics.added import Values
from depthmask.storage.location import location
from depthmask.storage.publish import read_sealed
from depthmask.storage.verify import verify
from tests.support.plugins import install_module, loaded, run_with_plugins
from tests.support.tiny import sha256s

SAMPLES = 10
ROOMS = [
    "source.rooms=2", "source.furniture=3", "source.oversample=1", "size=[32,40]",
    f"samples={SAMPLES}", "shard_size=4", "encode.image=png",
]  # fmt: skip


def brightness(sample: Sample) -> Values:
    return sample.image.mean()


def depths(sample: Sample) -> Values:
    return None if sample.depth is None else sample.depth[sample.depth > 0]


def statistics() -> list[Statistic]:
    return [
        Statistic("brightness", "Mean level of the image.", brightness, bins=(0, 255, 51)),
        Statistic("depths", "Depth of each pixel.", depths, unit="m"),
    ]


def plugin(*chosen: Statistic) -> AbstractContextManager[Any]:
    return loaded("bright", depthmask_statistics=lambda: chosen or statistics())


def make(out: Path, *more: str) -> dict[str, Any]:
    """Make a dataset; return the statistics that plugins have added to it."""
    words = ["runner.workers=1", "geometry=source", *more, f"output={out}"]
    assert main([*ROOMS, *words]) == 0
    assert verify(out) == []
    return dict(depthmask.open(out).info.get("added_statistics", {}))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("made") / "out"
    with plugin():
        make(out)
    return out


def test_values_are_those_of_the_samples(made: Path) -> None:
    dataset = depthmask.open(made)
    added = dataset.metadata.added_statistics
    levels = np.array([sample.image.mean() for sample in dataset])
    one = added["brightness"]
    assert one["mean"] == pytest.approx(levels.mean(), rel=1e-12)
    assert one["std"] == pytest.approx(levels.std(), rel=1e-9)
    assert (one["min"], one["max"]) == (levels.min(), levels.max())
    assert one["histogram"]["counts"] == np.histogram(levels, 51, (0, 255))[0].tolist()
    assert (one["samples"], one["values"], one["package"]) == (SAMPLES, SAMPLES, "bright")
    assert one["descriptions"] == {"bright 1.2": "Mean level of the image."}
    depth = added["depths"]
    maps = [sample.depth for sample in dataset if sample.depth is not None]
    assert depth["values"] == np.count_nonzero(maps)
    assert depth["mean"] == pytest.approx(dataset.stats["depth"]["mean"][0], abs=1e-3)
    assert "histogram" not in depth


def test_nothing_depends_on_shards_and_splits(made: Path, tmp_path: Path) -> None:
    wanted = depthmask.open(made).metadata.added_statistics
    with plugin():
        assert make(tmp_path / "small", "shard_size=1") == wanted
        assert make(tmp_path / "splits", "shard_size=3", "seed=7") != wanted


def test_without_a_plugin_nothing_is_added(made: Path, tmp_path: Path) -> None:
    assert make(tmp_path / "plain") == {}
    plain = read_sealed(location(tmp_path / "plain" / "dataset.json"))
    whole = read_sealed(location(made / "dataset.json"))
    assert plain is not None
    assert whole is not None
    assert "added_statistics" not in plain
    whole.pop("added_statistics")
    # The cards show the name of the folder.
    assert [file["name"] for file in whole["derived"]] == [one["name"] for one in plain["derived"]]
    plain["derived"] = whole["derived"]
    assert list(whole.items()) == list(plain.items())
    assert "Statistics of plugins" not in report(depthmask.open(tmp_path / "plain"))
    assert sha256s(tmp_path / "plain") == sha256s(made)
    for record in depthmask.open(tmp_path / "plain").records():
        assert list(record.statistics) == ["image", "mask", "depth", "counts"]


def test_a_dataset_that_is_continued_with_the_plugin_says_what_it_covers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert make(out, "samples=4") == {}
    with plugin():
        assert make(out, "samples=4") == {}
        assert make(out)["brightness"]["samples"] == 6
    late = [sample.image.mean() for sample in depthmask.open(out)][4:]
    capsys.readouterr()
    assert main(["stats", str(out)]) == 0
    row = f"brightness  {np.mean(late):>12.5f}{np.std(late):>12.5f}  bright, over 6 samples"
    assert row in capsys.readouterr().out.splitlines()
    assert "<td>6 of 10</td>" in report(depthmask.open(out))
    # And the other way: the short last shard is made anew, the one before stays.
    assert make(out, "samples=12")["brightness"]["samples"] == 4


def test_another_quantity_of_the_same_name_is_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    with plugin():
        make(out, "samples=4")
    with plugin(Statistic("brightness", "In per cent.", brightness, unit="%")):
        assert list(make(out)) == ["depths"]
    assert (
        "note: statistic brightness is left out: shards differ in its package, its unit or its bins"
        in capsys.readouterr().err
    )
    assert "<strong>Statistics left out.</strong>" in report(depthmask.open(out))


def test_a_repaired_shard_is_measured_as_before(made: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with plugin():
        wanted = make(out)
        (out / "shards" / "train-000001.tar").unlink()
        assert main(["verify", str(out), "--repair"]) == 0
        assert depthmask.open(out).metadata.added_statistics == wanted
    # Without the plugin, the shard keeps what was measured.
    (out / "shards" / "train-000001.tar").unlink()
    assert main(["verify", str(out), "--repair"]) == 0
    assert depthmask.open(out).metadata.added_statistics == wanted


def test_convert_copies_or_measures(made: Path, tmp_path: Path) -> None:
    wanted = dict(depthmask.open(made).metadata.added_statistics)
    words = ["runner.workers=1", "writer=zip"]
    assert main(["convert", str(made), *words, f"output={tmp_path / 'copied'}"]) == 0
    assert depthmask.open(tmp_path / "copied").metadata.added_statistics == wanted
    words += ["shard_size=3"]
    assert main(["convert", str(made), *words, f"output={tmp_path / 'other'}"]) == 0
    assert depthmask.open(tmp_path / "other").metadata.added_statistics == {}
    with plugin():
        assert main(["convert", str(made), *words, f"output={tmp_path / 'again'}"]) == 0
    added = depthmask.open(tmp_path / "again").metadata.added_statistics
    # PNG keeps the pixels; depth is rounded to millimetres.
    assert added["brightness"] == wanted["brightness"]
    assert added["depths"]["mean"] == pytest.approx(wanted["depths"]["mean"], abs=1e-3)


def test_annotate_measures_the_new_depth(made: Path, tmp_path: Path) -> None:
    words = ["depth=layered", "geometry=source", "runner.workers=1"]
    assert main(["annotate", str(made), *words, f"output={tmp_path / 'without'}"]) == 0
    assert depthmask.open(tmp_path / "without").metadata.added_statistics == {}
    with plugin():
        assert main(["annotate", str(made), *words, f"output={tmp_path / 'out'}"]) == 0
    assert (
        depthmask.open(tmp_path / "out").metadata.added_statistics
        == depthmask.open(made).metadata.added_statistics
    )


@pytest.mark.parametrize("result", [float("nan"), "much", ZeroDivisionError("no pixels")])
def test_a_statistic_that_fails_is_named_with_its_package_and_sample(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], result: Any
) -> None:
    def measure(sample: Sample) -> Values:
        if sample.index == 5 and isinstance(result, Exception):
            raise result
        return result if sample.index == 5 else None

    with plugin(Statistic("odd", "Odd.", measure)):
        words = ["runner.workers=1", "geometry=none", "depth=none", f"output={tmp_path / 'out'}"]
        assert main([*ROOMS, *words]) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert "1 of the shards could not be made, all others are made: " in error
    assert "sample 5: statistic odd of bright 1.2: " in error


def test_the_report_has_a_table_and_a_chart(made: Path) -> None:
    page = report(depthmask.open(made))
    added = depthmask.open(made).metadata.added_statistics
    table = page.split("<h3>Statistics of plugins</h3>")[1].split("</section>")[0]
    assert ">depths [m]</th>" in table
    assert f"<td>{added['brightness']['mean']:.6g}</td>" in table
    assert '<td class="left">Mean level of the image.</td><td class="left">bright 1.2</td>' in table
    figures = page.split("<figure>")
    (chart,) = [one for one in figures if one.lstrip().startswith("<h3>brightness</h3>")]
    assert "<svg" in chart
    assert "Mean level of the image. Share of 10 values." in chart


def test_a_sweep_can_optimise_it(made: Path) -> None:
    from depthmask.reports.sweep.result import number_at

    info = depthmask.open(made).info
    mean = info["added_statistics"]["brightness"]["mean"]
    assert number_at(info, "added_statistics.brightness.mean") == mean


PLUGIN = """
import depthmask

@depthmask.hookimpl
def depthmask_statistics():
    # A lambda cannot be pickled: workers load statistics by their names.
    return [depthmask.Statistic("red", "Mean red.", lambda one: one.image[..., 0].mean() / 255)]
"""


def test_two_workers_killed_and_resumed(tmp_path: Path) -> None:
    import subprocess
    import sys

    install_module(tmp_path, "reds", PLUGIN)
    words = [
        "depthmask", *ROOMS, "samples=400", "shard_size=10", "geometry=none", "depth=none",
        "runner.workers=2",
    ]  # fmt: skip
    env = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    process = subprocess.Popen(
        [sys.executable, "-m", *words, "output=killed"], cwd=tmp_path, env=env,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    records = tmp_path / "killed" / "records"
    while not (records.is_dir() and len(list(records.glob("*.json"))) > 4):
        assert process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "killed" / "dataset.json").exists()
    for out in ("killed", "whole"):
        done = run_with_plugins(tmp_path, *words, f"output={out}")
        assert done.returncode == 0, done.stderr
    killed, whole = (depthmask.open(tmp_path / out) for out in ("killed", "whole"))
    assert killed.info | {"derived": None} == whole.info | {"derived": None}
    red = whole.metadata.added_statistics["red"]
    assert red["samples"] == 400
    assert red["mean"] == pytest.approx(whole.stats["image"]["mean"][0], rel=1e-12)
