"""SIGKILL runs at random times, resume them, and compare: nothing lost, nothing twice.

    python -m tools.kill_loop --rounds 300 --seed 0

Every round takes one writer and one kind of run (a new dataset, one that is extended, a repair,
an overwrite), kills it one to five times (the parent, one worker or the whole process group) at
times that fall anywhere from start-up to the end, and runs the same command again to its end.
Exits 1 if any round lost, doubled or changed a sample, or left a process behind.

`--s3` has the datasets in an S3 server that it starts; what a round begins with is put there, and
what it ends with fetched to be looked at, by boto3.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

# So that it runs as a script, too.
from depthmask.storage.location import location
from depthmask.storage.path import StorePath
from depthmask.storage.publish import read_sealed
from depthmask.storage.verify import verify
from tests.support import tiny
from tests.support.s3_server import BUCKET, Server, s3_server

KINDS = ("new", "extend", "repair", "overwrite")
VICTIMS = ("parent", "worker", "group")
SAMPLES, SHORTER, SHARD = 300, 137, 12
"""The plan; what an extended dataset had before."""
REQUESTS = 160
"""Those of a run, about; the moment of a kill is counted in them where there is a server."""
DEADLINE_S = 120.0


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
        writers: tuple[str, ...] = tiny.WRITERS,
        server: Server | None = None,
    ) -> None:
        """server: where the datasets of the rounds go, instead of to the folder."""
        self._folder = folder
        self._server = server
        self.assets = tiny.make_assets(folder / "assets")
        self.writers = writers
        self.seconds: dict[str, float] = {}
        for writer in writers:
            self._finish(self.before(writer, "extend"), writer, f"samples={SHORTER}")
            self._finish(self.before(writer, "overwrite"), writer, "seed=1")
            start = time.monotonic()
            self._finish(self.before(writer, "repair"), writer)
            self.seconds[writer] = time.monotonic() - start

    def where(self, output: Path) -> StorePath:
        """Where the dataset of a round lies, as its command has it."""
        return location(f"s3://{BUCKET}/{output.name}") if self._server else location(output)

    def before(self, writer: str, kind: str) -> Path:
        """The finished dataset that a kind of round begins with."""
        return self._folder / f"{writer}-{kind}"

    def arguments(self, output: StorePath | Path, writer: str, *more: str) -> list[str]:
        """Those of a run."""
        plan = (f"samples={SAMPLES}", f"shard_size={SHARD}", "runner.workers=2")
        return tiny.words(self.assets, output, f"writer={writer}", *plan, *more)

    def round(self, number: int, seed: int) -> Round:
        """Kill, resume, compare; everything about it follows from seed and number."""
        chance = random.Random(f"{seed}/{number}")
        combinations = list(product(self.writers, KINDS))
        writer, kind = combinations[number % len(combinations)]
        done = Round(number, kind, writer)
        output = self._folder / f"round-{number}"
        self._prepare(output, done, chance)
        if self._server:
            self._server.push(output, output.name)
            shutil.rmtree(output, ignore_errors=True)
        command = self._command(self.where(output), done)
        for _ in range(chance.randint(1, 5)):
            done.kills.append(self._kill(command, done, output, chance))
        log = output.with_suffix(".log")
        process = tiny.start(command, log)
        try:
            code = process.wait(DEADLINE_S)
        except TimeoutError:
            code = -1
        if code:
            done.problems.append(f"exit code {code}: {log.read_text().strip()[-300:]}")
        else:
            if self._server:
                done.problems += map(str, verify(self.where(output)))
                self._server.pull(output.name, output)
            wanted = tiny.sha256s(self.before(writer, "repair"))
            done.problems += tiny.losses(output, SAMPLES, wanted)
        if left := tiny.orphans(process.pid):
            done.problems.append(f"{len(left)} processes left behind")
            tiny.end(left)
        if not done.problems:
            shutil.rmtree(output)
            log.unlink()
        return done

    def _finish(self, output: Path, writer: str, *more: str) -> None:
        log = self._folder / f"{output.name}.log"
        if tiny.start(self.arguments(output, writer, *more), log).wait(DEADLINE_S):
            raise SystemExit(f"the uninterrupted run failed: {log.read_text()}")

    def _prepare(self, output: Path, done: Round, chance: random.Random) -> None:
        if done.kind == "new":
            return
        shutil.copytree(self.before(done.writer, done.kind), output)
        if done.kind == "repair":
            files = sorted(path for path in output.rglob("*") if path.is_file())
            damaged = [path for path in files if path.parent.name in ("shards", "records")]
            for path in chance.sample(damaged, 15):
                _damage(path, chance)

    def _command(self, output: StorePath, done: Round) -> list[str]:
        if done.kind == "repair":
            return ["verify", str(output), "--repair"]
        more = ["overwrite=true"] if done.kind == "overwrite" else []
        return self.arguments(output, done.writer, *more)

    def _kill(
        self, command: list[str], done: Round, output: Path, chance: random.Random
    ) -> tuple[str, str]:
        """Start, wait, kill; who was killed, and how far the run had come."""
        victim = chance.choice(VICTIMS)
        # Start-up is a third of it; a resumed run is shorter.
        wait_s = chance.uniform(0.1, 1.1) * self.seconds[done.writer]
        requests = chance.randint(0, REQUESTS)
        before = self._server.answered if self._server else 0
        process = tiny.start(command)
        if self._server:
            while process.poll() is None and self._server.answered < before + requests:
                time.sleep(0.002)
        else:
            time.sleep(wait_s)
        workers = tiny.children(process.pid)
        if victim == "group":
            os.killpg(process.pid, signal.SIGKILL)
        elif victim == "worker" and workers:
            tiny.end([chance.choice(workers)])
            if chance.random() < 0.5:
                # The run replaces it, and has to end as if nothing had happened.
                if code := process.wait(DEADLINE_S):
                    done.problems.append(f"exit code {code} after a worker's death")
                return victim, "survived"
            time.sleep(chance.uniform(0, 0.3))
            process.kill()
        else:
            victim = "parent"
            process.kill()
        is_late = process.wait(DEADLINE_S) == 0
        return victim, "(too late)" if is_late else stage_of(self.where(output))


def stage_of(output: StorePath) -> str:
    """How far a dataset has come."""
    if read_sealed(output / "dataset.json") is not None:
        return "complete"
    records = list((output / "records").glob("*.json"))
    if records:
        return "all shards" if len(records) >= SAMPLES / SHARD else "some shards"
    return "plan" if (output / "plan.json").exists() else "start-up"


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
            print(f"  {value:22} {count:5}")
    bad = [one for one in done if one.problems]
    for one in bad:
        print(f"round {one.number} ({one.kind}, {one.writer}, {one.kills}): {one.problems}")
    kills = sum(stage != "(too late)" for one in done for _, stage in one.kills)
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
        if one.problems or len(done) % 20 == 0:
            print(f"{len(done)} rounds {one.problems or ''}", flush=True)
    bad = report(done)
    if bad:
        print(f"what is left of them: {folder}")
    else:
        shutil.rmtree(folder)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
