"""What a command can do besides: the processes of its session, and plugins that it finds."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path


def members(session: int) -> list[int]:
    """The processes of a session that live."""
    listed = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                stat = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(stat[3]) == session and stat[0] != "Z":
                    listed.append(int(entry.name))
    return listed


def left(session: int, seconds: float, but: str = "nobody") -> list[str]:
    """The command lines of those that are still there after so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        lines = [_command(process) for process in members(session)]
        listed = [line for line in lines if line and but not in line]
        if not listed or time.monotonic() > deadline:
            return listed
        time.sleep(0.05)


def _command(process: int) -> str:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return ""


def listening(session: int) -> set[str]:
    """The addresses, as in /proc/net/tcp, on which its processes wait for connections."""
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
    """A distribution with a stage, for who has the folder in PYTHONPATH."""
    (folder / f"{name}.py").write_text(text)
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[depthmask]\n{name} = {name}\n")
