"""Make a dataset on machines that lack something: each run ends with a dataset, or with one line.

    python -m tools.machines                # all of them; most need root
    python -m tools.machines --only disk    # those with this word in their name

A machine is this one with something taken away: the home, disk space, file handles, processors,
the right to write. On each, a dataset is made and verified, and a page about it is written. Prints
a table of what was seen. Exits 1 if a command printed a traceback, or ended with neither a dataset
nor one line that says what to change. What the kernel forbids is skipped, with the reason.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support import tiny

_MARK = "==machines=="
_USER = "54321"
_SECONDS = 120
_READ_ONLY = """
mount -t tmpfs -o size=64m,mode=1777 tmpfs {volume}
while read -r _ folder kind options _; do
    case $folder in /proc*|/sys*|/dev*|{volume}{tmp}) continue;; esac
    case $options in rw*) mount -o "remount,bind,ro" "$folder";; esac
done < /proc/self/mounts
"""
"""Leaves no folder to write but a volume, and those that containers have."""
_SMALL_DISK = "mount -t tmpfs -o size={size} tmpfs {folder}\n"
_QUOTA = """
for top in /sys/fs/cgroup/cpu /sys/fs/cgroup; do
    group=$top/depthmask-$$
    mkdir $group 2>/dev/null || continue
    trap "echo $$ > $top/cgroup.procs; rmdir $group" EXIT
    { [ ! -e $group/cpu.max ] || echo "100000 100000" > $group/cpu.max; } &&
    { [ ! -e $group/cpu.cfs_quota_us ] || echo 100000 > $group/cpu.cfs_quota_us; } &&
    [ -e $group/cpu.max -o -e $group/cpu.cfs_quota_us ] && echo $$ > $group/cgroup.procs && break
    rmdir $group
    trap - EXIT
done
grep -q depthmask-$$ /proc/self/cgroup || { echo "no CPU cgroup can be made" >&2; exit 1; }
"""


@dataclass(frozen=True)
class Machine:
    """What a machine lacks.

    before: shell commands that take it away, in a mount namespace of their own if they mount.
    prefix: words before each command. environment: variables; None takes one away. line: what the
    line of a command that fails has to match; without it every command has to succeed. settings:
    of the run, beside those of all machines.
    """

    name: str
    before: str = ""
    prefix: Sequence[str] = ()
    environment: Mapping[str, str | None] = field(default_factory=dict)
    line: str = ""
    output: str = "out"
    settings: Sequence[str] = ("geometry=source",)

    @property
    def needs_root(self) -> bool:
        """Whether only root can take it away."""
        return bool(self.prefix) or "mount " in self.before or "cgroup" in self.before


def machines(work: Path) -> Iterator[Machine]:
    """Yield all machines; `work` is the folder in which a run writes `volume/out`."""
    yield Machine("nothing is missing")
    volume = work / "volume"
    user = [
        *["setpriv", f"--reuid={_USER}", f"--regid={_USER}", "--clear-groups"],
        # The interpreter may be in a folder of root.
        *["--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"],
        *["--bounding-set=-all,+dac_read_search"],
    ]
    no_home: dict[str, str | None] = {"HOME": None, "DEPTHMASK_CACHE": None, "TMPDIR": None}
    with_tmp = _READ_ONLY.format(volume=volume, tmp=f"|{work}/tmp")
    mounted = f"mount -t tmpfs -o mode=1777 tmpfs {work}/tmp\n"
    yield Machine(
        "unknown user, read-only, TMPDIR", mounted + with_tmp, user,
        {**no_home, "TMPDIR": f"{work}/tmp"},
    )  # fmt: skip
    yield Machine(
        "unknown user, read-only, TMPDIR, a network", mounted + with_tmp, user,
        {**no_home, "TMPDIR": f"{work}/tmp"}, settings=("geometry=fastdepth",),
    )  # fmt: skip
    yield Machine(
        "unknown user, read-only", _READ_ONLY.format(volume=volume, tmp=""), user, no_home,
        r"TMPDIR=FOLDER|DEPTHMASK_CACHE=FOLDER",
    )  # fmt: skip
    yield Machine("unknown user without a home", f"chmod 777 {volume}", user, no_home)
    yield Machine(
        "home that cannot be written", f"chmod 777 {volume}", user, {**no_home, "HOME": "/"}
    )
    yield Machine("HOME is not set", environment={"HOME": None, "DEPTHMASK_CACHE": None})
    for size in ("16k", "64k", "200k"):
        before = _SMALL_DISK.format(size=size, folder=volume)
        yield Machine(f"disk of {size}", before, line=r"[Mm]ake room|free some|disk has .* free")
    for name, what in (("cache", "DEPTHMASK_CACHE"), ("tmp", "TMPDIR")):
        before = _SMALL_DISK.format(size="4k", folder=work / name)
        fill = f"cat /dev/zero > {work / name}/full 2>/dev/null || true\n"
        variable = {what: f"{work / name}"}
        yield Machine(f"full disk of {what}", before + fill, (), variable, r"TMPDIR=FOLDER")
    for handles in (32, 64):
        yield Machine(f"{handles} file handles", f"ulimit -n {handles}", line="ulimit -n")
    for mask in ("002", "077"):
        yield Machine(f"umask {mask}", f"umask {mask}")
    yield Machine("quota of one CPU", _QUOTA)
    terminals: dict[str, dict[str, str | None]] = {
        "ASCII terminal": {"PYTHONIOENCODING": "ascii"},
        "terminal of Windows": {"PYTHONIOENCODING": "cp1252"},
        "ASCII locale": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    }
    for name, environment in terminals.items():
        yield Machine(name, environment=environment, output="ü中")


@dataclass(frozen=True)
class Seen:
    """What a command did: its exit code and what it printed."""

    name: str
    code: int
    text: str

    @property
    def error(self) -> str:
        """The line of its error; empty without one."""
        lines = [line for line in self.text.splitlines() if line.startswith("error: ")]
        return lines[0] if len(lines) == 1 else ""

    def fault(self, machine: Machine) -> str:
        """What is wrong with it; empty if nothing is."""
        if "Traceback (most recent call last)" in self.text:
            return "traceback"
        if self.code == 0:
            return ""
        if not self.error:
            return f"exit {self.code} without one line"
        if not machine.line or not re.search(machine.line, self.error):
            return "the line does not say what to change"
        return ""


def commands(work: Path, machine: Machine) -> dict[str, list[str]]:
    """The commands that are run on each machine."""
    depthmask = [sys.executable, "-m", "depthmask"]
    output = str(work / "volume" / machine.output)
    run = [
        *["source=assets", f"source.root={work / 'assets'}", "size=[32,32]"],
        *["depth=layered", "split.train=0.5", "split.val=0.5", "split.alike=0", "samples=6"],
        *["shard_size=2", f"output='{output}'"],
        *machine.settings,
    ]
    # A quota is seen where the number of workers is not stated.
    workers = [] if "quota" in machine.name else ["runner.workers=2"]
    return {
        "run": [*depthmask, *run, *workers],
        "verify": [*depthmask, "verify", output],
        "report": [*depthmask, "report", output],
        "cores": [sys.executable, "-c", "import depthmask.concurrency as c; print(c.cores())"],
    }


def run(work: Path, machine: Machine) -> list[Seen]:
    """Run all commands on a machine; raises `OSError` if it cannot be made here."""
    steps = commands(work, machine)
    script = ["set -e", machine.before, "set +e", f"echo {_MARK}"]
    for name, command in steps.items():
        words = shlex.join([*machine.prefix, *command])
        script += [f"{words} 2>&1 </dev/null; code=$?; echo; echo {_MARK} {name} $code"]
    shell = ["bash", "-c", "\n".join(script)]
    in_namespace = ["unshare", "--mount", "--propagation", "private", *shell]
    environment = {"DEPTHMASK_CACHE": str(work / "cache"), **machine.environment}
    done = subprocess.run(
        in_namespace if "mount " in machine.before else shell,
        env={
            name: value
            for name, value in {**os.environ, **environment}.items()
            if value is not None
        },
        capture_output=True, encoding="utf-8", errors="replace", timeout=_SECONDS, check=False,
        cwd=work,
    )  # fmt: skip
    _, began, printed = done.stdout.partition(f"{_MARK}\n")
    if not began:
        raise OSError(" ".join(done.stderr.split()) or f"exit {done.returncode}")
    steps_seen = re.findall(rf"(.*?)\n{_MARK} (\w+) (\d+)\n", printed, re.DOTALL)
    return [Seen(name, int(code), text) for text, name, code in steps_seen]


def faults(machine: Machine, seen: Sequence[Seen]) -> list[str]:
    """What is wrong with what the commands did; empty if nothing is."""
    run, *others, cores = seen
    wrong = [run.fault(machine)]
    for one in others:
        # Without a dataset, the others have nothing to read.
        wrong += [one.fault(machine)] if run.code == 0 or "Traceback" in one.text else []
    if "quota" in machine.name and cores.text.strip() != "1":
        wrong += [f"{cores.text.strip()} cores"]
    return [f"{one.name}: {fault}" for one, fault in zip(seen, wrong, strict=False) if fault]


def outcome(seen: Sequence[Seen]) -> str:
    """What a machine ends with, in one line."""
    run = seen[0]
    if run.code:
        return run.error
    notes = [line for line in run.text.splitlines() if line.startswith("note: ")]
    failed = [f"{one.name}: {one.error}" for one in seen if one.code]
    return "; ".join(["dataset", *notes, *failed])


@contextmanager
def workplace() -> Iterator[Path]:
    """Yield a folder with assets, and with folders for what a run writes."""
    with tempfile.TemporaryDirectory(prefix="machines-") as folder:
        work = Path(folder)
        work.chmod(0o755)
        tiny.make_assets(work / "assets")
        for name in ("volume", "cache", "tmp"):
            (work / name).mkdir()
        yield work


def main() -> int:
    """Try the machines, and print a line for each; returns 1 if any has a fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="a word in the names of machines")
    word = parser.parse_args().only
    broken = 0
    names = [machine.name for machine in machines(Path())]
    for name in [name for name in names if word in name]:
        with workplace() as work:
            (machine,) = (one for one in machines(work) if one.name == name)
            if machine.needs_root and os.getuid():
                print(f"skipped  {name}: only root can take this away", flush=True)
                continue
            try:
                seen = run(work, machine)
            except OSError as error:
                print(f"skipped  {name}: {error}", flush=True)
                continue
            wrong = faults(machine, seen)
            broken += bool(wrong)
            print(f"{'FAULT   ' if wrong else 'ok      '} {name}: {outcome(seen)}", flush=True)
            for fault in wrong:
                print(f"           {fault}")
            if wrong:
                print(
                    "\n".join(
                        f"           | {line}" for one in seen for line in one.text.splitlines()
                    )
                )
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
