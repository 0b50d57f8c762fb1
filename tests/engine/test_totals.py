"""The totals of a dataset: each shard counts once, in whatever order the records come."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from depthmask.engine import totals as totals_module
from depthmask.engine.display import Silent
from depthmask.engine.job import Job, Progress
from depthmask.engine.run import run
from depthmask.engine.runner.base import Runner
from depthmask.engine.shard import make_shard
from depthmask.engine.totals import Totals
from depthmask.plan.layout import Shard, shard_name
from depthmask.stage import stage
from depthmask.statistics.pixels import Statistics
from depthmask.storage.dataset_info import manifest_hash
from depthmask.storage.location import location
from depthmask.storage.publish import require_sealed
from depthmask.storage.record import Record, ShardFile
from depthmask.testing.job import small_job

FILES = 3
SPLITS = ("train", "val")


def record(number: int, split: str = "train") -> Record:
    """A shard of three files with hashes of their own."""
    name = shard_name(split, number)
    files = tuple(
        ShardFile(f"{name}/{one}.png", number + 1, f"{number:032x}{one:032x}")
        for one in range(FILES)
    )
    sums = Statistics()
    sums.add_depth(np.full((2, 2), 1 + number, np.float32))
    return Record(name, split, "ab", number, number + 1, files, {}, sums.as_sums(), {})


@pytest.mark.parametrize("in_memory", [1, 500, 1 << 20])
def test_any_order_and_any_memory(in_memory: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The manifest is that of the shards in order, also where its lines are in a file."""
    monkeypatch.setattr(totals_module, "_IN_MEMORY", in_memory)
    records = [record(number, split) for split in SPLITS for number in range(10)]
    shuffled = random.Random(3).sample(records, len(records))
    with closing(Totals()) as totals:
        for one in shuffled[:15]:
            totals.add(one)
        some = sorted(shuffled[:15], key=lambda one: (one.split != "train", one.shard))
        assert totals.manifest_sha256(SPLITS) == manifest_hash(some)
        # What comes after a look at the manifest goes behind the lines before.
        for one in shuffled[15:]:
            totals.add(one)
        names = [one.shard for one in records]
        assert totals.manifest_sha256(SPLITS) == manifest_hash(records)
        assert len(totals) == len(records)
        assert "train-000003" in totals
        assert "train-000010" not in totals
        assert "val-000099" not in totals
        assert totals.bytes == sum(one.bytes for one in records)
        assert totals.files(names) == tuple(file for one in records for file in one.files)
        assert totals.suffix == "png"
        assert totals.statistics.depth.count == 4 * len(records)


def test_many_files_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(totals_module, "MOST_LISTED_FILES", 2 * FILES)
    with closing(Totals(kept={"train-000002"})) as totals:
        for number in range(2):
            totals.add(record(number))
        names = ["train-000000", "train-000001"]
        assert len(totals.files(names) or ()) == 2 * FILES
        totals.add(record(2))
        assert totals.files([*names, "train-000002"]) is None
        assert totals.suffix == "png"
        assert list(totals.records) == ["train-000002"]


def test_a_record_counts_once() -> None:
    with closing(Totals()) as totals:
        totals.add(record(4))
        totals.add(record(4))
        assert totals.bytes == 5 * FILES
        assert totals.statistics.depth.count == 4
        assert totals.manifest_sha256(SPLITS) == manifest_hash([record(4)])


def _twice(records: Iterator[Record]) -> Iterator[Record]:
    return itertools.chain.from_iterable((one, one) for one in records)


def _none(records: Iterator[Record]) -> Iterator[Record]:
    return iter([one for one in records if one.shard == ""])


@stage("odd")
class Odd(Runner):
    """Makes every shard, and yields the records as a careless plugin might."""

    def run(
        self, job: Job, shards: Collection[Shard], made: Callable[[int], None]
    ) -> Iterator[Record]:
        return self.yields(make_shard(job, shard, Progress(made)) for shard in shards)

    yields: Any = staticmethod(_twice)


@pytest.mark.parametrize("yields", [_twice, _none])
def test_runners_that_yield_records_twice_or_not_at_all(
    yields: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`dataset.json` is about what is published, as it was when the records were read again."""
    monkeypatch.setattr(Odd, "yields", staticmethod(yields))
    for name, stages in (("plain", {}), ("odd", {"runner": Odd()})):
        run(small_job(tmp_path / name / "out", **stages).root, Silent())
    plain, odd = (
        require_sealed(location(tmp_path / name / "out/dataset.json")) for name in ("plain", "odd")
    )
    assert odd == plain
