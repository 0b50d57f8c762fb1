"""Counts failed attempts at shards: decides about retries, and raises the error at the end."""

from __future__ import annotations

import logging
import traceback
from collections import Counter
from dataclasses import dataclass

from depthmask.config.plugins import registry
from depthmask.engine.job import Job, Progress
from depthmask.engine.shard import make_shard
from depthmask.errors import DepthmaskError, others_below
from depthmask.plan.layout import Shard
from depthmask.storage.record import Record

_MOST_ATTEMPTS = 3
"""The attempts after which a shard counts as failed."""
_MOST_FAILURES = 100
"""The failed shards after which the run stops, if it has made no shard."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a shard could not be made.

    final: whether a retry would fail in the same way. trace: the traceback, for the log. cause: the
    reason without shard and sample: two refusals of one cause are the same error. Without a cause,
    each is another error.
    """

    reason: str
    final: bool
    trace: str = ""
    cause: str = ""


def attempt(job: Job, shard: Shard, progress: Progress) -> Record | Refusal:
    """Make a shard; returns its record, or a refusal instead of an error."""
    try:
        return make_shard(job, shard, progress)
    except DepthmaskError as error:
        return Refusal(
            registry().message(error),
            final=error.final,
            trace=traceback.format_exc(),
            cause=getattr(error, "cause", ""),
        )


class Failures:
    """Counts and logs the failed attempts at each shard.

    workers: how many shards are made at a time. log_file: where the log of the run is, for the
    message to the user.
    """

    def __init__(self, workers: int = 1, *, log_file: object = "run.log") -> None:
        self._log_file = log_file
        # One shard alone may have a sample of its own that fails.
        self._most_alike = max(2, workers)
        self._attempts: Counter[str] = Counter()
        self._last: dict[str, Refusal] = {}
        """Shard -> its last refusal."""
        self._failed: list[Refusal] = []
        self._any_made = False

    def note_made(self) -> None:
        """Record that a shard was made, so that the run does not stop after many failures."""
        self._any_made = True

    def note(self, shard: Shard, refusal: Refusal) -> bool:
        """Record a failed attempt; returns whether to retry the shard.

        The same error twice would come a third time, so it is not tried again. Raises
        `DepthmaskError` for a final refusal, or if the run is to stop.
        """
        _log.info("%s\n%s", refusal.reason, refusal.trace)
        if refusal.final:
            raise _error(refusal.reason, refusal)
        self._attempts[shard.name] += 1
        _log.warning("%s (attempt %d)", refusal.reason, self._attempts[shard.name])
        before, self._last[shard.name] = self._last.get(shard.name), refusal
        retry = self._attempts[shard.name] < _MOST_ATTEMPTS and not _alike(before, refusal)
        if not retry:
            self._failed.append(refusal)
            if not self._any_made and self._is_hopeless():
                self.settle("no shard was made, so the run stopped")
        return retry

    def _is_hopeless(self) -> bool:
        """Whether the first shards of all workers failed alike, or very many failed."""
        first = self._failed[0]
        alike = all(_alike(first, other) for other in self._failed)
        return len(self._failed) >= (self._most_alike if alike else _MOST_FAILURES)

    def settle(self, others: str = "") -> None:
        """Raise `DepthmaskError` if a shard could not be made. others: about the other shards."""
        if not self._failed:
            return
        others = others or ("all others are made" if self._any_made else "this run made none")
        reasons = [refusal.reason for refusal in self._failed]
        rest = f"{self._log_file} has all of them"
        raise _error(
            f"{len(reasons)} of the shards could not be made, {others}: {reasons[0]}; see "
            f"{self._log_file}{others_below(reasons[1:], rest)}",
            self._failed[0],
        )


class WorkerError(Exception):
    """The traceback of an error in a worker, as text: the cause of the error in this process."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


def _error(text: str, refusal: Refusal) -> DepthmaskError:
    error = DepthmaskError(text)
    if refusal.trace:
        error.__cause__ = WorkerError(refusal.trace)
    return error


def _alike(one: Refusal | None, other: Refusal) -> bool:
    return one is not None and one.cause != "" and one.cause == other.cause
