"""The local runner: this machine's cores."""

from __future__ import annotations

import logging
import multiprocessing.connection
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from depthmask.depth.base import Estimator
from depthmask.errors import DepthmaskError
from depthmask.machine import cores
from depthmask.output.record import Record
from depthmask.pipeline import Generate, make_shard
from depthmask.plan import Shard
from depthmask.runner._workers import Refusal, Worker
from depthmask.runner.base import Runner
from depthmask.stage import setting, stage

ATTEMPTS = 3
"""How often a shard is tried before it counts as failed."""
POLL_SECONDS = 0.1
"""How often the progress of the workers is looked at."""

_log = logging.getLogger(__name__)


@stage("local")
class Local(Runner):
    """Worker processes on this machine; one worker means this very process.

    A worker that dies or hangs is replaced and its shard tried again, three times in all.
    """

    workers: int = setting(
        0, ge=0, help="processes; 0: one for each core, or 1 if a network makes the depth"
    )

    timeout: float = setting(
        600.0, gt=0, help="seconds without a new sample after which a worker counts as hung"
    )

    def run(
        self, job: Generate, shards: Sequence[Shard], made: Callable[[int], None]
    ) -> Iterator[Record]:
        """Make the shards, in order in one process, as they come in several."""
        workers = min(self._wanted(job), len(shards))
        if workers <= 1:
            return (make_shard(job, shard, made) for shard in shards)
        return _Pool(job, shards, workers, self.timeout).run(made)

    def _wanted(self, job: Generate) -> int:
        if self.workers:
            return self.workers
        # N workers would load N models, and one model uses all cores.
        if isinstance(job.root.depth, Estimator):
            return 1
        return cores()


class _Pool:
    """Workers at their shards: replaces those that die or hang, and tries their shards again."""

    def __init__(
        self, job: Generate, shards: Iterable[Shard], workers: int, timeout: float
    ) -> None:
        self._job = job
        self._shards = iter(shards)
        self._workers = workers
        self._timeout = timeout
        self._again: list[Shard] = []
        self._attempts: Counter[int] = Counter()
        self._failed: list[str] = []
        self._idle: list[Worker] = []
        self._busy: list[Worker] = []

    def run(self, made: Callable[[int], None]) -> Iterator[Record]:
        """Yield records as they come; raises at the end if a shard could not be made."""
        try:
            while self._hand_out():
                ready = multiprocessing.connection.wait(
                    [worker.pipe for worker in self._busy], POLL_SECONDS
                )
                made(sum(worker.progress() for worker in self._busy))
                for worker in list(self._busy):
                    if worker.pipe in ready or worker.silence() > self._timeout:
                        record = self._collect(worker, hung=worker.pipe not in ready)
                        if record is not None:
                            yield record
        finally:
            for worker in self._busy:
                worker.kill()
            for worker in self._idle:
                worker.dismiss()
        if self._failed:
            raise DepthmaskError(
                f"{len(self._failed)} of the shards could not be made, the others stand: "
                + "; ".join(self._failed)
            )

    def _hand_out(self) -> bool:
        """Give every free worker a shard; whether anybody is at work."""
        while len(self._busy) < self._workers:
            shard = self._again.pop() if self._again else next(self._shards, None)
            if shard is None:
                break
            worker = self._idle.pop() if self._idle else Worker(self._job)
            worker.give(shard)
            self._busy.append(worker)
        return bool(self._busy)

    def _collect(self, worker: Worker, *, hung: bool) -> Record | None:
        """The record that a worker sent; a shard that it could not make is tried again."""
        self._busy.remove(worker)
        answer = None if hung else worker.answer()
        if isinstance(answer, Record):
            self._idle.append(worker)
            return answer
        if answer is None:
            ending = worker.kill()
            if hung:
                ending = f"no sample in runner.timeout={self._timeout:g} s, {ending}"
            answer = Refusal(f"{worker.shard.name}: {ending}", final=False)
        else:
            self._idle.append(worker)
        self._note(worker.shard, answer)
        return None

    def _note(self, shard: Shard, refusal: Refusal) -> None:
        if refusal.final:
            raise DepthmaskError(refusal.reason)
        self._attempts[shard.number] += 1
        _log.warning("%s (attempt %d)", refusal.reason, self._attempts[shard.number])
        if self._attempts[shard.number] < ATTEMPTS:
            self._again.append(shard)
        else:
            self._failed.append(refusal.reason)
