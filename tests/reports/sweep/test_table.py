"""The table as text and as comma-separated values, by hand; and numbers found by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from depthmask.errors import UsageError
from depthmask.reports.sweep.result import (
    JobResult,
    Status,
    collect,
    number_at,
    require_possible,
    write_result,
)
from depthmask.reports.sweep.table import Table

MADE = JobResult(
    0, ("seed=1", "placement=grid", "+preset=pairs"), Status.made, dataset="out/a", samples=1000,
    bytes=4096, made=500, seconds=20.0, values={"statistics.mask.mean": 0.125},
    statistics={"image": {"mean": [0.25, 0.5, 0.75], "std": [0.125, 0.125, 0.5]},
                "mask": {"mean": [0.125], "std": [0.5]}},
)  # fmt: skip
FAILED = JobResult(1, ("seed=1", "placement=random", "~flips"), Status.failed, reason='no "place"')


def test_text() -> None:
    assert Table.of([MADE, FAILED]).as_text().splitlines() == [
        "job  placement  +preset  ~flips  samples  samples_per_s  bytes  image_mean  image_std"
        "  mask_mean  depth_mean  status",
        "  0  grid       pairs    -         1,000             25  4,096       0.500      0.250"
        "      0.125           -  made",
        "  1  random     -        ~             -              -      -           -          -"
        '          -           -  failed: no "place"',
    ]


def test_csv() -> None:
    assert Table.of([MADE, FAILED], ["statistics.mask.mean"]).as_csv().splitlines() == [
        "job,placement,+preset,~flips,samples,samples_per_s,bytes,image_mean,image_std,mask_mean,"
        "depth_mean,target:statistics.mask.mean,status,reason,dataset,overrides",
        "0,grid,pairs,,1000,25.0,4096,0.5,0.25,0.125,,0.125,made,,"
        "out/a,seed=1 placement=grid +preset=pairs",
        '1,random,,~,,,,,,,,,failed,"no ""place""",,seed=1 placement=random ~flips',
    ]


def test_results_are_read_as_written(tmp_path: Path) -> None:
    write_result(tmp_path, FAILED)
    (tmp_path / "sweep.json").write_text("{}")
    (tmp_path / "3.json.77.tmp").write_text("{")
    never = JobResult(0, ("seed=1",), Status.not_started)
    announced = [["seed=1"], ["seed=1", "placement=random", "~flips"]]
    assert collect(tmp_path, announced) == [never, FAILED]
    write_result(tmp_path, MADE)
    assert collect(tmp_path, []) == [MADE, FAILED]


INFO = {
    "samples": 3,
    "split": "train",
    "clip": True,
    "statistics": {"image": {"mean": [0.25, 0.5, 0.75]}, "mask": {"mean": [0.125]}},
}


@pytest.mark.parametrize(
    ("target", "value"),
    [("samples", 3), ("statistics.mask.mean", 0.125), ("statistics.image.mean.2", 0.75)],
)
def test_numbers_by_name(target: str, value: float) -> None:
    assert number_at(INFO, target) == value


@pytest.mark.parametrize(
    ("target", "advice"),
    [
        ("statistics.masks.mean", "did you mean statistics.mask.mean?"),
        ("statistics.mask", "did you mean statistics.mask.mean?"),
        (
            "statistics.image.mean",
            "did you mean statistics.image.mean.0 or statistics.image.mean.1 or "
            "statistics.image.mean.2?",
        ),
        ("samples.0", "did you mean samples?"),
        ("split", "it has samples, statistics.image.mean.0, statistics.image.mean.1, "),
        ("nosuch", "it has samples, statistics.image.mean.0, statistics.image.mean.1, "),
        ("", "it has samples, statistics.image.mean.0, statistics.image.mean.1, "),
    ],
)
def test_targets_that_do_not_exist(target: str, advice: str) -> None:
    with pytest.raises(UsageError) as raised:
        number_at(INFO, target)
    assert str(raised.value).startswith(f"target={target}: dataset.json has no such number; ")
    assert advice in str(raised.value)
    assert len(str(raised.value)) < 200


@pytest.mark.parametrize(
    ("target", "advice"),
    [
        ("statistics.masks.mean", "; did you mean statistics.mask.mean?"),
        ("statistics.image.mean", "; did you mean statistics.image.mean.0 or statistics.image.me"),
        ("added_statistics.sharp.mean", "; did you mean added_statistics.sharpness.mean?"),
        ("quality", "; it has samples, bytes, shards, backgrounds, foregrounds, statistics.image."),
    ],
)
def test_targets_that_no_dataset_has(target: str, advice: str) -> None:
    with pytest.raises(UsageError) as raised:
        require_possible(target, ["sharpness"])
    start = f"target={target}: dataset.json has no such number"
    assert str(raised.value).startswith(start + advice)


def test_targets_that_a_dataset_may_have() -> None:
    for target in ("bytes", "statistics.depth.std", "statistics.image.mean.2", "splits.val.samples",
                   "counts.layers", "added_statistics.sharpness.max"):  # fmt: skip
        require_possible(target, ["sharpness"])


def row(number: int | None, *overrides: str, **settings: str) -> JobResult:
    named = {name.replace("__", "."): value for name, value in settings.items()}
    return JobResult(number, overrides, Status.made, settings=named)


def test_settings_that_differ_between_datasets_have_columns() -> None:
    random = row(0, "seed=1", "+preset=pairs", seed="1", placement="random", placement__jitter="0")
    grid = row(None, "placement=grid", seed="1", placement="grid", placement__rows="3")
    other = row(None, placement="grid", placement__rows="4", seed="1")
    table = Table.of([random, grid, other])
    # A setting of another stage is not another value, and seed is the same in all.
    assert table.varied == ("+preset", "placement", "placement.rows")
    assert [one["placement.rows"] for one in table.rows()] == [None, "3", "4"]
    assert [line.split(",")[0] for line in table.as_csv().splitlines()] == ["job", "0", "", ""]


def test_the_text_leaves_out_what_presets_set() -> None:
    pairs = row(0, "+preset=pairs", depth="none", writer="zip")
    scenes = row(1, "+preset=scenes", depth="layered", writer="npz")
    table = Table.of([pairs, scenes])
    assert table.varied == ("+preset", "depth", "writer")
    assert table.as_text().splitlines()[0].split()[:3] == ["job", "+preset", "samples"]
    # The preset was changed between two sweeps.
    table = Table.of([pairs, row(1, "+preset=pairs", depth="layered", writer="zip")])
    assert table.as_text().splitlines()[0].split()[:3] == ["job", "depth", "samples"]


def test_one_value_in_two_spellings_is_one_value() -> None:
    jobs = [row(0, "fov_deg=60", fov_deg="60.0"), row(1, "+fov_deg=6e1", fov_deg="60.0")]
    assert Table.of(jobs).varied == ()


def test_samples_and_output_have_no_second_column() -> None:
    jobs = [row(0, "samples=3", "output=a"), row(1, "samples=5", "output=b")]
    assert Table.of(jobs).varied == ()
