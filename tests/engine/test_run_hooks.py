"""The hooks of a run: when, how often and with what they are called, and what a failure does."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import depthmask
from depthmask.cli.main import main
from depthmask.config.root import Root
from depthmask.engine.display import Silent
from depthmask.engine.run import run
from depthmask.errors import DepthmaskError
from depthmask.storage.location import location
from depthmask.storage.path import PENDING_HOOKS, StorePath
from depthmask.storage.record import Record
from depthmask.storage.verify import verify
from tests.support.plugins import install_module, loaded, run_with_plugins
from tests.support.tiny import sha256s

ROOMS = [
    "source.rooms=2", "source.furniture=3", "source.oversample=1", "size=[32,40]",
    "geometry=none", "depth=none", "samples=6", "shard_size=2", "runner.workers=1",
]  # fmt: skip
STARTED, FAILED = "depthmask_run_started", "depthmask_run_failed"
PUBLISHED, FINISHED = "depthmask_shard_published", "depthmask_run_finished"


class Calls:
    """The hooks of a plugin: notes each call, and fails where that is asked for."""

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.fails: dict[str, BaseException] = {}

    def note(self, hook: str, *more: object) -> None:
        self.calls.append((hook, *more) if more else hook)
        if hook in self.fails:
            raise self.fails[hook]

    def hooks(self) -> dict[str, Callable[..., None]]:
        def depthmask_run_started(root: Root, output: StorePath) -> None:
            assert root.samples is not None
            assert not (output / "dataset.json").exists()
            self.note(STARTED)

        def depthmask_shard_published(output: StorePath, record: Record) -> None:
            assert (output / "records" / f"{record.shard}.json").is_file()
            self.note(PUBLISHED, record.shard)

        def depthmask_run_failed(error: BaseException) -> None:
            self.note(FAILED, str(error))

        def depthmask_run_finished(output: StorePath) -> None:
            assert (output / "dataset.json").is_file()
            self.note(FINISHED)

        return {
            STARTED: depthmask_run_started,
            PUBLISHED: depthmask_shard_published,
            FAILED: depthmask_run_failed,
            FINISHED: depthmask_run_finished,
        }

    def take(self) -> list[Any]:
        calls, self.calls = self.calls, []
        return calls


def make(output: StorePath | Path, *more: str) -> int:
    return main([*ROOMS, *more, f"output={output}"])


def shards(*numbers: int) -> list[Any]:
    return [(PUBLISHED, f"train-{number:06d}") for number in numbers]


def test_a_run_its_extension_and_its_repair(tmp_path: Path) -> None:
    plugin, out = Calls(), tmp_path / "out"
    with loaded("mine", **plugin.hooks()):
        assert make(out) == 0
        assert plugin.take() == [STARTED, *shards(0, 1, 2), FINISHED]
        assert make(out) == 0
        assert plugin.take() == []
        assert make(out, "samples=9") == 0
        assert plugin.take() == [STARTED, *shards(3, 4), FINISHED]
        (out / "shards" / "train-000001.tar").unlink()
        assert main(["verify", str(out), "--repair"]) == 0
        # The bytes are those that were published before.
        assert plugin.take() == []
        words = ["writer=zip", "runner.workers=1", f"output={tmp_path / 'zip'}"]
        assert main(["convert", str(out), *words]) == 0
        assert plugin.take() == [STARTED, *shards(0, 1, 2, 3, 4), FINISHED]
    assert not (out / PENDING_HOOKS).exists()


def test_hooks_leave_no_trace_in_the_dataset(tmp_path: Path) -> None:
    assert make(tmp_path / "plain") == 0
    with loaded("mine", **Calls().hooks()):
        assert make(tmp_path / "hooked") == 0
    plain, hooked = (
        {path.relative_to(tmp_path / name) for path in (tmp_path / name).rglob("*")}
        for name in ("plain", "hooked")
    )
    assert hooked == plain
    assert sha256s(tmp_path / "hooked") == sha256s(tmp_path / "plain")
    infos = [depthmask.open(tmp_path / name).info for name in ("plain", "hooked")]
    # The card shows the name of the folder.
    assert infos[0] | {"derived": None} == infos[1] | {"derived": None}


def test_an_upload_that_fails_is_called_until_it_succeeds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failing, other, out = Calls(), Calls(), tmp_path / "out"
    failing.fails[FINISHED] = OSError("no network")
    with loaded("failing", **failing.hooks()), loaded("other", **other.hooks()):
        assert make(out) == 1
        said = capsys.readouterr().err.splitlines()[-1]
        assert said.startswith(
            "error: depthmask_run_finished of failing 1.2 failed: OSError: no network (in note, "
            "test_run_hooks.py:"
        )
        assert said.endswith(
            "; the same command calls it again; the dataset is complete, "
            f"{out / 'run.log'} has tracebacks"
        )
        log = (out / "run.log").read_text()
        assert "Traceback (most recent call last)" in log
        assert "OSError: no network" in log
        assert verify(out) == []
        assert len(depthmask.open(out)) == 6
        assert failing.take() == [STARTED, *shards(0, 1, 2), FINISHED]
        assert other.take() == [STARTED, *shards(0, 1, 2), FINISHED]
        assert make(out) == 1
        assert (failing.take(), other.take()) == ([FINISHED], [])
        failing.fails.clear()
        assert make(out) == 0
        assert (failing.take(), other.take()) == ([FINISHED], [])
        assert make(out) == 0
        assert (failing.take(), other.take()) == ([], [])
    assert not (out / PENDING_HOOKS).exists()


def test_a_failed_upload_is_called_when_the_dataset_is_longer(tmp_path: Path) -> None:
    failing, other, out = Calls(), Calls(), tmp_path / "out"
    failing.fails[FINISHED] = SystemExit("no token")
    with loaded("failing", **failing.hooks()), loaded("other", **other.hooks()):
        assert make(out) == 1
        other.take()
        failing.fails.clear()
        assert make(out, "samples=8") == 0
        assert failing.take()[-1] == other.take()[-1] == FINISHED
        assert make(out, "samples=8") == 0
        assert failing.take() == other.take() == []


def test_a_plugin_that_is_gone_is_named_and_waited_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plugin, out = Calls(), tmp_path / "out"
    plugin.fails[FINISHED] = ValueError("later")
    with loaded("mine", **plugin.hooks()):
        assert make(out) == 1
    plugin.take()
    capsys.readouterr()
    for words in ([], ["samples=8"], ["samples=8"]):
        assert make(out, *words) == 0
        assert (
            "note: depthmask_run_finished of mine:mine is still to be called, but the plugin is "
            "not loaded; install it and run the same command again\n" in capsys.readouterr().err
        )
    plugin.fails.clear()
    with loaded("mine", **plugin.hooks()):
        assert make(out, "samples=8") == 0
    assert plugin.take() == [FINISHED]


def test_overwriting_forgets_what_was_pending(tmp_path: Path) -> None:
    plugin, out = Calls(), tmp_path / "out"
    plugin.fails[FINISHED] = ValueError("later")
    with loaded("mine", **plugin.hooks()):
        assert make(out) == 1
    assert make(out, "overwrite=true", "seed=3") == 0
    assert not (out / PENDING_HOOKS).exists()


def test_an_object_store_remembers_as_well(tmp_path: Path) -> None:
    out = location(f"memory://hooks/{os.urandom(8).hex()}")
    plugin = Calls()
    plugin.fails[FINISHED] = ValueError("later")
    with loaded("mine", **plugin.hooks()):
        assert make(out) == 1
        assert (out / PENDING_HOOKS).is_file()
        assert verify(out) == []
        plugin.take()
        plugin.fails.clear()
        assert make(out) == 0
        assert plugin.take() == [FINISHED]
    assert not (out / PENDING_HOOKS).is_file()


def test_other_commands_do_not_mind_what_is_pending(tmp_path: Path) -> None:
    plugin, out = Calls(), tmp_path / "out"
    plugin.fails[FINISHED] = ValueError("later")
    with loaded("mine", **plugin.hooks()):
        assert make(out) == 1
    assert (out / PENDING_HOOKS).is_file()
    assert main(["verify", str(out)]) == 0
    assert main(["convert", str(out), "writer=zip", f"output={tmp_path / 'zip'}"]) == 0
    assert not (tmp_path / "zip" / PENDING_HOOKS).exists()


@pytest.mark.parametrize("content", [{"pending": 3}, {}, {"pending": [[1]]}])
def test_a_file_from_elsewhere_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: dict[str, Any]
) -> None:
    from depthmask.storage.publish import write_sealed

    assert make(tmp_path / "out") == 0
    capsys.readouterr()
    write_sealed(location(tmp_path / "out" / PENDING_HOOKS), {**content, "x": 1})
    assert make(tmp_path / "out") == 1
    error = [line for line in capsys.readouterr().err.splitlines() if "error: " in line]
    assert len(error) == 1
    assert f"{PENDING_HOOKS}: cannot be read" in error[0]


def test_a_start_that_fails_ends_the_run_before_its_first_shard(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plugin, out = Calls(), tmp_path / "out"
    plugin.fails[STARTED] = DepthmaskError("set TRACKING_URL")
    with loaded("mine", **plugin.hooks()):
        assert make(out) == 1
        text = "depthmask_run_started of mine 1.2 failed: set TRACKING_URL"
        assert capsys.readouterr().err.splitlines()[-1] == (f"error: {text}; see {out / 'run.log'}")
        assert plugin.take() == [STARTED, (FAILED, f"{text}; see {out / 'run.log'}")]
        assert list((out / "records").iterdir()) == []
        assert not (out / "dataset.json").exists()
        plugin.fails.clear()
        assert make(out) == 0
        assert plugin.take() == [STARTED, *shards(0, 1, 2), FINISHED]


def test_a_shard_hook_that_fails_is_named_once_and_the_run_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failing, other, out = Calls(), Calls(), tmp_path / "out"
    failing.fails[PUBLISHED] = OSError("queue full")
    with loaded("failing", **failing.hooks()), loaded("other", **other.hooks()):
        assert make(out) == 1
        for plugin in (failing, other):
            assert plugin.take() == [STARTED, *shards(0, 1, 2), FINISHED]
        text = "depthmask_shard_published of failing 1.2 failed: OSError: queue full"
        error = capsys.readouterr().err
        assert error.count(f"note: {text}") == error.count(f"error: {text}") == 1
        assert (out / "run.log").read_text().count("Traceback") == 3
        # The shards are published, so the hook is not called for them a second time.
        assert make(out) == 0
        assert failing.take() == other.take() == []
    assert verify(out) == []


def test_a_failed_run_is_told_to_all_with_its_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: object) -> None:
        raise RuntimeError("a mistake")

    failing, other, out = Calls(), Calls(), tmp_path / "out"
    failing.fails[FAILED] = KeyError("run")
    monkeypatch.setattr("depthmask.engine.run.finish", broken)
    with loaded("failing", **failing.hooks()), loaded("other", **other.hooks()):
        assert make(out) == 1
        lines = capsys.readouterr().err.splitlines()
        said = lines[-1].removeprefix("error: ")
        assert said.startswith("RuntimeError: a mistake (in broken, test_run_hooks.py:")
        for plugin in (failing, other):
            assert plugin.take() == [STARTED, *shards(0, 1, 2), (FAILED, said)]
        assert lines[-2].startswith(
            "note: depthmask_run_failed of failing 1.2 failed: KeyError: 'run' (in note, "
        )
        # Resumed: nothing is published anew, and it ends well.
        monkeypatch.undo()
        assert make(out) == 0
        assert other.take() == [STARTED, FINISHED]


def test_an_interrupted_run_has_failed(tmp_path: Path) -> None:
    plugin, out = Calls(), tmp_path / "out"
    plugin.fails[PUBLISHED] = KeyboardInterrupt()
    with loaded("mine", **plugin.hooks()):
        assert make(out) == 130
        assert plugin.take() == [STARTED, *shards(0), (FAILED, "")]
        plugin.fails.clear()
        assert make(out) == 0
        assert plugin.take() == [STARTED, *shards(1, 2), FINISHED]


def test_a_refused_run_has_not_begun(tmp_path: Path) -> None:
    plugin, out = Calls(), tmp_path / "out"
    with loaded("mine", **plugin.hooks()):
        assert make(out) == 0
        plugin.take()
        assert make(out, "seed=5") == 2
        assert plugin.take() == []


def test_a_run_from_python_raises(tmp_path: Path) -> None:
    from depthmask.testing.job import small_job

    plugin = Calls()
    plugin.fails[FINISHED] = ValueError("later")
    job = small_job(tmp_path / "out")
    with (
        loaded("mine", **plugin.hooks()),
        pytest.raises(DepthmaskError, match=r"of mine 1\.2 failed"),
    ):
        run(job.root, Silent())
    assert len(depthmask.open(tmp_path / "out")) == 7


UPLOADER = """
import os, signal, sys
from pathlib import Path
import depthmask

@depthmask.hookimpl
def depthmask_run_finished(output):
    with open(Path(output) / ".." / "uploads", "a") as file:
        file.write("begun\\n")
    if os.environ.get("KILLED"):
        os.kill(os.getpid(), signal.SIGKILL)
    with open(Path(output) / ".." / "uploads", "a") as file:
        file.write("done\\n")

@depthmask.hookimpl
def depthmask_shard_published(root, record):
    with open(Path(root.output) / ".." / "shards", "a") as file:
        file.write(f"{record.shard}\\n")
"""


def test_a_run_that_is_killed_between_dataset_and_hook(tmp_path: Path) -> None:
    """At least once: the next same command calls the hook, the one after it does not."""
    install_module(tmp_path, "uploader", UPLOADER)
    words = ["depthmask", *ROOMS[:-1], "runner.workers=2", "output=out"]
    killed = run_with_plugins(tmp_path, *words, KILLED="1")
    assert killed.returncode == -signal.SIGKILL
    assert json.loads((tmp_path / "out" / PENDING_HOOKS).read_text())["pending"] == [
        "uploader:uploader"
    ]
    assert (tmp_path / "out" / "dataset.json").is_file()
    for expected in ("begun\nbegun\ndone\n", "begun\nbegun\ndone\n"):
        done = run_with_plugins(tmp_path, *words)
        assert done.returncode == 0, done.stderr
        assert "nothing is left to do" in done.stderr
        assert (tmp_path / "uploads").read_text() == expected
    # By this process, once for each shard, although other processes made them.
    assert sorted((tmp_path / "shards").read_text().split()) == [
        f"train-{number:06d}" for number in range(3)
    ]


def test_a_blocked_plugin_is_not_called(tmp_path: Path) -> None:
    install_module(tmp_path, "uploader", UPLOADER)
    words = ["depthmask", *ROOMS, "output=out"]
    assert run_with_plugins(tmp_path, *words, KILLED="1").returncode == -signal.SIGKILL
    blocked = run_with_plugins(tmp_path, *words, DEPTHMASK_BLOCK="uploader")
    assert blocked.returncode == 0
    assert "of uploader:uploader is still to be called" in blocked.stderr
    assert (tmp_path / "uploads").read_text() == "begun\n"
