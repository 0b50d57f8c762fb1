"""Makes one shard, the unit of parallel work. Runners map `make_shard` over shards."""

from __future__ import annotations

from depthmask.engine.job import Job, Progress
from depthmask.errors import DepthmaskError, ShardError, in_one_line
from depthmask.plan.layout import Shard
from depthmask.storage.publish import Draft, disk_error, full_disk_as_os_error
from depthmask.storage.record import Record, as_byte_ranges
from depthmask.storage.records import Records


def make_shard(job: Job, shard: Shard, progress: Progress) -> Record:
    """Make, write and publish one shard; returns its record.

    Raises `DepthmaskError`; if a stage failed, the error names the sample and its assets.
    """
    log = job.shard_log(progress)
    progress.at(job.plan.indices(shard)[0])
    samples = job.encoded(shard, log)
    try:
        with Draft(job.output, shard.name) as draft:
            with full_disk_as_os_error(draft.folder, len(shard) * job.sample_bytes):
                members = job.root.writer.write(draft.folder, shard.name, len(shard), samples)
            log.lap("write")
            files = draft.publish()
            log.lap("publish")
        record = Record(
            shard=shard.name,
            split=shard.split,
            lineage=job.identity.lineage,
            start=shard.start,
            stop=shard.stop,
            files=files,
            members={name: as_byte_ranges(ranges) for name, ranges in members.items()},
            statistics=log.statistics.as_sums(),
            seconds=dict(log.lap.seconds),
        )
        Records(job.output).write(record)
    except DepthmaskError:
        raise
    except OSError as error:
        raise disk_error(error, job.output) from error
    except Exception as error:
        sample = job.named(progress.begun)
        raise ShardError(f"{shard.name}: {sample}: {in_one_line(error)}") from error
    return record
