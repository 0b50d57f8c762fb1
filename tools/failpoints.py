"""Stop a run before each of its steps on the disk in turn, resume it, and compare.

    python -m tools.failpoints            # SIGKILL at every step
    python -m tools.failpoints --full     # the disk is full from that step on

A step is a file opened for writing, a write (and half a write), fsync, rename, mkdir, removal. The
code under test knows nothing of this: a forked child counts them from outside, by an audit hook
and by standing in for `os.fsync` and `open`. Exits 1 if a resumed run differs from one that was
never stopped.
"""

from __future__ import annotations

import argparse
import builtins
import errno
import io
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# So that it runs as a script, too.
# Imported for the children, which would each take half a second for it.
import depthmask.cli.commands.run
import depthmask.cli.commands.verify  # noqa: F401
from depthmask.cli.main import main as depthmask_main
from depthmask.config.plugins import registry
from depthmask.storage.location import location
from depthmask.storage.publish import read_sealed
from depthmask.storage.records import Records
from depthmask.storage.verify import verify
from tests.support import tiny

KINDS = ("new", "extend", "repair", "overwrite")
SAMPLES, SHORTER = 7, 4
_PLAN = ("shard_size=3", "runner.workers=1")
_REMOVALS = {"os.remove", "os.rmdir"}
_CHANGES = {"os.rename", "os.mkdir", "os.truncate", "shutil.rmtree"} | _REMOVALS


@dataclass
class Steps:
    """Counts the steps below a folder, and acts from number `at` on."""

    folder: str
    at: int
    full: bool
    count: int = 0

    def step(self, path: object, *, takes_room: bool = True) -> None:
        """One more step is about to happen."""
        if not _text(path).startswith(self.folder):
            return
        self.count += 1
        if self.full:
            if self.count >= self.at and takes_room:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), _text(path))
        elif self.count == self.at:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self) -> None:
        """From now on, in this process."""
        sync, plain_open, steps = os.fsync, io.open, self

        def fsync(handle: Any) -> None:
            path = os.readlink(f"/proc/self/fd/{handle if isinstance(handle, int) else -1}")
            steps.step(path)
            sync(handle)
            steps.step(path, takes_room=False)

        def opened(file: Any, mode: str = "r", *rest: Any, **named: Any) -> Any:
            found = plain_open(file, mode, *rest, **named)
            if set(mode) & set("wax+") and isinstance(found, io.BufferedWriter):
                found.detach()
                return io.BufferedWriter(_Raw(steps, _text(file), mode.replace("b", "")))
            return found

        os.fsync = fsync  # type: ignore[assignment]
        io.open = builtins.open = opened
        sys.addaudithook(self._audit)

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                self.step(path)
        elif event in _CHANGES:
            target = arguments[1] if event == "os.rename" else arguments[0]
            self.step(target, takes_room=event not in _REMOVALS | {"shutil.rmtree"})


class _Raw(io.FileIO):
    """A file whose writes are steps, and can end halfway."""

    def __init__(self, steps: Steps, path: str, mode: str) -> None:
        super().__init__(path, mode)
        self._steps = steps

    def write(self, data: Any, /) -> int:
        self._steps.step(self.name)
        view = memoryview(data).cast("B")
        half = super().write(view[: len(view) // 2]) or 0
        self._steps.step(self.name)
        return half + (super().write(view[half:]) or 0)


def _text(path: object) -> str:
    return os.path.abspath(os.fsdecode(path)) if isinstance(path, str | bytes | Path) else ""


def in_child(arguments: list[str], steps: Steps | None, log: Path) -> int:
    """Run the command in a forked child; its exit code, or less than 0 for a signal."""
    process = os.fork()
    if process == 0:
        code = 70
        try:
            handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(handle, 1)
            os.dup2(handle, 2)
            if steps:
                steps.watch()
            code = depthmask_main(arguments)
            sys.stderr.flush()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


class Course:
    """All steps of one kind of run, for one writer."""

    def __init__(self, folder: Path, assets: Path, writer: str, kind: str) -> None:
        self._folder = folder / f"{writer}-{kind}"
        self._folder.mkdir()
        self._words = [f"writer={writer}", *_PLAN]
        self._assets = assets
        self._kind = kind
        self._log = self._folder / "log"
        self.output = self._folder / "out"
        whole = self._folder / "whole"
        self._run(whole, f"samples={SAMPLES}")
        self.wanted = tiny.sha256s(whole)
        self._before = self._folder / "before"
        if kind == "extend":
            self._run(self._before, f"samples={SHORTER}")
        elif kind == "overwrite":
            self._run(self._before, f"samples={SAMPLES}", "seed=1")
        elif kind == "repair":
            shutil.copytree(whole, self._before)
            files = sorted((self._before / "shards").iterdir())
            files[0].write_bytes(b"damaged")
            (self._before / "records" / "train-000002.json").write_text("{}")
            (self._before / "shards" / "train-000009.tar").write_text("stray")

    def run(self, *, full: bool, every: int = 1) -> Iterator[tuple[int, list[str]]]:
        """For every k-th step (step, what was wrong), until a run is not stopped any more."""
        step, code = 1, -1
        while code:
            code, problems = self._stop_at(step, full=full)
            yield step, problems
            step += every

    def _stop_at(self, step: int, *, full: bool) -> tuple[int, list[str]]:
        shutil.rmtree(self.output, ignore_errors=True)
        if self._before.exists():
            shutil.copytree(self._before, self.output)
        arguments = self._arguments()
        steps = Steps(f"{self.output}", step, full)
        code = in_child(arguments, steps, self._log)
        problems = self._after(code, full=full)
        again = in_child(arguments, None, self._log)
        if again:
            problems.append(f"resuming gave {again}: {self._log.read_text()[-300:]}")
        else:
            problems += tiny.losses(self.output, SAMPLES, self.wanted)
        return code, problems

    def _after(self, code: int, *, full: bool) -> list[str]:
        """What must hold as soon as it has stopped."""
        problems = []
        if code not in (0, 1 if full else -signal.SIGKILL):
            problems.append(f"exit code {code}: {self._log.read_text()[-300:]}")
        if full and code:
            problems += one_line(self._log.read_text(), str(self.output))
        if self._kind != "repair":
            problems += unsound(self.output)
        return problems

    def _arguments(self) -> list[str]:
        if self._kind == "repair":
            return ["verify", str(self.output), "--repair"]
        more = ["overwrite=true"] if self._kind == "overwrite" else []
        return tiny.words(self._assets, self.output, *self._words, f"samples={SAMPLES}", *more)

    def _run(self, output: Path, *more: str) -> None:
        if in_child(tiny.words(self._assets, output, *self._words, *more), None, self._log):
            raise SystemExit(f"the run without a stop failed: {self._log.read_text()}")


def one_line(text: str, path: str) -> list[str]:
    """What is wrong with the last words of a run that the disk stopped."""
    lines = [line for line in text.splitlines() if line.startswith("error: ")]
    says = ("bytes are free", "ulimit -f")
    good = len(lines) == 1 and path in lines[0] and any(one in lines[0] for one in says)
    return [] if good and "Traceback" not in text else [f"no line with path and bytes: {text}"]


def unsound(folder: Path) -> list[str]:
    """What is published but not whole: a dataset, or a record of files that differ from it."""
    output, records = location(folder), Records(location(folder))
    if read_sealed(output / "dataset.json") is not None:
        return [f"complete, but {problem}" for problem in verify(output)]
    found = []
    plan = read_sealed(output / "plan.json")
    for path in sorted((output / "records").glob("*.json"), key=str) if plan else []:
        if (record := records.read(path.stem)) is None:
            found.append(f"{path.name}: cut")
        # The last one of a dataset that is extended is made again: file first, record second.
        elif record.stop - record.start == 3 or record.stop == SAMPLES:
            there = tiny.sha256s(folder)
            found += [f"{one.name}: cut" for one in record.files if there[one.name] != one.sha256]
    return found


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Stop a run before each of its steps.")
    parser.add_argument("--full", action="store_true", help="a full disk instead of SIGKILL")
    parser.add_argument("--writer", action="append", help="all by default")
    parser.add_argument("--kind", action="append", choices=KINDS, help="all by default")
    parser.add_argument("--every", type=int, default=1, help="only every k-th step")
    options = parser.parse_args()
    # On several cores `verify --repair` starts workers, in which no steps are counted.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])
    folder = Path(tempfile.mkdtemp(prefix="depthmask-steps-")).resolve()
    assets = tiny.make_assets(folder / "assets")
    registry()
    bad = 0
    for writer in options.writer or (*tiny.WRITERS, "folder"):
        for kind in options.kind or KINDS:
            course = Course(folder, assets, writer, kind)
            done = list(course.run(full=options.full, every=options.every))
            wrong = [(step, problems) for step, problems in done if problems]
            print(f"{writer:10} {kind:9} {len(done):4} steps, {len(wrong)} with a loss", flush=True)
            for step, problems in wrong:
                print(f"  step {step}: {problems}")
            bad += len(wrong)
    shutil.rmtree(folder)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
