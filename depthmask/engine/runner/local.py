"""The runner that uses the cores of this machine."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from depthmask.concurrency import cores, interrupts_blocked, processors
from depthmask.config.local_stages import is_importable, require_importable
from depthmask.config.versions import stages_of
from depthmask.engine.job import Asset, Job, Progress
from depthmask.engine.runner._preparing import prepare
from depthmask.engine.runner._workers import Worker, limit_opencv
from depthmask.engine.runner.base import Runner
from depthmask.engine.runner.failures import Failures, Refusal, attempt
from depthmask.errors import UsageError
from depthmask.plan.layout import Shard
from depthmask.stage import setting, stage
from depthmask.stages.depth.base import Estimator
from depthmask.storage.record import Record
from depthmask.storage.remote import ObjectPath

POLL_SECONDS = 0.1
"""How often the progress of the workers is read."""


@stage("local")
class Local(Runner):
    """Worker processes on this machine; with one worker, no other process is started.

    A worker that dies or hangs is replaced, and its shard is tried up to three times.
    """

    workers: int = setting(
        0, ge=0, help="worker processes; 0: one for each core, or 1 if a network makes the depth"
    )

    timeout: float = setting(
        600.0, gt=0, help="seconds without a new sample after which a worker counts as hung"
    )

    def run(
        self, job: Job, shards: Collection[Shard], made: Callable[[int], None]
    ) -> Iterator[Record]:
        """Yield the records: in order with one worker, as they are made with several."""
        workers = min(self.workers_for(job), len(shards))
        # An explicit worker count means separate processes, even for one shard.
        if workers <= 1 and self.workers <= 1:
            return _in_this_process(job, shards, made)
        if _is_childless():
            raise UsageError(
                f"runner.workers={self.workers}: this process may start no others, as a worker of "
                "multiprocessing.Pool; set runner.workers=1, or use a ProcessPoolExecutor"
            )
        for _, chosen in stages_of(job.root):
            require_importable(chosen)
        return _Pool(job, shards, workers, self.timeout).run(made)

    def prepare(self, job: Job, assets: Sequence[Asset], advance: Callable[[int], None]) -> None:
        """Prepare the assets on as many cores as there would be workers without a network."""
        prepare(job, assets, advance, self._helpers(job))

    def _helpers(self, job: Job) -> int:
        """How many other processes may help this one."""
        classes = [type(stage) for _, stage in stages_of(job.root)]
        if _is_in_memory(job) or _is_childless() or not all(map(is_importable, classes)):
            return 0
        return (self.workers or cores()) - 1

    def workers_for(self, job: Job) -> int:
        """The number of worker processes, if there are as many shards."""
        if self.workers:
            return self.workers
        if _is_in_memory(job):
            return 1
        if _is_childless():
            return 1
        # Each worker would load the network, and one network already uses all cores.
        if isinstance(job.root.depth, Estimator):
            return 1
        return cores()


def _is_in_memory(job: Job) -> bool:
    """Whether other processes could not see what is published."""
    return isinstance(job.output, ObjectPath) and job.output.is_memory


def _is_childless() -> bool:
    """Whether this process may start no others, as the workers of `multiprocessing.Pool`."""
    return bool(multiprocessing.current_process().daemon)


def _in_this_process(
    job: Job, shards: Iterable[Shard], made: Callable[[int], None]
) -> Iterator[Record]:
    if cores() < processors():
        # OpenCV sees no CPU quotas.
        limit_opencv(cores())
    failures = Failures(log_file=job.output / "run.log")
    for shard in shards:
        retry = True
        while retry:
            answer = attempt(job, shard, Progress(made))
            if isinstance(answer, Record):
                failures.note_made()
                yield answer
                break
            retry = failures.note(shard, answer)
    failures.settle()


class _Pool:
    """Gives shards to workers; replaces a worker that dies or hangs, and retries its shard."""

    def __init__(self, job: Job, shards: Iterable[Shard], workers: int, timeout: float) -> None:
        self._job = job
        self._shards = iter(shards)
        self._limit = workers
        self._timeout = timeout
        self._retries: list[Shard] = []
        self._failures = Failures(workers, log_file=job.output / "run.log")
        # Each process until its end: an interrupt at any time leaves none behind.
        self._workers: list[Worker] = []

    def run(self, made: Callable[[int], None]) -> Iterator[Record]:
        """Yield records as they arrive; raises at the end if a shard could not be made."""
        try:
            while busy := self._give_shards():
                ready = multiprocessing.connection.wait(
                    [worker.pipe for worker in busy], POLL_SECONDS
                )
                made(sum(worker.progress() for worker in busy))
                for worker in busy:
                    if worker.pipe in ready or worker.silence() > self._timeout:
                        record = self._collect(worker, hung=worker.pipe not in ready)
                        if record is not None:
                            yield record
        finally:
            with interrupts_blocked():
                self._end_workers()
        self._failures.settle()

    def _end_workers(self) -> None:
        # First those that would go on: what they make is lost in any case.
        for worker in sorted(self._workers, key=lambda worker: not worker.is_busy):
            if worker.is_busy:
                worker.kill()
            else:
                worker.dismiss()

    def _give_shards(self) -> list[Worker]:
        """Give a shard to every idle worker; returns the workers that are busy."""
        while len(busy := [worker for worker in self._workers if worker.is_busy]) < self._limit:
            shard = self._retries.pop() if self._retries else next(self._shards, None)
            if shard is None:
                break
            self._idle_worker().give(shard)
        return busy

    def _idle_worker(self) -> Worker:
        """A worker without a shard, or a new one."""
        for worker in self._workers:
            if not worker.is_busy:
                return worker
        with interrupts_blocked():
            self._workers.append(Worker(self._job))
        return self._workers[-1]

    def _collect(self, worker: Worker, *, hung: bool) -> Record | None:
        """Receive the answer of a worker; returns its record, or None if the shard failed."""
        answer = None if hung else worker.answer()
        if answer is None:
            answer = self._dead(worker, hung=hung)
        if isinstance(answer, Record):
            self._failures.note_made()
            return answer
        if self._failures.note(worker.shard, answer):
            self._retries.append(worker.shard)
        return None

    def _dead(self, worker: Worker, *, hung: bool) -> Refusal:
        """End a worker that died or hangs; returns why its shard was not made."""
        ending = worker.kill()
        self._workers.remove(worker)
        if hung:
            ending = f"no sample in runner.timeout={self._timeout:g} s, {ending}"
        sample = self._job.named(worker.sample())
        return Refusal(f"{worker.shard.name}: {sample}: {ending}", final=False)
