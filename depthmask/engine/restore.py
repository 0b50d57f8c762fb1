"""Makes damaged shards once more, and publishes those that have the recorded bytes."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from depthmask.engine.derived import published_info, renew_same
from depthmask.engine.display import Display
from depthmask.engine.environment import OTHER_MACHINE, other_environment
from depthmask.engine.job import Job
from depthmask.engine.totals import Totals
from depthmask.errors import MOST_LISTED, DepthmaskError
from depthmask.plan.layout import Shard, Shards
from depthmask.reading.dataset import MovedShard
from depthmask.storage.dataset_info import DatasetInfo
from depthmask.storage.path import DRAFTS, StorePath
from depthmask.storage.publish import Draft
from depthmask.storage.record import Record
from depthmask.storage.records import Records
from depthmask.storage.shell import command, path_word

_log = logging.getLogger(__name__)


@dataclass
class Restorer:
    """Makes missing shards in a scratch folder, and publishes those that have the recorded bytes.

    pixels: how the pixel versions differ, in words; None if they do not.
    """

    display: Display
    pixels: str | None = None

    def provable(self, job: Job, missing: Shards) -> list[Shard]:
        """The missing shards of which a record or `dataset.json` tells the bytes."""
        if published_info(job) is not None:
            return list(missing)
        # The folder is listed once: of an unfinished dataset, most missing shards have no record.
        with_record = Records(job.output).shards(job.plan)
        return [shard for shard in with_record if shard in missing and _recorded(job, shard)]

    def restore(
        self, job: Job, shards: Sequence[Shard], totals: Totals, require_lock: Callable[[], None]
    ) -> None:
        """Publish these shards, with the recorded bytes; adds their records to the totals.

        Raises `DepthmaskError` if some have other bytes now, once all others are published, and
        the derived files that can be made.
        """
        info = published_info(job)
        with _scratch_folder(job.output) as scratch:
            comparison = _Comparison(job, scratch, totals, require_lock)
            for shard in self._remake(job, scratch, shards):
                comparison.compare(shard)
            comparison.compare_lost("" if info is None else info.manifest_sha256)
            if not comparison.refused:
                return
            if info is not None:
                self._renew(job, info, comparison)
            names = [shard.name for shard in shards if shard.name in comparison.refused]
        raise self.refusal(job, names)

    def _renew(self, job: Job, info: DatasetInfo, comparison: _Comparison) -> None:
        """Repair the derived files that have the published bytes with the refused shards, too."""
        scratch, refused = comparison.scratch, comparison.refused
        moved = {name: MovedShard(scratch, record) for name, record in refused.items()}
        try:
            renew_same(job, comparison.totals, info, moved)
        except DepthmaskError as error:
            _log.warning("the files about the dataset stay as they are: %s", error)

    def _remake(self, job: Job, scratch: StorePath, shards: Sequence[Shard]) -> Iterator[Shard]:
        """Make the shards in the scratch folder; yield each once it is there."""
        by_name = {shard.name: shard for shard in shards}
        job.before_shards(self.display, shards)
        with self.display.bar("samples", sum(map(len, shards)), "samples") as advance:
            for record in job.root.runner.run(replace(job, output=scratch), shards, advance):
                # A runner may yield a record twice, or not at all.
                if record.shard in by_name:
                    yield by_name.pop(record.shard)
        yield from by_name.values()

    def refusal(self, job: Job, shards: Sequence[str], why: str = "") -> DepthmaskError:
        """The error for shards that are not published; why: what is added to the cause."""
        hidden = len(shards) - MOST_LISTED
        verify = command("verify", path_word(job.output))
        more = f" and {hidden:,} more, which `{verify}` lists," if hidden > 0 else ""
        cause = self.pixels or other_environment(job) or OTHER_MACHINE
        cause = f"{why}: {cause}" if why else cause
        stays = "it stays" if len(shards) == 1 else "they stay"
        return DepthmaskError(
            f"{job.output}: {', '.join(shards[:MOST_LISTED])}{more} cannot be made again to the "
            f"same bytes on this machine ({cause}); {stays} named as damaged"
        )


@dataclass
class _Comparison:
    """Compares the shards in the scratch folder with what was published before.

    refused: those with other bytes than were published, by name, as they were made now. lost: those
    without a record.
    """

    job: Job
    scratch: StorePath
    totals: Totals
    require_lock: Callable[[], None]
    refused: dict[str, Record] = field(default_factory=dict)
    lost: list[Record] = field(default_factory=list)

    def compare(self, shard: Shard) -> None:
        """Publish a shard if its bytes are those of its record."""
        record, recorded = Records(self.scratch).require(shard.name), _recorded(self.job, shard)
        if recorded is None:
            self.lost.append(record)
            return
        self.totals.add(recorded)
        if _hashes(record) == _hashes(recorded):
            self._publish(recorded)
        else:
            self.refused[shard.name] = record

    def compare_lost(self, manifest: str) -> None:
        """Publish the shards without a record if, with them, the files match `dataset.json`."""
        if not self.lost:
            return
        for record in self.lost:
            self.totals.add(record)
        if self.totals.manifest_sha256(self.job.plan.numbering.names) == manifest:
            for record in self.lost:
                self._publish(record)
        else:
            self.refused |= {record.shard: record for record in self.lost}

    def _publish(self, record: Record) -> None:
        """Move the files of a shard from the scratch folder into the dataset; write its record."""
        shards = self.scratch / "shards"
        with Draft(self.job.output, record.shard) as draft:
            for file in record.files:
                path = draft.folder / file.name
                path.parent.mkdir(parents=True, exist_ok=True)
                with shards.stream_shard_file(file) as content, path.open("wb") as copy:
                    shutil.copyfileobj(content, copy)
                (shards / file.name).unlink()
            self.require_lock()
            files = draft.publish()
        Records(self.job.output).write(replace(record, files=files))
        _log.info("%s: samples %d..%d", record.shard, record.start, record.stop - 1)


@contextmanager
def _scratch_folder(output: StorePath) -> Iterator[StorePath]:
    """Give an empty folder for shards and records, inside the dataset: all workers can reach it."""
    scratch = output / DRAFTS / "repair"
    _remove(scratch)
    (scratch / "records").make_folder()
    try:
        yield scratch
    finally:
        _remove(scratch)


def _remove(folder: StorePath) -> None:
    if folder.exists():
        folder.remove()


def _recorded(job: Job, shard: Shard) -> Record | None:
    """The record of a shard; None if it is lost, or is of another dataset."""
    record = Records(job.output).read(shard.name)
    if record is None or record.lineage != job.identity.lineage:
        return None
    return record if (record.start, record.stop) == (shard.start, shard.stop) else None


def _hashes(record: Record) -> list[tuple[str, str]]:
    return [(file.name, file.sha256) for file in record.files]
