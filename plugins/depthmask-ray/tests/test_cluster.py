"""Runs on an existing cluster: lost nodes, nodes without a distribution, tasks in flight."""

from __future__ import annotations

import platform
import re
import subprocess
from collections.abc import Callable, Collection, Generator, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import depthmask
import pytest
from commands import install_plugin
from depthmask import Shard, UsageError
from depthmask.config.compose import compose_root
from depthmask.engine.from_config import job_from_config
from depthmask.storage.identity import take_output
from node_loss import LOSSES, WORDS, TrialCluster, start, trial

from depthmask_ray.runner import Ray

HERE = f"{platform.node()} (127.0.0.1)"
PLUGIN = """
from depthmask import Placement, scaled_layer, stage

@stage("corner")
class Corner(Placement):
    "Always in the top left corner."

    def place(self, scene, foreground, flip, random):
        return scaled_layer(foreground, top=0, left=0, scale=1.0, flip=flip)
"""


@pytest.mark.parametrize(("number", "how"), list(enumerate(LOSSES)))
def test_a_lost_node_loses_nothing(trial_cluster: TrialCluster, number: int, how: str) -> None:
    assert trial(trial_cluster, number, how) == []


ELSEWHERE = """
import importlib.metadata, sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.startswith("depthmask"):
            raise ModuleNotFoundError(f"No module named {name!r}")

sys.meta_path.insert(0, Absent())
before = importlib.metadata.version

def version(name):
    if name.startswith("depthmask"):
        raise importlib.metadata.PackageNotFoundError(name)
    return before(name)

importlib.metadata.version = version
"""


def old_depthmask(folder: Path) -> None:
    """Put another version of depthmask into a folder for PYTHONPATH."""
    info = folder / "depthmask-0.0.9.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: depthmask\nVersion: 0.0.9\n")


def no_depthmask(folder: Path) -> None:
    """Make depthmask impossible to import for every Python with this folder in its path."""
    (folder / "sitecustomize.py").write_text(ELSEWHERE)


@pytest.mark.parametrize(
    ("lacking", "said"),
    [
        (old_depthmask, f"depthmask 0.0.9 is installed there, and {depthmask.__version__} here"),
        (no_depthmask, f"depthmask {depthmask.__version__} is not installed there"),
    ],
)
def test_a_node_without_our_depthmask_is_named(
    trial_cluster: TrialCluster, tmp_path: Path, lacking: Callable[[Path], None], said: str
) -> None:
    lacking(tmp_path)
    node = trial_cluster.node(env_vars={"PYTHONPATH": str(tmp_path)})
    try:
        assert last_line(trial_cluster.start(tmp_path / "out"), 1) == f"error: node {HERE}: {said}"
    finally:
        trial_cluster.cluster.remove_node(node)


def test_a_node_without_a_plugin_is_named(trial_cluster: TrialCluster, tmp_path: Path) -> None:
    install_plugin(tmp_path, "corner", PLUGIN)
    process = trial_cluster.start(tmp_path / "out", "placement=corner", PYTHONPATH=str(tmp_path))
    assert last_line(process, 1) == f"error: node {HERE}: corner 1.0 is not installed there"


@pytest.fixture
def connected_process(trial_cluster: TrialCluster) -> Iterator[None]:
    """Connect this process to the cluster; the test must leave it connected."""
    import ray

    ray.init(trial_cluster.cluster.address, log_to_driver=False, logging_level="ERROR")
    yield
    assert ray.is_initialized()
    ray.shutdown()


class Counted(Collection[Shard]):
    """Shards that count how many of them were taken."""

    def __init__(self, shards: Collection[Shard]) -> None:
        self._shards = shards
        self.taken = 0

    def __len__(self) -> int:
        return len(self._shards)

    def __contains__(self, shard: object) -> bool:
        return shard in self._shards

    def __iter__(self) -> Iterator[Shard]:
        for shard in self._shards:
            self.taken += 1
            yield shard


@pytest.mark.parametrize(("in_flight", "most"), [(0, 2), (3, 3)])
def test_few_of_many_shards_are_in_flight(
    connected_process: None, tmp_path: Path, in_flight: int, most: int
) -> None:
    """Few of a million shards are in flight; by default twice as many as there are cores."""
    root = compose_root([*WORDS, f"output={tmp_path / 'out'}", "samples=1000000", "shard_size=1"])
    job = job_from_config(root)
    take_output(job.output, job.identity, overwrite=False)
    shards = Counted(job.plan.shards())
    records = Ray(in_flight=in_flight).run(job, shards, lambda samples: None)
    assert isinstance(records, Generator)
    for number, _ in enumerate(islice(records, 20)):
        # The shard of the last record is no longer in flight.
        assert shards.taken - number - 1 < most
    assert shards.taken >= 20 + most - 1
    records.close()
    made = len(list((tmp_path / "out" / "records").iterdir()))
    assert 20 <= made <= 20 + most


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"address": "head"}, "address=head: must be local, auto or HOST:PORT"),
        ({"address": "ray://head:10001"}, "must be local, auto or HOST:PORT"),
        ({"num_cpus": 0}, "num_cpus=0: must be more than 0"),
    ],
)
def test_settings_are_checked(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        Ray(**settings)


def test_nobody_at_the_address(tmp_path: Path) -> None:
    """The error comes at once, while Ray itself would try for minutes."""
    process = start(tmp_path / "out", "runner=ray", "runner.address=127.0.0.1:9")
    assert last_line(process, 2).startswith(
        "error: runner.address=127.0.0.1:9: no answer from 127.0.0.1:9 ("
    )


def last_line(process: subprocess.Popen[str], code: int) -> str:
    """The last line that a command printed; it must end with this code."""
    _, text = process.communicate(timeout=60)
    assert process.returncode == code, text
    return text.splitlines()[-1]
