"""Stop a run, let another take its place, wake the first: it must not change what the other made.

    python -m tools.zombies              # 20 scenarios in an S3 server, 5 in folders
    python -m tools.zombies --true       # with the 30 s that a lock is left to its holder
    python -m tools.zombies --only 3 7

In the store, a proxy stops the first run at one of its requests: it keeps the request until the
end, or its answer, or drops it. The second run is told that it is on another machine, so that it
waits for the lock. In folders, the first run stops itself before a sync, and its lock or
folder is removed. Exits 1 unless all objects and files of the second run are as it left them, and
the first has ended with 1 and one line.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

from depthmask.storage import object_store
from tests.support import tiny
from tests.support.s3_server import BUCKET, Server, s3_server

DEADLINE_S = 120.0
HASTY = (1.5, 0.3)
"""Seconds of a lock, and between its renewals."""
TRUE = (30.0, 8.0)
PLAN = ("samples=7", "shard_size=3", "encode.labels=coco")
"""Three shards, the last one of one sample."""
SECONDS = {
    "resume": ("samples=7",),
    "extend": ("samples=11",),
    "overwrite": ("seed=1", "overwrite=true"),
    "fewer": ("seed=1", "samples=2", "overwrite=true"),
    "repair": (),
}
"""What the second run does; `fewer` overwrites with a dataset of one shard."""
SHARD, RECORD = "shards/train-00000{}.tar", "records/train-00000{}.json"


@dataclass(frozen=True)
class Scenario:
    """What happens in an object store.

    at: the object at which the first run stops. how: whether its put is kept, is dropped, or is
    answered first. second: what the other run does. sleep: what stops. extends: whether the first
    run extends a dataset. workers: of the first run.
    """

    at: str
    how: str
    second: str
    sleep: str
    extends: bool = False
    workers: int = 2

    def __str__(self) -> str:
        first = "extends" if self.extends else "makes"
        return f"{first}, {self.workers} workers, {self.how} {self.at}, {self.sleep}; {self.second}"


IN_STORE = (
    # Before the put of a shard: the record of another is answered.
    Scenario(RECORD.format(0), "answered", "overwrite", "group", workers=1),
    Scenario(RECORD.format(0), "answered", "extend", "suspend", workers=1),
    Scenario(RECORD.format(0), "answered", "fewer", "group", workers=1),
    # Within it.
    Scenario(SHARD.format(1), "kept", "overwrite", "group"),
    Scenario(SHARD.format(1), "kept", "overwrite", "parent"),
    Scenario(SHARD.format(1), "kept", "resume", "suspend", workers=1),
    Scenario(SHARD.format(2), "kept", "extend", "parent"),
    Scenario(SHARD.format(1), "dropped", "overwrite", "group", workers=1),
    Scenario(SHARD.format(2), "dropped", "fewer", "suspend", workers=1),
    # Between a shard and its record, and within the record.
    Scenario(SHARD.format(1), "answered", "overwrite", "group", workers=1),
    Scenario(SHARD.format(1), "answered", "fewer", "suspend", workers=1),
    Scenario(RECORD.format(1), "kept", "repair", "parent"),
    # While the files about the dataset are written.
    Scenario("preview.jpg", "answered", "extend", "suspend"),
    Scenario("coco_train.json", "kept", "overwrite", "group", workers=1),
    Scenario("coco_train.json", "answered", "repair", "parent"),
    # Right before dataset.json.
    Scenario("dataset.json", "kept", "overwrite", "suspend", workers=1),
    Scenario("dataset.json", "dropped", "extend", "group"),
    # While it extends.
    Scenario("plan.json", "kept", "overwrite", "suspend", extends=True, workers=1),
    Scenario(SHARD.format(1), "kept", "extend", "group", extends=True),
    Scenario("coco_train.json", "dropped", "overwrite", "suspend", extends=True),
)
"""Where the other dataset has fewer shards, the first run has one worker: the put of a second one
may be on its way, and makes an object that the other has not, which no condition prevents.

How it sleeps: `parent` alone, the whole `group`, or all of the machine (`suspend`), of which
`time.monotonic` knows nothing."""


@dataclass(frozen=True)
class Local:
    """What happens in a folder.

    at: the file or folder before whose sync the first run stops. removed: the `lock`, or the
    `folder`, which may be `moved` instead. second: what the other run does then.
    """

    at: str
    removed: str
    second: str
    workers: int = 1

    def __str__(self) -> str:
        return (
            f"in a folder, {self.workers} workers, before {self.at}; {self.removed}, {self.second}"
        )


IN_FOLDER = (
    # Between two shards.
    Local("records", "lock", "overwrite"),
    Local("records", "folder", "fewer", workers=2),
    # Within a shard, within a file about the dataset, right before dataset.json.
    Local("train-000001.tar", "folder", "overwrite"),
    Local("coco_train.json", "moved", "fewer"),
    Local("dataset.json", "lock", "extend"),
)


SCENARIOS: tuple[Scenario | Local, ...] = (*IN_STORE, *IN_FOLDER)

_SITE = """
import os
if at := os.environ.get("ZOMBIE_AT"):
    from tools.zombies import stop_before_sync
    stop_before_sync(at)
"""
"""What each process of a run in a folder does at first, workers too."""


@dataclass
class Stop:
    """Where a proxy stops a run: `freeze` is called, and the request waits until `woken`."""

    suffix: str
    how: str
    freeze: Callable[[], None]
    frozen: threading.Event = field(default_factory=threading.Event)
    woken: threading.Event = field(default_factory=threading.Event)
    _first: threading.Lock = field(default_factory=threading.Lock)

    def takes(self, method: str, path: str) -> bool:
        """Whether this request is the one; it is only once."""
        is_it = method == "PUT" and urlsplit(path).path.endswith(self.suffix)
        return is_it and self._first.acquire(blocking=False)

    def hold(self) -> None:
        """Stop the run, and wait."""
        self.freeze()
        self.frozen.set()
        self.woken.wait(DEADLINE_S)


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Connections break off when a run ends; that is no news."""


@contextmanager
def proxy(server: Server, stop: Stop) -> Iterator[str]:
    """The address of a proxy before the server that stops a run."""
    upstream = urlsplit(server.environment["AWS_ENDPOINT_URL"]).netloc

    class Forward(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            is_it = stop.takes(self.command, self.path)
            if is_it and stop.how != "answered":
                stop.hold()
            if is_it and stop.how == "dropped":
                self.close_connection = True
                return
            connection = http.client.HTTPConnection(upstream, timeout=DEADLINE_S)
            connection.request(self.command, self.path, body, dict(self.headers))
            answer = connection.getresponse()
            content = answer.read()
            if is_it and stop.how == "answered":
                stop.hold()
            self.send_response_only(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                    self.send_header(name, value)
            size = answer.getheader("Content-Length") if self.command == "HEAD" else len(content)
            self.send_header("Content-Length", str(size or 0))
            self.end_headers()
            self.wfile.write(content)
            connection.close()

        def log_message(self, *about: object) -> None:
            pass

    for method in ("GET", "HEAD", "PUT", "POST", "DELETE"):
        setattr(Forward, f"do_{method}", Forward.forward)
    with _Quiet(("127.0.0.1", 0), Forward) as one:
        thread = threading.Thread(target=one.serve_forever, args=[0.05])
        thread.start()
        try:
            yield f"http://127.0.0.1:{one.server_port}"
        finally:
            stop.woken.set()
            one.shutdown()
            thread.join()


class Arena:
    """Assets, the server, and the times of the lock."""

    def __init__(self, folder: Path, server: Server, times: tuple[float, float] = HASTY) -> None:
        self.folder = folder
        self.assets = tiny.make_assets(folder / "assets")
        self.server = server
        self.times = times
        (folder / "site").mkdir()
        (folder / "site" / "sitecustomize.py").write_text(_SITE)

    def start(
        self, words: list[str], log: Path, host: str, **environment: str
    ) -> subprocess.Popen[bytes]:
        """A run that believes to be on this machine, as a process group of its own."""
        (scratch := self.folder / f"tmp-{host}").mkdir(exist_ok=True)
        settings = {"ZOMBIE_HOST": host, "ZOMBIE_TIMES": " ".join(map(str, self.times))}
        with log.open("ab") as file:
            return subprocess.Popen(
                [sys.executable, "-c", "from tools.zombies import as_run; as_run()", *words],
                env={**os.environ, "TMPDIR": str(scratch), **settings, **environment},
                stdout=file,
                stderr=file,
                start_new_session=True,
            )

    def words(self, output: object, second: str, *more: str) -> list[str]:
        """The arguments of the second run; those of the first without its changes."""
        if second == "repair":
            return ["verify", str(output), "--repair"]
        changes = [*PLAN, *SECONDS[second], *more]
        last = {word.partition("=")[0]: word for word in changes}
        return tiny.words(self.assets, output, *last.values())  # type: ignore[arg-type]

    def finish(self, words: list[str], log: Path, host: str) -> None:
        """Run to the end; RuntimeError unless that is a good one."""
        process = self.start(words, log, host)
        if code := process.wait(DEADLINE_S):
            raise RuntimeError(f"{' '.join(words)} gave {code}: {log.read_text()[-500:]}")


def in_store(arena: Arena, scenario: Scenario, name: str) -> list[str]:
    """What is wrong after a scenario in the object store."""
    output, log = f"s3://{BUCKET}/{name}", arena.folder / f"{name}.log"
    other_log = arena.folder / f"{name}-other.log"
    if scenario.extends:
        arena.finish(arena.words(output, "resume", "samples=4"), other_log, "before")
    slept = arena.folder / f"{name}-slept"
    slept.write_text("0")
    first: list[subprocess.Popen[bytes]] = []

    def freeze() -> None:
        _send(first[0].pid, signal.SIGSTOP, scenario.sleep)

    stop = Stop(f"{name}/{scenario.at}", scenario.how, freeze)
    with proxy(arena.server, stop) as url:
        begun = [f"runner.workers={scenario.workers}"]
        words = arena.words(output, "resume", *begun)
        settings = {"AWS_ENDPOINT_URL": url, "ZOMBIE_SLEEP": scenario.sleep}
        first.append(arena.start(words, log, "first", **settings, ZOMBIE_SLEPT=str(slept)))
        try:
            if not stop.frozen.wait(DEADLINE_S):
                return [f"it never came to {scenario.at}: {log.read_text()[-500:]}"]
            since = time.monotonic()
            other = arena.words(output, scenario.second, "runner.workers=1")
            arena.finish(other, other_log, "second")
            before = _objects(name)
            slept.write_text(str(time.monotonic() - since))
            _send(first[0].pid, signal.SIGCONT, scenario.sleep)
            stop.woken.set()
            code = first[0].wait(DEADLINE_S)
            return [*changes(before, _objects(name)), *ending(code, log)]
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            return [str(error)]
        finally:
            tiny.end(tiny.group(first[0].pid))
            first[0].wait()


def in_folder(arena: Arena, scenario: Local, name: str) -> list[str]:
    """What is wrong after a scenario in a folder."""
    output, log = arena.folder / name, arena.folder / f"{name}.log"
    words = arena.words(output, "resume", f"runner.workers={scenario.workers}")
    path = f"{arena.folder / 'site'}:{os.environ.get('PYTHONPATH', '')}"
    slept = f"{arena.folder / name}-slept"
    settings = {"PYTHONPATH": path, "ZOMBIE_AT": scenario.at, "ZOMBIE_SLEPT": slept}
    first = arena.start(words, log, "first", **settings)
    try:
        if not _wait_until_stopped(first.pid):
            return [f"it never came to {scenario.at}: {log.read_text()[-500:]}"]
        _send(first.pid, signal.SIGSTOP, "group")
        if scenario.removed == "lock":
            (output / ".lock").unlink()
        elif scenario.removed == "moved":
            output.rename(output.with_name(f"{name}-moved"))
        else:
            shutil.rmtree(output)
        other = arena.words(output, scenario.second, "runner.workers=1")
        arena.finish(other, arena.folder / f"{name}-other.log", "second")
        before = _files(output)
        _send(first.pid, signal.SIGCONT, "group")
        code = first.wait(DEADLINE_S)
        return [*changes(before, _files(output)), *ending(code, log)]
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        return [str(error)]
    finally:
        tiny.end(tiny.group(first.pid))
        first.wait()


def _send(process: int, what: signal.Signals, sleep: str) -> None:
    (os.kill if sleep == "parent" else os.killpg)(process, what)


def _wait_until_stopped(group: int) -> bool:
    """Whether a process of the group has stopped itself."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline and (living := tiny.group(group)):
        for one in living:
            text = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            if text[0] == "T":
                return True
        time.sleep(0.02)
    return False


def _objects(name: str) -> dict[str, str]:
    """The hash of each object of a dataset by its key."""
    root = f"s3://{BUCKET}"
    keys = [one.key for one in object_store.list_objects(root, f"{name}/")]
    return {key: _sha256(object_store.get(root, key)[1]) for key in keys}


def _files(output: Path) -> dict[str, str]:
    """The hash of each file of a dataset, but for those that nobody is promised."""
    paths = (path for path in output.rglob("*") if path.is_file())
    names = ((path.relative_to(output).as_posix(), path) for path in paths)
    return {name: _sha256(path.read_bytes()) for name, path in names if name != "run.log"}


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def changes(before: dict[str, str], after: dict[str, str]) -> Iterator[str]:
    """Yield a line for each file of the second run that is another now, and for each new one."""
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            how = "is new" if name not in before else "is gone" if name not in after else "differs"
            yield f"{name} {how}"


def ending(code: int, log: Path) -> Iterator[str]:
    """Yield what is wrong with how the first run ended."""
    text = log.read_text()
    lines = [line for line in text.splitlines() if line.startswith("error: ")]
    if code != 1 or len(lines) != 1 or "the lock of this run is gone" not in lines[0]:
        yield f"it ended with {code} and {lines or text[-300:]}"


def as_run() -> None:
    """The command with what a scenario changes, by the environment; in a process of its own."""
    from depthmask.cli.main import main as depthmask_main
    from depthmask.storage import lease

    lease.LEASE_S, lease.RENEW_S = map(float, os.environ["ZOMBIE_TIMES"].split())
    lease._POLL_S = lease.RENEW_S / 8
    process = {**lease._this_process(), "host": os.environ["ZOMBIE_HOST"]}
    lease._this_process = lambda: dict(process)
    if os.environ.get("ZOMBIE_SLEEP") == "suspend":
        _leave_out_sleep(Path(os.environ["ZOMBIE_SLEPT"]))
    sys.exit(depthmask_main(sys.argv[1:]))


def _leave_out_sleep(slept: Path) -> None:
    """Have `time.monotonic` and the waits for a renewal leave out the time that a machine slept."""
    from depthmask.storage import lease

    monotonic, renew = time.monotonic, lease._Lease.renew
    time.monotonic = lambda: monotonic() - float(slept.read_text() or 0)

    class Ended:
        def __init__(self, ended: threading.Event) -> None:
            self._ended = ended

        def wait(self, seconds: float) -> bool:
            begun = time.monotonic()
            while time.monotonic() - begun < seconds:
                if self._ended.wait(0.02):
                    return True
            return False

    lease._Lease.renew = lambda self, ended: renew(self, Ended(ended))  # type: ignore


def stop_before_sync(at: str) -> None:
    """Have this process stop itself before it syncs what has this name, or will have it."""
    sync, pattern = os.fsync, re.compile(re.escape(at) + r"(\.[0-9a-f]{16}\.tmp)?\Z")

    def fsync(handle: Any) -> None:
        number = handle if isinstance(handle, int) else handle.fileno()
        if pattern.search(os.readlink(f"/proc/self/fd/{number}")) and _is_first():
            os.kill(os.getpid(), signal.SIGSTOP)
        sync(handle)

    os.fsync = fsync  # type: ignore[assignment]


def _is_first() -> bool:
    """Whether no other process of this run has been here, nor this one."""
    try:
        Path(os.environ["ZOMBIE_SLEPT"]).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Wake runs whose place another has taken.")
    parser.add_argument("--true", action="store_true", help="a lock of 30 s, as outside of tests")
    parser.add_argument("--only", type=int, nargs="*", help="the numbers of scenarios, from 1")
    options = parser.parse_args()
    numbers = options.only or range(1, len(SCENARIOS) + 1)
    bad = 0
    with arena(TRUE if options.true else HASTY) as one:
        for number in numbers:
            scenario = SCENARIOS[number - 1]
            problems = play(one, scenario)
            print(f"{number:2} {'BAD ' if problems else 'good'} {scenario}", flush=True)
            for problem in problems:
                print(f"     {problem}", flush=True)
            bad += bool(problems)
    print(f"{bad} of {len(numbers)} in which the first run changed something, or ended otherwise")
    return 1 if bad else 0


@contextmanager
def arena(times: tuple[float, float] = HASTY) -> Iterator[Arena]:
    """All that scenarios need, until the end. times: those of the lock."""
    with (
        tempfile.TemporaryDirectory(prefix="depthmask-zombies-") as folder,
        s3_server() as server,
        patch.dict(os.environ, DEPTHMASK_CACHE=f"{folder}/cache"),
    ):
        yield Arena(Path(folder).resolve(), server, times)


def play(arena: Arena, scenario: Scenario | Local) -> list[str]:
    """What is wrong after a scenario."""
    name = f"scenario-{SCENARIOS.index(scenario) + 1}"
    if isinstance(scenario, Local):
        return in_folder(arena, scenario, name)
    return in_store(arena, scenario, name)


if __name__ == "__main__":
    sys.exit(main())
