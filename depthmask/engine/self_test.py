"""Makes finished samples of a dataset once more and compares them, before a run adds others.

Versions of packages do not tell whether this process gives the bytes that an earlier run gave, and
neither does the processor: mostly nothing changes, and now and then the last bit of some pixels.
"""

from __future__ import annotations

import itertools
import logging
import math
import tempfile
import time
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain, zip_longest
from typing import Any

from depthmask.concurrency import cores
from depthmask.data import Encoded, sample_key
from depthmask.engine.display import Display
from depthmask.engine.job import Job, Progress
from depthmask.engine.read_back import published_sample
from depthmask.engine.shard import make_shard
from depthmask.errors import DepthmaskError, UsageError
from depthmask.plan.layout import Shard
from depthmask.storage.local import LocalPath
from depthmask.storage.records import Records
from depthmask.storage.shell import command, path_word

_LEAST_S = 2.0
_SHARE = 0.02
"""The time that it may take, beside loading: 2 s or 2 % of the run, whichever is more.

On two cores with a load of 15, 2 s were 22 to 40 samples of rooms in 160x160, 19 with FastDepth,
and 1 s was 8 samples of 1024x1024; syncing the file took a fourth of a small one.
"""
_STRIDE = (math.sqrt(5) - 1) / 2
"""Multiples of this share of a split are spread evenly over it, however many there are."""

_log = logging.getLogger(__name__)


def require_same_samples(
    job: Job, finished: Sequence[Shard], display: Display, difference: str
) -> None:
    """Raise `UsageError` if finished samples of a dataset get other bytes in this process.

    finished: the intact shards of the job in its output. difference: how this environment differs
    from that of the beginning, in words. Nothing is written.
    """
    shorter = Records(job.output).shorter(job.plan, job.identity.lineage, finished)
    with (
        display.waiting("making finished samples once more, to compare them"),
        _remaking(job) as remaking,
    ):
        # One job for all, since it keeps decoded assets.
        compared = _compared(job, remaking, [*finished, *shorter], difference)
    if compared:
        result = f"finished samples made once more have the same bytes ({compared:,} compared)"
    else:
        result = "no finished sample was compared"
    if difference:
        _log.warning("not as when the dataset was begun: %s; %s", difference, result)
    else:
        _log.info("%s", result)


def other_members(job: Job, one: Shard) -> list[str]:
    """The members of a published sample that get other bytes in this process, by name.

    one: the sample, as a shard of one. Empty if the sample cannot be read.
    """
    published = _published(job, one)
    if published is None:
        return []
    with _remaking(job) as remaking:
        return _other_members(published, _remade(remaking, one))


def _compared(job: Job, remaking: Job, finished: Sequence[Shard], difference: str) -> int:
    """Compare samples as long as there is time; returns their number.

    remaking: the same job with a scratch folder as its output.
    """
    missing = job.plan.samples - sum(map(len, finished))
    compared, start_s = 0, 0.0
    for one in _samples_of(finished):
        published = _published(job, one)
        if published is None:
            break
        if names := _other_members(published, _remade(remaking, one)):
            what = f"{' and '.join(names)} of {_named(job, one)}"
            raise _refusal(job, what, difference)
        compared += 1
        if compared == 1:
            # Until here the process has loaded what the run needs anyway.
            start_s = time.perf_counter()
            continue
        elapsed_s = time.perf_counter() - start_s
        sample_s = elapsed_s / (compared - 1)
        if elapsed_s + sample_s > max(_LEAST_S, _SHARE * missing * sample_s / cores()):
            break
    return compared


@contextmanager
def _remaking(job: Job) -> Iterator[Job]:
    """Give the job with a scratch folder as its output."""
    with tempfile.TemporaryDirectory() as folder:
        output = LocalPath(folder)
        (output / "records").make_folder()
        yield replace(job, output=output)


def _samples_of(shards: Iterable[Shard]) -> Iterator[Shard]:
    """Yield each sample as a shard of one: from all splits by turns, spread over each."""
    by_split: dict[str, list[Shard]] = {}
    for shard in shards:
        by_split.setdefault(shard.split, []).append(shard)
    turns = zip_longest(*map(_spread_out, by_split.values()))
    return (one for one in chain.from_iterable(turns) if one is not None)


def _spread_out(shards: Iterable[Shard]) -> Iterator[Shard]:
    """Yield each sample of a split's shards as a shard of one, the first ones far apart."""
    in_order = sorted(shards, key=lambda shard: shard.number)
    ends = list(itertools.accumulate(map(len, in_order)))
    count = ends[-1]
    # A stride without a common divisor comes to each of them.
    stride = next(
        step for step in itertools.count(math.ceil(_STRIDE * count)) if math.gcd(step, count) == 1
    )
    for turn in range(count):
        position = turn * stride % count
        number = bisect_right(ends, position)
        start = in_order[number].stop - (ends[number] - position)
        yield replace(in_order[number], start=start, stop=start + 1)


def _published(job: Job, one: Shard) -> Encoded | None:
    """The sample as it was published; None, and a line in the log, if it cannot be read."""
    try:
        record = Records(job.output).require(one.name)
        number = one.start - record.start
        return published_sample(
            job.root.writer, job.output / "shards", record, number, _key(job, one)
        )
    except DepthmaskError as error:
        _log.warning("%s cannot be compared: %s", _named(job, one), error)
        return None


def _remade(remaking: Job, one: Shard) -> Encoded:
    """The sample as this process makes it, by way of a file of the writer."""
    record, shards = make_shard(remaking, one, Progress()), remaking.output / "shards"
    sample = published_sample(remaking.root.writer, shards, record, 0, _key(remaking, one))
    for file in record.files:
        (shards / file.name).unlink()
    return sample


def _key(job: Job, one: Shard) -> str:
    return sample_key(job.plan.indices(one)[0])


def _named(job: Job, one: Shard) -> str:
    return f"sample {job.plan.indices(one)[0]} in {one.name}"


def _other_members(one: Encoded, other: Encoded) -> list[str]:
    """The names of the members and arrays that two samples do not share byte for byte."""
    contents = [_contents(sample) for sample in (one, other)]
    names = dict.fromkeys(chain.from_iterable(contents))
    return [name for name in names if contents[0].get(name) != contents[1].get(name)]


def _contents(sample: Encoded) -> dict[str, Any]:
    arrays = {
        f"the array {name}": (array.dtype, array.shape, array.tobytes())
        for name, array in sample.arrays.items()
    }
    return {**sample.members, **arrays}


def _refusal(job: Job, what: str, difference: str) -> UsageError:
    folder = path_word(job.output)
    return UsageError(
        f"{job.output} cannot be continued: {what}, made once more, has other bytes: "
        f"{difference or 'the same settings give other bytes on this machine'}; go on where the "
        f"dataset was begun, or make another: `{command('repeat', folder, 'output=OUT2')}` "
        "makes one with the settings of this one"
    )
