"""The stage: its settings."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from depthmask import Job, Record, Runner, SettingError, Shard, setting, stage


@stage("ray")
class Ray(Runner):
    """Shards as tasks of a Ray cluster, which is there already or started for the run.

    A task that fails, or is lost with its node, is tried again, three times in all.
    """

    address: str = setting(
        "local",
        help="local: this machine, started and ended with the run; auto: the cluster that runs "
        "here; or HOST:PORT",
    )
    num_cpus: float = setting(1.0, gt=0, help="cores that a task takes")
    num_gpus: float = setting(0.0, ge=0, help="GPUs that a task takes")
    memory: float = setting(0.0, ge=0, help="bytes that a task takes; 0: not counted")
    in_flight: int = setting(
        0, ge=0, help="tasks at work or waiting, at most; 0: twice what the cluster has room for"
    )
    timeout: float = setting(
        600.0, gt=0, help="seconds without a new sample after which a task counts as hung"
    )

    def __post_init__(self) -> None:
        host, colon, port = self.address.rpartition(":")
        named = self.address in ("local", "auto")
        if not named and not (host and colon and port.isdecimal() and "/" not in host):
            raise SettingError("address", self.address, "must be local, auto or HOST:PORT")

    def run(
        self, job: Job, shards: Collection[Shard], made: Callable[[int], None]
    ) -> Iterator[Record]:
        """Make the shards in any order."""
        from depthmask_ray._cluster import connected

        if not shards:
            return
        wanted = {"CPU": self.num_cpus, "GPU": self.num_gpus, "memory": self.memory}
        wanted = {name: amount for name, amount in wanted.items() if amount}
        with connected(self.address):
            # Not before: Ray, which takes 0.3 s, reads its environment when it is imported.
            from depthmask_ray._tasks import Tasks

            yield from Tasks(job, shards, wanted, self.in_flight, self.timeout).run(made)
