"""Helpers for tests of commands: the processes of a session, and plugins to install."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path


def members(session: int) -> list[int]:
    """The living processes of a session."""
    listed = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                stat = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(stat[3]) == session and stat[0] != "Z":
                    listed.append(int(entry.name))
    return listed


def left(session: int, seconds: float, but: str = "nobody") -> list[str]:
    """The command lines of the processes of a session that still run after so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        lines = [_command(process) for process in members(session)]
        listed = [line for line in lines if line and but not in line]
        if not listed or time.monotonic() > deadline:
            return listed
        time.sleep(0.05)


def _command(process: int) -> str:
    """The command line of a process; empty if it has ended."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return ""


def listening(session: int) -> set[str]:
    """The addresses, as in /proc/net/tcp, on which the processes of a session listen."""
    inodes = set()
    for process in members(session):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            for handle in Path(f"/proc/{process}/fd").iterdir():
                with contextlib.suppress(FileNotFoundError):
                    target = str(handle.readlink())
                    if target.startswith("socket:["):
                        inodes.add(target[8:-1])
    listed = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == "0A" and words[9] in inodes:
                listed.add(words[1].rpartition(":")[0])
    return listed


def install_plugin(folder: Path, name: str, text: str) -> None:
    """Install a distribution with a stage, for processes with the folder in PYTHONPATH."""
    (folder / f"{name}.py").write_text(text)
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[depthmask]\n{name} = {name}\n")
