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
"""The time that it may take, beside loading: 2 s or 2 % of the run, whichever is more."""
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
    with display.waiting("making finished samples once more, to compare them"):
        compared = _compared(job, [*finished, *shorter], difference)
    if compared:
        result = f"finished samples made once more have the same bytes ({compared:,} compared)"
    else:
        result = "no finished sample was compared"
    if difference:
        _log.warning("not as when the dataset was begun: %s; %s", difference, result)
    else:
        _log.info("%s", result)


def _compared(job: Job, finished: Sequence[Shard], difference: str) -> int:
    """Compare samples as long as there is time; returns their number."""
    missing = job.plan.samples - sum(map(len, finished))
    compared, start_s = 0, 0.0
    for one in _samples_of(finished):
        if not _is_compared(job, one, difference):
            break
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


def _is_compared(job: Job, one: Shard, difference: str) -> bool:
    """Compare a sample with the published one; False if the writer cannot read that.

    Raises `UsageError` if they differ.
    """
    (index,) = job.plan.indices(one)
    writer, key = job.root.writer, sample_key(index)
    try:
        record = Records(job.output).require(one.name)
        published = published_sample(
            writer, job.output / "shards", record, one.start - record.start, key
        )
    except DepthmaskError as error:
        _log.warning("sample %d of %s cannot be compared: %s", index, one.name, error)
        return False
    with tempfile.TemporaryDirectory() as folder:
        scratch = LocalPath(folder)
        (scratch / "records").make_folder()
        made = make_shard(replace(job, output=scratch), one, Progress())
        remade = published_sample(writer, scratch / "shards", made, 0, key)
    if names := _other_members(published, remade):
        raise _refusal(job, f"{' and '.join(names)} of sample {index} in {one.name}", difference)
    return True


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
