"""Is what lies on the disk what was published? By content, never by a file's presence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from depthmask.concurrency import cores, parallel_map
from depthmask.errors import DepthmaskError
from depthmask.plan.layout import Shard
from depthmask.storage.choice import store_of
from depthmask.storage.dataset_info import DatasetInfo, Manifest
from depthmask.storage.identity import DatasetIdentity
from depthmask.storage.location import Location
from depthmask.storage.publish import read_sealed
from depthmask.storage.record import Record, ShardFile, record_path
from depthmask.untrusted import untrusted


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is not as published.

    shard: its name, None for the dataset as a whole. stray: a file that belongs to no shard.
    """

    shard: str | None
    text: str
    stray: Location | None = None

    def __str__(self) -> str:
        return f"{self.shard}: {self.text}" if self.shard else self.text


def read_record(output: Location, shard: str) -> Record | None:
    """The record of a shard; None if it is absent, cut, changed, or of another shard."""
    data = read_sealed(record_path(output, shard))
    try:
        record = Record.from_json(data) if data is not None else None
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    return record if record is not None and record.shard == shard else None


def intact_records(output: Location, shards: Iterable[Shard], lineage: str) -> Iterator[Record]:
    """The records of those shards that are whole: by content, as far as their store vouches for it.

    lineage: of the dataset that the shards have to be of.
    """
    for record in parallel_map(
        _hashing(output), lambda shard: _whole(output, shard, lineage), shards
    ):
        if record is not None:
            yield record


def verify(output: Location) -> list[Problem]:
    """Everything that is wrong with a dataset; an empty list if it is as it was published."""
    summary, plan = read_sealed(output / "dataset.json"), read_sealed(output / "plan.json")
    problems = [
        Problem(None, f"{name} is missing or damaged")
        for name, data in (("dataset.json", summary), ("plan.json", plan))
        if data is None
    ]
    if summary is None or plan is None:
        return problems
    try:
        info = _plausible_info(output, summary)
    except DepthmaskError as error:
        return [Problem(None, str(error))]
    claim = DatasetIdentity({key: plan[key] for key in plan if key != "fingerprint"})
    try:
        with untrusted("plan.json"):
            fingerprint, lineage = claim.fingerprint, claim.lineage
    except DepthmaskError as error:
        return [Problem(None, str(error))]
    if not fingerprint == plan.get("fingerprint") == info.fingerprint:
        problems.append(Problem(None, "plan.json and dataset.json belong to different datasets"))
    manifest, known, unknown = Manifest(), set[Location](), set[str]()
    for look in parallel_map(
        _hashing(output), lambda name: _look(output, name, lineage), info.shard_names()
    ):
        problems += [Problem(look.shard, text) for text in look.problems]
        known.add(record_path(output, look.shard))
        known.update(output / "shards" / file.name for file in look.files)
        manifest.add(look.files)
        if not look.files:
            unknown.add(look.shard)
    if not unknown and manifest.sha256 != info.manifest_sha256:
        problems.append(Problem(None, "the records are not those that dataset.json was made from"))
    problems += [
        Problem(None, f"{name}: belongs to no shard", stray=output / name)
        for name in _strays(output, known, unknown)
    ]
    return problems


class _Look(NamedTuple):
    """What became of a shard; files: those of its record, none if there is no record."""

    shard: str
    files: tuple[ShardFile, ...]
    problems: list[str]


def _look(output: Location, shard: str, lineage: str) -> _Look:
    record = read_record(output, shard)
    if record is None:
        return _Look(shard, (), ["its record is missing or damaged"])
    foreign = [] if record.lineage == lineage else ["its record is of another dataset"]
    return _Look(shard, record.files, foreign + file_problems(output, record))


def _hashing(output: Location) -> int:
    """How many files to hash at once: hashlib gives the GIL away, two cores hash some 3 GB/s."""
    return max(cores(), store_of(output).readers)


def _plausible_info(output: Location, data: dict[str, Any]) -> DatasetInfo:
    """The content of `dataset.json`; DepthmaskError if no run can have written it.

    Whoever wrote it may have sealed it correctly.
    """
    with untrusted("dataset.json"):
        info = DatasetInfo.from_json(data)
    records = sum(1 for _ in (output / "records").glob("*"))
    if info.shards > 2 * records + 100_000:
        raise DepthmaskError(
            f"dataset.json lists {info.shards:,} shards, but only {records:,} have records"
        )
    return info


def _whole(output: Location, shard: Shard, lineage: str) -> Record | None:
    record = read_record(output, shard.name)
    if record is None or record.lineage != lineage:
        return None
    if (record.start, record.stop) != (shard.start, shard.stop):
        return None
    store, shards = store_of(output), output / "shards"
    return record if all(store.stands(shards, file) for file in record.files) else None


def file_problems(output: Location, record: Record) -> list[str]:
    """What is wrong with the files of a shard, every byte of them hashed."""
    store, shards = store_of(output), output / "shards"
    found = ((file.name, store.difference(shards, file)) for file in record.files)
    return [f"{name} {difference}" for name, difference in found if difference]


def _strays(output: Location, known: set[Location], unknown: set[str]) -> list[str]:
    """Files among shards and records that no shard accounts for.

    unknown: shards without a record. Nobody knows what their files are; by their name they are
    theirs.
    """
    return sorted(
        f"{folder}/{name}"
        for folder in ("shards", "records")
        for name in store_of(output).files(output / folder)
        if output / folder / name not in known
        and name.partition("/")[0].partition(".")[0] not in unknown
    )
