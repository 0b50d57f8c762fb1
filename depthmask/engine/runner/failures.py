"""Shards that could not be made: how often each is tried, and the error at the end."""

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

ATTEMPTS = 3
"""How often a shard is tried before it counts as failed."""
HOPELESS = 100
"""After so many failed shards, and none that was made, the others are not tried."""
NAMED = 3
"""How many failed shards the last line names."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a shard could not be made.

    final: trying again would give the same. trace: the traceback, for the log.
    """

    reason: str
    final: bool
    trace: str = ""


def attempt(job: Job, shard: Shard, progress: Progress) -> Record | Refusal:
    """Make a shard; an error becomes a refusal."""
    try:
        return make_shard(job, shard, progress)
    except DepthmaskError as error:
        return Refusal(str(error), final=error.final, trace=traceback.format_exc())


class Failures:
    """The failed attempts at each shard; each is logged as it comes."""

    def __init__(self) -> None:
        self._attempts: Counter[str] = Counter()
        self._reasons: list[str] = []
        self._any_made = False

    def note_made(self) -> None:
        """Note that a shard was made, so that the others are worth trying."""
        self._any_made = True

    def note(self, shard: Shard, refusal: Refusal) -> bool:
        """Whether the shard is worth another attempt; raises what would fail every shard."""
        _log.info("%s\n%s", refusal.reason, refusal.trace)
        if refusal.final:
            raise DepthmaskError(refusal.reason)
        self._attempts[shard.name] += 1
        _log.warning("%s (attempt %d)", refusal.reason, self._attempts[shard.name])
        retry = self._attempts[shard.name] < ATTEMPTS
        if not retry:
            self._reasons.append(refusal.reason)
            if len(self._reasons) == HOPELESS and not self._any_made:
                self.settle("none could, and the others were not tried")
        return retry

    def settle(self, others: str = "the others stand") -> None:
        """Raise if a shard could not be made."""
        if self._reasons:
            named, more = self._reasons[:NAMED], len(self._reasons) - NAMED
            raise DepthmaskError(
                f"{len(self._reasons)} of the shards could not be made, {others}: "
                + "; ".join([*named, *([f"and {more} more, see run.log"] if more > 0 else [])])
            )
