"""Counts failed attempts at shards: decides about retries, and raises the error at the end."""

from __future__ import annotations

import logging
import traceback
from collections import Counter
from dataclasses import dataclass

from depthmask.engine.job import Job, Progress
from depthmask.engine.shard import make_shard
from depthmask.errors import DepthmaskError
from depthmask.plan.layout import Shard
from depthmask.storage.record import Record

_MOST_ATTEMPTS = 3
"""The attempts after which a shard counts as failed."""
_MOST_FAILURES = 100
"""The failed shards after which the run stops, if it has made no shard."""
_MOST_NAMED = 3
"""The most failed shards that the error names."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a shard could not be made.

    final: whether a retry would fail in the same way. trace: the traceback, for the log.
    """

    reason: str
    final: bool
    trace: str = ""


def attempt(job: Job, shard: Shard, progress: Progress) -> Record | Refusal:
    """Make a shard; returns its record, or a refusal instead of an error."""
    try:
        return make_shard(job, shard, progress)
    except DepthmaskError as error:
        return Refusal(str(error), final=error.final, trace=traceback.format_exc())


class Failures:
    """Counts and logs the failed attempts at each shard."""

    def __init__(self) -> None:
        self._attempts: Counter[str] = Counter()
        self._reasons: list[str] = []
        self._any_made = False

    def note_made(self) -> None:
        """Record that a shard was made, so that the run does not stop after many failures."""
        self._any_made = True

    def note(self, shard: Shard, refusal: Refusal) -> bool:
        """Record a failed attempt; returns whether to retry the shard.

        Raises `DepthmaskError` for a final refusal, or if the run is to stop.
        """
        _log.info("%s\n%s", refusal.reason, refusal.trace)
        if refusal.final:
            raise DepthmaskError(refusal.reason)
        self._attempts[shard.name] += 1
        _log.warning("%s (attempt %d)", refusal.reason, self._attempts[shard.name])
        retry = self._attempts[shard.name] < _MOST_ATTEMPTS
        if not retry:
            self._reasons.append(refusal.reason)
            if len(self._reasons) == _MOST_FAILURES and not self._any_made:
                self.settle("no shard was made, so the run stopped")
        return retry

    def settle(self, others: str = "all others are made") -> None:
        """Raise `DepthmaskError` if a shard could not be made. others: about the other shards."""
        if self._reasons:
            named, more = self._reasons[:_MOST_NAMED], len(self._reasons) - _MOST_NAMED
            raise DepthmaskError(
                f"{len(self._reasons)} of the shards could not be made, {others}: "
                + "; ".join([*named, *([f"and {more} more, see run.log"] if more > 0 else [])])
            )
