"""Makes damaged derived files once more, and keeps those that are intact."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import replace

from depthmask.data import LeftOut
from depthmask.engine.environment import other_environment
from depthmask.engine.finish import write_derived
from depthmask.engine.job import Job
from depthmask.engine.totals import Totals
from depthmask.errors import DepthmaskError
from depthmask.reading.dataset import Dataset, MovedShard
from depthmask.storage.dataset_info import DatasetInfo
from depthmask.storage.derived import not_intact
from depthmask.storage.path import DRAFTS, StorePath
from depthmask.storage.publish import read_sealed, write_sealed
from depthmask.storage.record import ShardFile
from depthmask.untrusted import untrusted

_log = logging.getLogger(__name__)


def published_info(job: Job) -> DatasetInfo | None:
    """The content of `dataset.json`; None if it is lost, or about other samples than the job."""
    path = job.output / "dataset.json"
    data = read_sealed(path)
    if data is None or data.get("fingerprint") != job.identity.fingerprint:
        return None
    try:
        with untrusted(str(path)):
            return DatasetInfo.from_json(data)
    except DepthmaskError:
        return None


def renewed(
    job: Job, totals: Totals, info: DatasetInfo, left_out: Iterable[LeftOut]
) -> DatasetInfo:
    """Publish the derived files that are damaged or missing, with whatever bytes they get now.

    Those with other bytes than published are named. Returns the info that lists them. left_out:
    the files of the source to keep in the folder of the dataset.
    """
    published = _renewed(job, totals, info, left_out, {})
    listed = {file.name: file for file in info.derived or ()}
    for name, file in published.items():
        if name in listed and file.sha256 != listed[name].sha256:
            cause = other_environment(job) or "the folder or depthmask has another name or version"
            _log.warning(
                "%s has other bytes than were published (%s); dataset.json lists the new ones",
                name, cause,
            )  # fmt: skip
    return _listing(info, published)


def renew_same(
    job: Job, totals: Totals, info: DatasetInfo, other_shards: Mapping[str, MovedShard]
) -> None:
    """Publish the derived files that are damaged or missing, if they have the published bytes.

    other_shards: by name, those that would get other bytes, as they were made now: a derived file
    may be the same although some pixels are not.
    """
    published = _renewed(job, totals, info, job.catalogue.left_out, other_shards)
    if (new := _listing(info, published)) != info:
        write_sealed(job.output / "dataset.json", new.as_json())


def _renewed(
    job: Job,
    totals: Totals,
    info: DatasetInfo,
    left_out: Iterable[LeftOut],
    other_shards: Mapping[str, MovedShard],
) -> dict[str, ShardFile]:
    """Make all derived files among the drafts, and publish those that are not intact."""
    listed = {file.name: file for file in info.derived or ()}
    needed = not_intact(job.output, listed.values())
    if not needed:
        return {}
    drafts = job.output / DRAFTS / "derived"
    if drafts.exists():
        drafts.remove()
    drafts.make_folder()
    try:
        dataset = Dataset(
            drafts, info, known=totals.records, folder=job.output.absolute(), moved=other_shards
        )
        files = write_derived(job, totals, dataset, left_out)
        chosen = [files[name] for name in needed if name in files]
        if other_shards:
            chosen = [one for one in chosen if _is_same(one, listed.get(one.name))]
        return _published(job.output, drafts, chosen)
    finally:
        drafts.remove()


def _is_same(file: ShardFile, published: ShardFile | None) -> bool:
    return published is not None and file.sha256 == published.sha256


def _published(
    output: StorePath, drafts: StorePath, files: Iterable[ShardFile]
) -> dict[str, ShardFile]:
    """Copy derived files from the drafts into the dataset."""
    with output.recorded() as published:
        for file in files:
            path = output / file.name
            path.parent.make_folder()
            with (
                drafts.stream_shard_file(file) as content,
                path.new_file() as copy,
                copy.open("wb") as target,
            ):
                shutil.copyfileobj(content, target)
    return published


def _listing(info: DatasetInfo, published: Mapping[str, ShardFile]) -> DatasetInfo:
    """The info with these derived files instead of those of the same names."""
    files = {**{file.name: file for file in info.derived or ()}, **published}
    return replace(info, derived=tuple(files[name] for name in sorted(files)))
