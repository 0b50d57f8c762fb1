"""Verifies a dataset: whether every file has the content that was published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from os import PathLike
from typing import Any, NamedTuple

from depthmask.concurrency import parallel_map
from depthmask.errors import DepthmaskError
from depthmask.storage.dataset_info import DatasetInfo, Manifest
from depthmask.storage.derived import CARD, is_edited_card, left_out, other_files
from depthmask.storage.identity import DatasetIdentity
from depthmask.storage.location import location
from depthmask.storage.path import StorePath
from depthmask.storage.publish import read_sealed
from depthmask.storage.record import ShardFile
from depthmask.storage.records import Records
from depthmask.storage.shell import command, path_word
from depthmask.untrusted import untrusted


@dataclass(frozen=True, slots=True)
class Problem:
    """A difference between a dataset and what was published.

    shard: the name of the shard, None for the dataset as a whole. stray: a file that belongs to no
    shard. derived: the name of a file about the dataset, such as `coco_train.json`.
    """

    shard: str | None
    text: str
    stray: StorePath | None = None
    derived: str | None = None

    @property
    def is_repairable(self) -> bool:
        """Whether a repair makes it again or removes it."""
        return bool(self.shard or self.stray or self.derived)

    def __str__(self) -> str:
        return f"{self.shard}: {self.text}" if self.shard else self.text


@dataclass(frozen=True, slots=True)
class Findings:
    """What a check has seen in a dataset.

    notes: a line for each file that is no damage, but was changed, left out, or not written by a
    run. left_out: derived files that a repair can make, although nothing is damaged.
    """

    problems: list[Problem]
    notes: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def verify(dataset: str | PathLike[str] | StorePath) -> list[Problem]:
    """Return all problems of a dataset, none if it is as it was published."""
    return inspected(dataset).problems


def inspected(dataset: str | PathLike[str] | StorePath) -> Findings:
    """Compare every file of a dataset with what was published."""
    output = location(dataset)
    summary, plan = read_sealed(output / "dataset.json"), read_sealed(output / "plan.json")
    if plan is not None and not (output / "dataset.json").has_name():
        resume = command("resume", path_word(output))
        text = f"dataset.json is missing: the dataset is unfinished; `{resume}` completes it"
        return Findings([Problem(None, text)])
    problems = [
        Problem(None, f"{name} is missing or damaged")
        for name, data in (("dataset.json", summary), ("plan.json", plan))
        if data is None
    ]
    if summary is None or plan is None:
        return Findings(problems)
    try:
        info = _plausible_info(output, summary)
        identity = DatasetIdentity({key: plan[key] for key in plan if key != "fingerprint"})
        with untrusted("plan.json"):
            fingerprint, lineage = identity.fingerprint, identity.lineage
    except DepthmaskError as error:
        return Findings([Problem(None, str(error))])
    if not fingerprint == plan.get("fingerprint") == info.fingerprint:
        problems.append(Problem(None, "plan.json and dataset.json belong to different datasets"))
    problems += _problems_of_shards(output, info, lineage)
    if info.derived is None:
        return Findings(problems)
    differing, notes = _derived_differences(output, info.derived)
    lacking = left_out(info.derived)
    notes += [f"{name}: left out, since it could not be made" for name in lacking]
    notes += other_files(output, info.derived)
    return Findings(problems + differing, notes, lacking)


def _derived_differences(
    output: StorePath, files: Sequence[ShardFile]
) -> tuple[list[Problem], list[str]]:
    """The problems of the derived files; an edited card is none, and gives a note."""
    problems, notes = [], []
    mean_bytes = sum(file.bytes for file in files) / max(1, len(files))
    checks = parallel_map(output.parallel_checks(mean_bytes), output.difference, files)
    for file, difference in zip(files, checks, strict=True):
        if difference and file.name == CARD and is_edited_card(output):
            notes.append(
                f"{CARD}: edited, or made by an earlier version, and kept; once it is deleted, "
                "`verify --repair` makes it again"
            )
        elif difference:
            problems.append(Problem(None, f"{file.name} {difference}", derived=file.name))
    return problems, notes


def _problems_of_shards(output: StorePath, info: DatasetInfo, lineage: str) -> list[Problem]:
    """The problems of records and shards, and the files that belong to none."""
    problems = list[Problem]()
    records = Records(output)
    manifest, known, unknown = Manifest(), set[str](), set[str]()
    for check in parallel_map(
        output.parallel_checks(info.bytes / info.shards),
        lambda name: _check_shard(records, name, lineage),
        info.shard_names(),
    ):
        problems += [Problem(check.shard, text) for text in check.problems]
        known.add(f"records/{check.shard}.json")
        known.update(f"shards/{file.name}" for file in check.files)
        manifest.add(check.files)
        if not check.files:
            unknown.add(check.shard)
    if not unknown and manifest.sha256 != info.manifest_sha256:
        problems.append(Problem(None, "the records do not match the checksum in dataset.json"))
    problems += [
        Problem(None, f"{name}: belongs to no shard", stray=output / name)
        for name in _strays(output, known, unknown)
    ]
    return problems


class _ShardCheck(NamedTuple):
    """The problems of a shard. files: those in its record; none if there is no record."""

    shard: str
    files: tuple[ShardFile, ...]
    problems: list[str]


def _check_shard(records: Records, shard: str, lineage: str) -> _ShardCheck:
    record = records.read(shard)
    if record is None:
        return _ShardCheck(shard, (), ["its record is missing or damaged"])
    problems = [] if record.lineage == lineage else ["its record is of another dataset"]
    return _ShardCheck(shard, record.files, problems + records.problems(record))


def _plausible_info(output: StorePath, data: dict[str, Any]) -> DatasetInfo:
    """Return the content of `dataset.json`; DepthmaskError if no run can have written it.

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


def _strays(output: StorePath, known: set[str], unknown: set[str]) -> list[str]:
    """Return the files among shards and records that belong to no shard.

    unknown: shards without a record; files with their names may belong to them.
    """
    return sorted(
        f"{folder}/{name}"
        for folder in ("shards", "records")
        for name in (output / folder).file_names()
        if f"{folder}/{name}" not in known
        and name.partition("/")[0].partition(".")[0] not in unknown
        # An object store may list a folder that has a content of its own.
        and (output / folder / name).is_file()
    )
