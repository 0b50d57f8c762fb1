"""Repairs a dataset: makes lost shards again, and publishes those that have the recorded bytes."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from depthmask.engine.display import Display
from depthmask.engine.from_plan import job_from_plan
from depthmask.engine.job import Job
from depthmask.engine.run import run_job
from depthmask.engine.totals import Totals
from depthmask.errors import MOST_LISTED, DepthmaskError
from depthmask.plan.layout import Shard, Shards
from depthmask.reading.dataset import no_dataset
from depthmask.storage.identity import DatasetIdentity, check_output
from depthmask.storage.packages import PIXEL_VERSIONS, other_pixels
from depthmask.storage.path import DRAFTS, StorePath
from depthmask.storage.publish import Draft, read_sealed
from depthmask.storage.record import Record
from depthmask.storage.records import Records
from depthmask.storage.shell import command, path_word
from depthmask.storage.verify import Findings, Problem, inspected

_log = logging.getLogger(__name__)


def findings_in(dataset: StorePath, display: Display) -> Findings:
    """What is wrong with a dataset; raises `UsageError` if there is none at this path."""
    if not (dataset / "plan.json").has_name():
        raise no_dataset(dataset)
    with display.waiting(f"checking the files of {dataset}"):
        return inspected(dataset)


def repair(
    output: StorePath,
    problems: Sequence[Problem],
    display: Display,
    *,
    assets: str | None = None,
) -> list[str]:
    """Make what a dataset lacks, and remove the files that belong to no shard.

    assets: the present `source.root`; None if that of the plan holds. Returns and raises as
    `_make_lost_shards`.
    """
    not_compared = _make_lost_shards(output, display, assets)
    # Only after the run, so that a run that is refused changes nothing.
    for problem in problems:
        if problem.stray is not None:
            problem.stray.unlink(missing_ok=True)
    return not_compared


def of_unknown_shards(output: StorePath, not_compared: Sequence[str]) -> str:
    """What to say about the shards that `repair` could compare with nothing."""
    return (
        f"{output}: complete; {len(not_compared):,} of the shards are new, from "
        f"{not_compared[0]} on: neither their records nor dataset.json were there, so nothing "
        "tells whether their bytes are those of an earlier publication"
    )


def _make_lost_shards(output: StorePath, display: Display, assets: str | None) -> list[str]:
    """Make what a dataset lacks; a shard that was published before keeps its bytes.

    Returns the names of new shards that could be compared with nothing, since neither their record
    nor `dataset.json` was there. Raises `DepthmaskError` for shards that cannot be made as they
    were, once all others are repaired; for a damaged plan; and like `run_job`.
    """
    plan = read_sealed(output / "plan.json")
    if plan is None:
        raise DepthmaskError(
            f"{output}: plan.json is damaged; make the dataset again with overwrite=true"
        )
    job = job_from_plan(plan, output, assets=assets)
    pixels = other_pixels(plan, job.identity.description)
    # Another pixel version alone is no reason to refuse the repair: the bytes are compared.
    recorded = {PIXEL_VERSIONS: plan.get(PIXEL_VERSIONS, {})}
    present = replace(job.identity, description={**job.identity.description, **recorded})
    check_output(output, present, overwrite=False)
    restorer = _Restorer(display, plan, pixels)
    identity = DatasetIdentity.of_plan(plan).continued_by(job.identity)
    run_job(replace(job, identity=identity), display, restorer.restore)
    return restorer.not_compared


@dataclass
class _Restorer:
    """Makes missing shards in a scratch folder, and publishes those that have the recorded bytes.

    plan: the content of `plan.json`. pixels: why the bytes may be others now; None if they should
    be the same. not_compared: the shards that are left to the run.
    """

    display: Display
    plan: dict[str, Any]
    pixels: str | None
    not_compared: list[str] = field(default_factory=list)

    def restore(
        self, job: Job, missing: Shards, totals: Totals, require_lock: Callable[[], None]
    ) -> list[Shard]:
        """Publish the missing shards of which a record or `dataset.json` is left; return these."""
        manifest = self._manifest(job.output)
        lost = {shard.name for shard in missing if _recorded(job, shard) is None}
        if manifest is None:
            self.not_compared = sorted(lost)
            if lost and self.pixels:
                raise self._refusal(job.output, self.not_compared, "no record of them is left")
        shards = [shard for shard in missing if manifest is not None or shard.name not in lost]
        if shards:
            with _scratch_folder(job.output) as scratch:
                comparison = _Comparison(job, scratch, totals, require_lock)
                for shard in self._remake(job, scratch, shards):
                    comparison.compare(shard)
                comparison.compare_lost(manifest)
                refused = comparison.refused
            if refused:
                raise self._refusal(job.output, refused, "they would get other bytes")
        return shards

    def _manifest(self, output: StorePath) -> str | None:
        """The hash over all files in `dataset.json`; None if that is lost."""
        info = read_sealed(output / "dataset.json") or {}
        is_of_plan = info.get("fingerprint") == self.plan.get("fingerprint")
        return str(info.get("manifest_sha256")) if is_of_plan else None

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

    def _refusal(self, output: StorePath, shards: Sequence[str], why: str) -> DepthmaskError:
        cause = self.pixels or "the same plan gives other bytes on this machine"
        hidden = len(shards) - MOST_LISTED
        verify = command("verify", path_word(output))
        more = f" and {hidden:,} more, which `{verify}` lists," if hidden > 0 else ""
        return DepthmaskError(
            f"{output}: {', '.join(shards[:MOST_LISTED])}{more} cannot be made as published, "
            f"{why}: {cause}"
        )


@dataclass
class _Comparison:
    """Compares the shards in the scratch folder with what was published before.

    refused: the names of those with other bytes than were published. lost: those without a record.
    """

    job: Job
    scratch: StorePath
    totals: Totals
    require_lock: Callable[[], None]
    refused: list[str] = field(default_factory=list)
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
            self.refused.append(shard.name)

    def compare_lost(self, manifest: str | None) -> None:
        """Publish the shards without a record if, with them, the files match `dataset.json`."""
        if not self.lost:
            return
        for record in self.lost:
            self.totals.add(record)
        if self.totals.manifest_sha256(self.job.plan.numbering.names) == manifest:
            for record in self.lost:
                self._publish(record)
        else:
            self.refused += [record.shard for record in self.lost]

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
