"""Is everything published in the right order? A checker of what strace saw of a run.

    python -m tools.check_publish            # makes a tiny dataset with every writer, under strace
    python -m tools.check_publish TRACE OUT  # judges a trace that is there already

Every file of a dataset but its log and lock: all writes come before an fsync of the file, that
before its rename, that before an fsync of its folder. A record is renamed
only after the folder of its shard is synced, dataset.json after everything else. Exits 1 if not.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

# So that it runs as a script, too.
from tests.support import tiny

CALLS = (
    "openat,write,writev,pwrite64,ftruncate,fsync,fdatasync,rename,renameat,renameat2,"
    "link,linkat,symlink,copy_file_range,sendfile,close,mkdir,unlink"
)
_FREE = (".drafts", ".lock", "run.log", "hooks.json")
"""What is not published: nothing of a dataset depends on it."""
_WRITES = ("write", "writev", "pwrite64", "ftruncate", "copy_file_range", "sendfile")
_PATH = r'"((?:[^"\\]|\\.)*)"'
_LINE = re.compile(r"^(\d+) +(\w+)\((.*)$")
_RESUMED = re.compile(r"^(\d+) +<\.\.\. (\w+) resumed>(.*)$")


@dataclass
class File:
    """When, by line of the trace, what happened to a file; -1: never."""

    written: int = -1
    synced: int = -1
    renamed: int = -1


@dataclass
class State:
    """What is known at a line of the trace."""

    output: str
    files: dict[str, File] = field(default_factory=dict)
    folders: dict[str, int] = field(default_factory=dict)
    finals: dict[str, File] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def file(self, path: str) -> File:
        """Its history so far."""
        return self.files.setdefault(path, File())

    def rename(self, line: int, old: str, new: str) -> None:
        """Judge the publishing of a file, or of a folder of files."""
        moved = {path: file for path, file in self.files.items() if _within(path, old)}
        for path, file in moved.items():
            del self.files[path]
            file.renamed = line
            self.files[target := new + path[len(old) :]] = file
            if self._is_final(target):
                self.finals[target] = file
                if file.synced < file.written:
                    self.problems.append(f"{self._short(target)}: renamed before it was synced")
                if path != old and self.folders.get(str(PurePosixPath(path).parent), -1) < 0:
                    self.problems.append(f"{self._short(target)}: its folder was not synced")
        if new == f"{self.output}/dataset.json":
            self._all_durable(new)
        elif new.startswith(f"{self.output}/records/"):
            self._shard_durable(new)

    def written(self, line: int, path: str) -> None:
        """A write: too late if the file has its name already."""
        self.file(path).written = line
        if self._is_final(path):
            self.finals[path] = self.file(path)
            self.problems.append(f"{self._short(path)}: written in place")

    def _shard_durable(self, record: str) -> None:
        shard = PurePosixPath(record).stem
        files = [
            path
            for path in self.finals
            if path.startswith(f"{self.output}/shards/")
            and PurePosixPath(path).relative_to(f"{self.output}/shards").parts[0].split(".")[0]
            == shard
        ]
        if not files:
            self.problems.append(f"{self._short(record)}: renamed before any file of its shard")
        for path in files:
            if self.folders.get(f"{self.output}/shards", -1) < self.finals[path].renamed:
                self.problems.append(
                    f"{self._short(record)}: renamed before the folder of {self._short(path)} "
                    "was synced"
                )

    def _all_durable(self, new: str) -> None:
        for path in self.finals:
            if path != new and not self._is_durable(path):
                self.problems.append(f"{self._short(path)}: not durable before dataset.json")

    def _is_durable(self, path: str) -> bool:
        file = self.finals[path]
        # A folder of shards is published as a whole.
        is_shard = _within(path, f"{self.output}/shards")
        folder = f"{self.output}/shards" if is_shard else str(PurePosixPath(path).parent)
        return self.folders.get(folder, -1) > file.renamed >= 0

    def finish(self) -> list[str]:
        """The verdict on what the trace ends with."""
        last = f"{self.output}/dataset.json"
        for path, file in self.finals.items():
            if not self._is_durable(path):
                self.problems.append(f"{self._short(path)}: its folder was not synced at the end")
            if last in self.finals and path != last and file.renamed > self.finals[last].renamed:
                self.problems.append(f"{self._short(path)}: published after dataset.json")
        for name in ("plan.json", "dataset.json"):
            if f"{self.output}/{name}" not in self.finals:
                self.problems.append(f"{name}: never published")
        return self.problems

    def _is_final(self, path: str) -> bool:
        if not _within(path, self.output) or path == self.output:
            return False
        parts = PurePosixPath(path).relative_to(self.output).parts
        # `#` begins the name that strace shows of a file without one.
        if parts[-1].endswith(".tmp") or parts[-1].startswith("#"):
            return False
        return parts[0] not in _FREE

    def _short(self, path: str) -> str:
        return path[len(self.output) + 1 :]


def check(trace: Iterable[str], output: str) -> tuple[list[str], int]:
    """The violations in a trace (of `strace -f -y`), and how many files it published."""
    state = State(output.rstrip("/"))
    for number, (name, arguments, result) in enumerate(_calls(trace)):
        if result.startswith("-1"):
            continue
        handle = re.match(r"\d+<([^>]*)>", arguments)
        paths = re.findall(_PATH, arguments)
        if name in _WRITES and handle:
            state.written(number, handle[1])
        elif name in ("fsync", "fdatasync") and handle:
            if any(one.startswith(handle[1] + "/") for one in state.files):
                state.folders[handle[1]] = number
            else:
                state.file(handle[1]).synced = number
        elif name.startswith(("rename", "link", "symlink")) and len(paths) == 2:
            state.rename(number, paths[0], paths[1])
        elif name == "openat" and "O_TRUNC" in arguments and paths:
            state.written(number, paths[0])
    return state.finish(), len(state.finals)


def _calls(trace: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """(name, arguments, result) in the order of their ends; interrupted ones are put together."""
    begun: dict[str, str] = {}
    for line in trace:
        if resumed := _RESUMED.match(line):
            process, name, rest = resumed.groups()
            text = begun.pop(process + name, "") + rest
        elif begins := _LINE.match(line):
            process, name, text = begins.groups()
            if text.rstrip().endswith("<unfinished ...>"):
                begun[process + name] = text.rstrip().removesuffix("<unfinished ...>")
                continue
        else:
            continue
        arguments, _, result = text.rpartition(" = ")
        yield name, arguments, result.strip()


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + "/")


def trace(arguments: list[str], into: Path) -> None:
    """Run the command under strace; CalledProcessError if it fails."""
    command = ["strace", "-f", "-y", "-qq", "-s", "1", "-e", f"trace={CALLS}", "-o", str(into)]
    subprocess.run(
        [*command, sys.executable, "-m", "depthmask", *arguments],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def _judge(trace_file: Path, output: Path) -> int:
    with trace_file.open(encoding="utf-8", errors="replace") as lines:
        problems, files = check(lines, str(output))
    for problem in problems:
        print(f"  {problem}")
    print(f"{output.name}: {files} files published, {len(problems)} violations")
    return len(problems)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Check the order of publishing.")
    parser.add_argument("trace", type=Path, nargs="?")
    parser.add_argument("output", type=Path, nargs="?")
    options = parser.parse_args()
    if options.trace:
        return 1 if _judge(options.trace, options.output) else 0
    folder = Path(tempfile.mkdtemp(prefix="depthmask-publish-")).resolve()
    assets = tiny.make_assets(folder / "assets")
    found = 0
    for writer in (*tiny.WRITERS, "folder", "depthmaskdataset"):
        for workers in (1, 2):
            output = folder / f"{writer}-{workers}"
            plan = ("samples=20", "shard_size=6", f"runner.workers={workers}", "labels=[coco]")
            trace(tiny.words(assets, output, f"writer={writer}", *plan), folder / "trace")
            found += _judge(folder / "trace", output)
    shutil.rmtree(folder)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
