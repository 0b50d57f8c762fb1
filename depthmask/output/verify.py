"""Is what lies on the disk what was published? By content, never by a file's presence."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from depthmask.errors import DepthmaskError
from depthmask.formats.untrusted import untrusted
from depthmask.machine import cores
from depthmask.output.guard import Claim
from depthmask.output.publish import read_sealed
from depthmask.output.record import Record, ShardFile, record_path
from depthmask.output.summary import check_summary, manifest_hash
from depthmask.plan import Shard


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is not as published.

    shard: its name, None for the dataset as a whole. stray: a file that belongs to no shard.
    """

    shard: str | None
    text: str
    stray: Path | None = None

    def __str__(self) -> str:
        return f"{self.shard}: {self.text}" if self.shard else self.text


def read_record(output: Path, shard: str) -> Record | None:
    """The record of a shard; None if it is absent, cut, changed, or of another shard."""
    data = read_sealed(record_path(output, shard))
    try:
        record = Record.from_json(data) if data is not None else None
    except (KeyError, TypeError, ValueError):
        return None
    return record if record is not None and record.shard == shard else None


def standing(output: Path, shards: Iterable[Shard]) -> Iterator[Record]:
    """The records of those shards that are whole, every byte of their files hashed."""
    # hashlib gives the GIL away; two cores hash some 3 GB/s.
    with ThreadPoolExecutor(cores()) as threads:
        for record in threads.map(lambda shard: _whole(output, shard), shards):
            if record is not None:
                yield record


def verify(output: Path) -> list[Problem]:
    """Everything that is wrong with a dataset; an empty list if it is as it was published."""
    summary, plan = read_sealed(output / "dataset.json"), read_sealed(output / "plan.json")
    problems = [
        Problem(None, f"{name} is missing or damaged")
        for name, data in (("dataset.json", summary), ("plan.json", plan))
        if data is None
    ]
    if summary is None or plan is None:
        return problems
    if implausible := _implausible(output, summary):
        return [Problem(None, implausible)]
    fingerprint = Claim({key: plan[key] for key in plan if key != "fingerprint"}).fingerprint
    if not fingerprint == plan.get("fingerprint") == summary.get("fingerprint"):
        problems.append(Problem(None, "plan.json and dataset.json belong to different datasets"))
    names = [f"{summary['split']}-{number:06d}" for number in range(summary["shards"])]
    records = {name: read_record(output, name) for name in names}
    with ThreadPoolExecutor(cores()) as threads:
        for name, texts in zip(
            names, threads.map(lambda n: _problems(output, records[n]), names), strict=True
        ):
            problems += [Problem(name, text) for text in texts]
    found = [record for record in records.values() if record is not None]
    if len(found) == len(names) and manifest_hash(found) != summary.get("manifest_sha256"):
        problems.append(Problem(None, "the records are not those that dataset.json was made from"))
    problems += [
        Problem(None, f"{path.relative_to(output)}: belongs to no shard", stray=path)
        for path in _strays(output, records)
    ]
    return problems


def _implausible(output: Path, summary: dict[str, Any]) -> str | None:
    """What is wrong with a `dataset.json` that is whole but that no run of ours wrote."""
    try:
        with untrusted("dataset.json"):
            check_summary(summary)
    except DepthmaskError as error:
        return str(error)
    records = sum(1 for _ in (output / "records").glob("*"))
    if summary["shards"] > 2 * records + 100_000:
        return f"dataset.json tells of {summary['shards']:,} shards, and {records:,} have records"
    return None


def _whole(output: Path, shard: Shard) -> Record | None:
    record = read_record(output, shard.name)
    if record is None or (record.start, record.stop) != (shard.start, shard.stop):
        return None
    return None if _problems(output, record) else record


def _problems(output: Path, record: Record | None) -> list[str]:
    if record is None:
        return ["its record is missing or damaged"]
    texts = [_file_problem(output / "shards" / file.name, file) for file in record.files]
    return [text for text in texts if text]


def _file_problem(path: Path, file: ShardFile) -> str | None:
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):
            return f"{file.name} is a link, or no file at all"
        size = status.st_size
        if size != file.bytes:
            return f"{file.name} has {size:,} bytes and was published with {file.bytes:,}"
        with path.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
    except FileNotFoundError:
        return f"{file.name} is missing"
    except OSError as error:
        return f"{file.name} cannot be read ({error.strerror})"
    return None if digest == file.sha256 else f"{file.name} has another content (sha256 differs)"


def _strays(output: Path, records: dict[str, Record | None]) -> list[Path]:
    """Files among shards and records that no shard accounts for."""
    known = {record_path(output, name) for name in records}
    for record in records.values():
        known |= {output / "shards" / file.name for file in record.files} if record else set()
    # Without its record, nobody knows what a shard's files are; by their name they are its.
    unknown = {name for name, record in records.items() if record is None}
    return sorted(
        path
        for folder in (output / "shards", output / "records")
        for path in folder.rglob("*")
        if path.is_file()
        and path not in known
        and path.relative_to(folder).parts[0].partition(".")[0] not in unknown
    )
