"""Making a shard: errors of stages, of the writer that takes the samples, and their tracebacks."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import depthmask
from depthmask import Encoded, Layer, Progress, make_shard, stage
from depthmask.config.compose import compose_root
from depthmask.engine.from_config import job_from_config
from depthmask.errors import DepthmaskError, ShardError
from depthmask.stages.placement.random import Random
from depthmask.stages.writer.webdataset import WebDataset
from depthmask.testing.job import small_job
from tests.support.plugins import run_with_plugins, write_plugin

ROOMS = (
    *("source.rooms=2", "source.furniture=4", "source.oversample=1", "size=[48,64]"),
    *("samples=80", "shard_size=2", "runner.workers=2", "depth=none"),
)
PLACEMENT = '''
import numpy as np

from depthmask import Layer, Placement, stage


@stage("bugp")
class Bugp(Placement):
    """Has a bug."""

    def place(self, scene, foreground, flip, rng):
        return helper(scene)


def helper(scene):
    {bug}
'''


def run_bug(tmp_path: Path, bug: str, traceback: str = "0") -> subprocess.CompletedProcess[str]:
    """A run with two workers of a plugin `depthmask-rt 0.1.0` with this bug."""
    write_plugin(tmp_path / "site", "depthmask_rt", "0.1.0", PLACEMENT.format(bug=bug))
    words = (*ROOMS, "placement=bugp", f"output={tmp_path / 'out'}")
    site = tmp_path / "site"
    return run_with_plugins(site, "depthmask", *words, DEPTHMASK_TRACEBACK=traceback)


@pytest.mark.parametrize(
    ("bug", "said"),
    [
        ("return None", "place returned None; expected a Layer"),
        (
            "import absent_library",
            "ModuleNotFoundError: No module named 'absent_library' (in helper, depthmask_rt.py:16)",
        ),
        ("raise SystemExit(5)", "SystemExit: 5 (in helper, depthmask_rt.py:16)"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt (in helper, depthmask_rt.py:16)"),
        ("return scene.nosuch", "AttributeError: 'Scene' object has no attribute 'nosuch' (in h"),
    ],
)
def test_an_error_that_comes_again_ends_the_run_at_once(
    tmp_path: Path, bug: str, said: str
) -> None:
    done = run_bug(tmp_path, bug)
    assert done.returncode == 1
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert f": placement=bugp (depthmask_rt 0.1.0): {said}" in errors[0]
    assert "Traceback" not in done.stderr
    assert "(attempt" not in done.stderr
    log = (tmp_path / "out" / "run.log").read_text()
    assert len(log.splitlines()) < 100


def test_an_error_of_all_workers_ends_the_run(tmp_path: Path) -> None:
    done = run_bug(tmp_path, 'raise ValueError("no such thing")')
    assert done.returncode == 1
    assert "error: 2 of the shards could not be made, no shard was made, so the run" in done.stderr
    assert done.stderr.count("(attempt 1)") <= 3
    assert "(attempt 3)" not in done.stderr


@pytest.mark.parametrize("bug", ["return None.nosuch", "raise ValueError('wrong')"])
def test_the_traceback_is_in_the_log_and_by_a_switch_in_the_terminal(
    tmp_path: Path, bug: str
) -> None:
    done = run_bug(tmp_path, bug, traceback="1")
    log = (tmp_path / "out" / "run.log").read_text()
    for text in (done.stderr, log):
        assert "Traceback (most recent call last):" in text
        assert 'depthmask_rt.py", line 16, in helper' in text
        assert bug in text
    assert sum(line.startswith("error: ") for line in done.stderr.splitlines()) == 1


def test_the_switch_shows_errors_before_the_first_shard(tmp_path: Path) -> None:
    code = PLACEMENT.format(bug="pass") + (
        "\n    def never():\n        pass\n\n"
        "def _post(self):\n    raise KeyError('mine')\n\nBugp.__post_init__ = _post\n"
    )
    write_plugin(tmp_path / "site", "depthmask_rt", "0.1.0", code)
    words = (*ROOMS, "placement=bugp", f"output={tmp_path / 'out'}")
    quiet = run_with_plugins(tmp_path / "site", "depthmask", *words)
    assert quiet.stderr.splitlines() == [
        "error: placement=bugp (depthmask_rt 0.1.0): KeyError: 'mine' (in _post, "
        "depthmask_rt.py:22); DEPTHMASK_TRACEBACK=1 shows the traceback"
    ]
    loud = run_with_plugins(tmp_path / "site", "depthmask", *words, DEPTHMASK_TRACEBACK="1")
    assert 'depthmask_rt.py", line 22, in _post' in loud.stderr
    assert not (tmp_path / "out").exists()


def test_the_log_has_the_traceback_of_an_error_before_the_first_shard(tmp_path: Path) -> None:
    code = '''
from depthmask import Geometry, stage
from depthmask.stages.geometry.source import SourceGeometry


@stage("bugg")
class Bugg(Geometry):
    """Has a bug."""

    def contract(self, size, known):
        return SourceGeometry().contract(size, known)

    def needs_measuring(self, has_depth):
        return True

    def measure(self, backgrounds):
        return backgrounds[0].depth_m / "2"
'''
    write_plugin(tmp_path / "site", "depthmask_rt", "0.1.0", code)
    words = (*ROOMS[:-1], "geometry=bugg", "depth=layered", f"output={tmp_path / 'out'}")
    done = run_with_plugins(
        tmp_path / "site", "depthmask", *words, DEPTHMASK_CACHE=str(tmp_path / "cache")
    )
    log = tmp_path / "out" / "run.log"
    assert done.stderr.splitlines()[-1].startswith("error: geometry=bugg (depthmask_rt 0.1.0): ")
    assert done.stderr.splitlines()[-1].endswith(f"(in measure, depthmask_rt.py:17); see {log}")
    assert 'depthmask_rt.py", line 17, in measure' in log.read_text()


@stage("swallowing")
class Swallowing(WebDataset):
    """Catches what is raised by its samples."""

    def write(self, folder: Path, shard: str, count: int, samples: Iterable[Encoded]) -> Any:
        taken = []
        try:
            for one in samples:
                taken.append(one)
        except Exception:
            pass
        return super().write(folder, shard, count, taken)


@stage("second")
class Second(Random):
    """Fails at the second sample."""

    def place(self, scene: Any, foreground: Any, flip: bool, rng: np.random.Generator) -> Layer:
        if scene.index == 1:
            raise ArithmeticError("at the second")
        return super().place(scene, foreground, flip, rng)


def test_a_writer_cannot_swallow_an_error(tmp_path: Path) -> None:
    job = small_job(tmp_path / "out", writer=Swallowing(), placement=Second())
    with pytest.raises(ShardError, match=r"sample 1 .*placement=second.*at the second"):
        make_shard(job, job.plan.shard(0), Progress())
    assert not list((tmp_path / "out").rglob("*.tar"))


@stage("speaking")
class Speaking(Random):
    """Raises an error with a line of its own."""

    def place(self, scene: Any, foreground: Any, flip: bool, rng: np.random.Generator) -> Layer:
        raise DepthmaskError("the author's own line")


def test_an_error_is_never_its_own_cause(tmp_path: Path) -> None:
    """Whoever follows the causes of such an error would never come to an end."""
    job = small_job(tmp_path / "out", placement=Speaking())
    with pytest.raises(DepthmaskError, match=r"^the author's own line$") as caught:
        make_shard(job, job.plan.shard(0), Progress())
    assert caught.value.__cause__ is None


def test_a_sample_of_a_virtual_dataset_names_stage_and_sample() -> None:
    job = job_from_config(compose_root([*ROOMS]))
    object.__setattr__(job.root, "placement", Second())
    samples = depthmask.virtual(job.root)
    assert samples[0].image.flags.writeable, "a sample belongs to whoever asked for it"
    assert samples[0].mask.flags.writeable
    with pytest.raises(DepthmaskError, match=r"^sample 1 \(room.*\): placement=second.*: Arith"):
        _ = samples[1]
