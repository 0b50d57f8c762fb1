"""The stage `ray` and its settings."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from depthmask import Job, Record, Runner, SettingError, Shard, setting, stage


@stage("ray")
class Ray(Runner):
    """Makes shards as tasks of a Ray cluster, an existing one or one started for the run.

    A task that fails, or is lost with its node, is retried, up to three attempts in all.
    """

    address: str = setting(
        "local",
        help="local: a cluster on this machine for the run; auto: the cluster that runs here; or "
        "HOST:PORT",
    )
    num_cpus: float = setting(1.0, gt=0, help="cores for each task")
    num_gpus: float = setting(0.0, ge=0, help="GPUs for each task")
    memory: float = setting(0.0, ge=0, help="bytes of memory for each task; 0: not counted")
    in_flight: int = setting(
        0, ge=0, help="most tasks running or waiting; 0: twice the capacity of the cluster"
    )
    timeout: float = setting(
        600.0, gt=0, help="seconds without a new sample after which a task counts as hung"
    )

    def __post_init__(self) -> None:
        host, colon, port = self.address.rpartition(":")
        keyword = self.address in ("local", "auto")
        if not keyword and not (host and colon and port.isdecimal() and "/" not in host):
            raise SettingError("address", self.address, "must be local, auto or HOST:PORT")

    def run(
        self, job: Job, shards: Collection[Shard], made: Callable[[int], None]
    ) -> Iterator[Record]:
        """Make the shards in any order."""
        from depthmask_ray._cluster import connected

        if not shards:
            return
        needs = {"CPU": self.num_cpus, "GPU": self.num_gpus, "memory": self.memory}
        needs = {name: amount for name, amount in needs.items() if amount}
        with connected(self.address):
            # Imported here, since Ray reads its environment when it is imported.
            from depthmask_ray._tasks import Tasks

            yield from Tasks(job, shards, needs, self.in_flight, self.timeout).run(made)
