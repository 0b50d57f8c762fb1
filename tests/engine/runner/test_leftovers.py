"""Workers that died while others went on leave nothing that `verify` would wonder about."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from depthmask.cli.screen import Screen
from depthmask.config.root import ProgressStyle
from depthmask.engine.job import Job
from depthmask.engine.run import run
from depthmask.engine.runner.local import Local
from depthmask.plan.layout import Shard
from depthmask.stage import stage
from depthmask.storage.record import Record
from depthmask.storage.verify import verify
from depthmask.testing.job import small_job


@stage("messy")
class Messy(Local):
    """As a worker leaves things that is killed in the middle of a record."""

    def run(
        self, job: Job, shards: Collection[Shard], made: Callable[[int], None]
    ) -> Iterator[Record]:
        output = Path(str(job.output))
        (output / ".drafts" / "train-000000.1").mkdir(parents=True)
        (output / "records" / "train-000000.json.1.tmp").write_bytes(b'{"checksum":')
        return super().run(job, shards, made)


def test_leftovers_of_a_dead_worker_are_removed_at_the_end(tmp_path: Path) -> None:
    job = small_job(tmp_path / "other", runner=Messy(workers=1))
    job.root.output = str(tmp_path / "out")
    with Screen(ProgressStyle.none) as screen:
        run(job.root, screen)
    assert list(verify(tmp_path / "out")) == []
    assert not (tmp_path / "out" / ".drafts").exists()
