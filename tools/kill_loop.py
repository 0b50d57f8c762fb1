"""SIGKILL runs at random times, resume them, and compare: nothing lost, nothing twice.

    python -m tools.kill_loop --rounds 300 --seed 0

Every round takes one writer and one kind of run (a new dataset with splits and labels, one that is
extended, a repair, the same command after damage, an overwrite, `convert`, `annotate`), kills it
four to eight times (the parent, one worker or the whole process group) at times that fall anywhere
from start-up to the end, and often while the files about the dataset are written, and runs the same
command again to its end. Exits 1 if any round lost, doubled or changed a sample, has any other file
otherwise than a run without kills, or left a process behind.

`--s3` has the datasets in an S3 server that it starts; what a round begins with is put there, and
what it ends with fetched to be looked at, by boto3.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from unittest.mock import patch

# So that it runs as a script, too.
from depthmask.storage.location import location
from depthmask.storage.path import StorePath, is_derived
from depthmask.storage.publish import read_sealed
from depthmask.storage.verify import verify
from tests.support import tiny
from tests.support.plugins import install_module
from tests.support.s3_server import BUCKET, Server, s3_server

KINDS = ("new", "extend", "repair", "again", "overwrite", "convert", "annotate")
DAMAGED = ("repair", "again")
COPIES = ("convert", "annotate")
VICTIMS = ("parent", "worker", "group")
SAMPLES, SHORTER, SHARD = 120, 55, 6
"""The plan; what an extended dataset had before."""
SHARDS = SAMPLES // SHARD
PLUGIN = "rows_of_pathlib"
TABLES = f"""
import json
from pathlib import Path
from depthmask import stage
from depthmask.stages.writer.folder import Folder

@stage("{PLUGIN}")
class Tables(Folder):
    "A folder for each shard, and files about the dataset that are written by pathlib alone."

    def derive(self, dataset):
        folder = Path(str(dataset.path), "tables")
        folder.mkdir(exist_ok=True)
        for record in dataset.records():
            names = "".join(f"{{file.name}}\\n" for file in record.files)
            (folder / f"{{record.shard}}.txt").write_text(names)
        (folder / "all.json").write_text(json.dumps([one.shard for one in dataset.records()]))
"""
"""A writer of others."""
REQUESTS = 160
"""Those of a run, about; the moment of a kill is counted in them where there is a server."""
DEADLINE_S = 120.0
TOO_LATE, SURVIVED = "(too late)", "survived"
ENDED = (TOO_LATE, SURVIVED)
"""What became of a run that is complete in spite of the kill."""


@dataclass
class Round:
    """One round: what was done, and what was found wrong."""

    number: int
    kind: str
    writer: str
    kills: list[tuple[str, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class Arena:
    """A folder with assets, and for each writer what uninterrupted runs make of them."""

    def __init__(
        self,
        folder: Path,
        writers: tuple[str, ...] = (*tiny.WRITERS, PLUGIN),
        server: Server | None = None,
    ) -> None:
        """server: where the datasets of the rounds go, instead of to the folder."""
        self._folder = folder
        self._server = server
        self.site = folder / "site"
        self.site.mkdir()
        install_module(self.site, PLUGIN, TABLES)
        self.assets = tiny.make_assets(folder / "assets")
        self.writers = writers
        self.seconds: dict[str, float] = {}
        for writer in writers:
            self._finish(writer, "extend", f"samples={SHORTER}")
            self._finish(writer, "overwrite", "seed=1")
            start = time.monotonic()
            self._finish(writer, "new")
            self.seconds[writer] = time.monotonic() - start
        for writer, kind in product(writers, COPIES):
            self._finish(writer, kind)

    def where(self, output: Path) -> StorePath:
        """Where the dataset of a round lies, as its command has it."""
        name = output.relative_to(self._folder).as_posix()
        return location(f"s3://{BUCKET}/{name}") if self._server else location(output)

    def finished(self, writer: str, kind: str) -> Path:
        """The dataset of an uninterrupted run.

        Its name is that of all, since the card says it.
        """
        return self._folder / f"{writer}-{kind}" / "out"

    def arguments(self, output: StorePath | Path, writer: str, kind: str, *more: str) -> list[str]:
        """Those of a run."""
        plan = (f"samples={SAMPLES}", f"shard_size={SHARD}", "split.train=0.7", "split.val=0.3")
        how = (f"writer={writer}", "runner.workers=2", *more)
        if kind in COPIES:
            depth = ("depth=layered", "geometry=source") if kind == "annotate" else ()
            given = str(self.finished(self.writers[0], "new"))
            return [kind, given, f"output={output}", *depth, *how]
        return tiny.words(self.assets, output, "labels=[coco]", *plan, *how)

    def round(self, number: int, seed: int) -> Round:
        """Kill, resume, compare; everything about it follows from seed and number."""
        chance = random.Random(f"{seed}/{number}")
        combinations = list(product(self.writers, KINDS))
        writer, kind = combinations[number % len(combinations)]
        done = Round(number, kind, writer)
        output = self._folder / f"round-{number}" / "out"
        output.parent.mkdir()
        self._prepare(output, done, chance)
        if self._server:
            self._server.push(output, f"{output.parent.name}/out")
            shutil.rmtree(output, ignore_errors=True)
        command = self._command(self.where(output), done)
        for _ in range(chance.randint(4, 8)):
            done.kills.append(self._kill(command, done, output, chance))
            if done.kills[-1][1] in ENDED:
                break
        log = output.with_suffix(".log")
        process = tiny.start(command, log, self.site)
        try:
            code = process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            code = -1
        if code:
            done.problems.append(f"exit code {code}: {log.read_text().strip()[-300:]}")
        else:
            if self._server:
                done.problems += map(str, verify(self.where(output)))
                self._server.pull(f"{output.parent.name}/out", output)
            like = self.finished(writer, kind if kind in COPIES else "new")
            with patch.object(sys, "path", [str(self.site), *sys.path]):
                done.problems += tiny.losses(output, SAMPLES, tiny.whole(like), tiny.whole)
        if left := tiny.orphans(process.pid):
            done.problems.append(f"{len(left)} processes left behind")
            tiny.end(left)
        if not done.problems:
            shutil.rmtree(output.parent)
        return done

    def _finish(self, writer: str, kind: str, *more: str) -> None:
        output = self.finished(writer, kind)
        output.parent.mkdir()
        log = output.with_suffix(".log")
        if tiny.start(self.arguments(output, writer, kind, *more), log, self.site).wait(DEADLINE_S):
            raise SystemExit(f"the uninterrupted run failed: {log.read_text()}")

    def _prepare(self, output: Path, done: Round, chance: random.Random) -> None:
        if done.kind in ("new", *COPIES):
            return
        before = "new" if done.kind in DAMAGED else done.kind
        shutil.copytree(self.finished(done.writer, before), output)
        if done.kind in DAMAGED:
            for path in _to_be_damaged(output, chance):
                _damage(path, chance)

    def _command(self, output: StorePath, done: Round) -> list[str]:
        if done.kind == "repair":
            return ["verify", str(output), "--repair"]
        more = ["overwrite=true"] if done.kind == "overwrite" else []
        return self.arguments(output, done.writer, done.kind, *more)

    def _moment(
        self, output: Path, start: float, before: int, writer: str, chance: random.Random
    ) -> Callable[[], bool]:
        """A function that says when to kill: by requests, time, records, or files about it all.

        start, before: the time, and the requests that the server had answered, at the start.
        """
        if server := self._server:
            requests = before + chance.randint(0, REQUESTS)
            return lambda: server.answered >= requests
        delay_s = chance.uniform(0, 0.1)
        match chance.choice(("time", "records", "records", "derived", "derived")):
            case "time":
                end = start + chance.uniform(0.1, 0.7) * self.seconds[writer]
                return lambda: time.time() >= end
            case "records":
                lacking = SHARDS - len(list((output / "records").glob("*.json"))) or 6
                count = chance.randint(1, lacking)
                return lambda: _newer(output / "records", start + delay_s) >= count
            case _:
                # The preview is the first of them, and they are written in little time.
                preview = output / "preview.jpg"
                return lambda: (
                    _newer(output, start, preview.name) == 1
                    and (time.time() > preview.stat().st_mtime + delay_s)
                )

    def _kill(
        self, command: list[str], done: Round, output: Path, chance: random.Random
    ) -> tuple[str, str]:
        """Start, wait, kill; who was killed, and how far the run had come."""
        victim = chance.choice(VICTIMS)
        start = time.time()
        before = self._server.answered if self._server else 0
        process = tiny.start(command, site=self.site)
        is_time = self._moment(output, start, before, done.writer, chance)
        while process.poll() is None and not is_time():
            time.sleep(0.002)
        workers = tiny.children(process.pid)
        if victim == "group":
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        elif victim == "worker" and workers:
            tiny.end([chance.choice(workers)])
            if chance.random() < 0.2:
                # The run replaces it, and has to end as if nothing had happened.
                if code := process.wait(DEADLINE_S):
                    done.problems.append(f"exit code {code} after a worker's death")
                return victim, SURVIVED
            time.sleep(chance.uniform(0, 0.3))
            process.kill()
        else:
            victim = "parent"
            process.kill()
        is_late = process.wait(DEADLINE_S) == 0
        return victim, TOO_LATE if is_late else stage_of(self.where(output))


def stage_of(output: StorePath) -> str:
    """How far a dataset has come."""
    if read_sealed(output / "dataset.json") is not None:
        return "complete"
    records = list((output / "records").glob("*.json"))
    if len(records) >= SHARDS and any(output.derived_names()):
        return "all shards, some files about them"
    if records:
        return "all shards" if len(records) >= SHARDS else "some shards"
    return "plan" if (output / "plan.json").exists() else "start-up"


def _to_be_damaged(output: Path, chance: random.Random) -> list[Path]:
    """Some shards and records, and some files about the dataset.

    A README that has changed is its owner's.
    """
    files = sorted(path.relative_to(output) for path in output.rglob("*") if path.is_file())
    derived = [one for one in files if is_derived(one.as_posix()) and one.name != "README.md"]
    shards = [one for one in files if one.parts[0] in ("shards", "records")]
    return [output / one for one in chance.sample(shards, 8) + chance.sample(derived, 3)]


def _newer(folder: Path, start: float, pattern: str = "*.json") -> int:
    """How many files of a folder were written since then."""
    count = 0
    for path in folder.glob(pattern):
        with suppress(FileNotFoundError):
            count += path.stat().st_mtime > start
    return count


def _damage(path: Path, chance: random.Random) -> None:
    content = bytearray(path.read_bytes())
    how = chance.randrange(3)
    if how == 0:
        path.unlink()
    elif how == 1:
        path.write_bytes(content[: chance.randrange(len(content))])
    else:
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        path.write_bytes(content)


def rounds(arena: Arena, count: int, seed: int, at_once: int = 1) -> Iterator[Round]:
    """The rounds 0..count-1 as they come."""
    with ThreadPoolExecutor(at_once) as threads:
        yield from threads.map(lambda number: arena.round(number, seed), range(count))


def report(done: list[Round]) -> int:
    """Print the table; how many rounds went wrong."""
    for name, column in (
        ("kind and writer", [f"{one.kind:9} {one.writer}" for one in done]),
        ("killed", [victim for one in done for victim, _ in one.kills]),
        ("killed at", [stage for one in done for _, stage in one.kills]),
        ("kills a run", [str(len(one.kills)) for one in done]),
    ):
        print(f"\n{name}")
        for value, count in sorted(Counter(column).items()):
            print(f"  {value:34} {count:5}")
    bad = [one for one in done if one.problems]
    for one in bad:
        print(f"round {one.number} ({one.kind}, {one.writer}, {one.kills}): {one.problems}")
    kills = sum(stage != TOO_LATE for one in done for _, stage in one.kills)
    print(f"\n{len(done)} rounds, {kills} SIGKILLs, {len(bad)} rounds with a loss")
    return len(bad)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="SIGKILL runs at random times.")
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--at-once", type=int, default=2, help="rounds that run side by side")
    parser.add_argument("--s3", action="store_true", help="datasets in an S3 server")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="depthmask-kill-"))
    with s3_server() if options.s3 else nullcontext() as server:
        return _run(Arena(folder, server=server), folder, options)


def _run(arena: Arena, folder: Path, options: argparse.Namespace) -> int:
    done = []
    for one in rounds(arena, options.rounds, options.seed, options.at_once):
        done.append(one)
        kills = ", ".join(f"{victim}: {stage}" for victim, stage in one.kills)
        print(
            f"{one.number:4} {one.kind:9} {one.writer:16} {kills} {one.problems or ''}", flush=True
        )
    bad = report(done)
    if bad:
        print(f"what is left of them: {folder}")
    else:
        shutil.rmtree(folder)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
