"""The requirements on a runner."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from depthmask.engine.job import Progress
from depthmask.engine.runner.base import Runner
from depthmask.engine.shard import make_shard
from depthmask.errors import DepthmaskError
from depthmask.storage.record import Record
from depthmask.storage.records import Records
from depthmask.testing.base import StageSuite
from depthmask.testing.job import SAMPLES, Failing, small_job


class RunnerSuite(StageSuite):
    """A runner makes every shard once, with the same bytes as a single process."""

    stage_class: ClassVar[type[Runner]]

    def test_makes_every_shard_once(self, stage: Any, tmp_path: Path) -> None:
        """Files are the same as in a single process, and all samples are counted."""
        job = small_job(tmp_path / "out", runner=stage)
        made: list[int] = []
        records = list(stage.run(job, job.plan.shards(), made.append))
        alone = small_job(tmp_path / "alone")
        expected = [make_shard(alone, shard, Progress()) for shard in alone.plan.shards()]
        assert _files(records) == _files(expected)
        assert sum(made) == SAMPLES

    def test_makes_what_it_is_given(self, stage: Any, tmp_path: Path) -> None:
        """Only the given shards are made, as when a run resumes."""
        job = small_job(tmp_path / "out", runner=stage)
        some = list(job.plan.shards())[1:3]
        records = list(stage.run(job, some, lambda samples: None))
        assert sorted(one.shard for one in records) == sorted(one.name for one in some)

    def test_a_failing_sample_is_named_and_the_others_stand(
        self, stage: Any, tmp_path: Path
    ) -> None:
        """The error names the sample, and the other shards are made."""
        job = small_job(tmp_path / "out", runner=stage, placement=Failing(sample=3))
        records: list[Record] = []
        with pytest.raises(DepthmaskError, match=r"sample 3 .*a mistake in a stage"):
            records.extend(stage.run(job, job.plan.shards(), lambda samples: None))
        assert sorted(one.start for one in records) == [0, 4, 6]

    def test_ends_what_it_has_begun(self, stage: Any, tmp_path: Path) -> None:
        """When the run stops, no process is left and every shard with a record is intact."""
        job = small_job(tmp_path / "out", runner=stage)
        records = stage.run(job, job.plan.shards(), lambda samples: None)
        next(records)
        records.close()
        assert multiprocessing.active_children() == []
        records_of_job = Records(job.output)
        names = [shard.name for shard in records_of_job.shards(job.plan)]
        assert names
        intact = records_of_job.intact(job.plan, job.identity.lineage)
        assert [one.shard for one in intact] == names


def _files(records: Iterable[Record]) -> dict[str, Any]:
    return {one.shard: (one.start, one.stop, one.files) for one in records}
