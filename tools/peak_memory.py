"""The peak of the anonymous memory of a command and all its processes together, in MiB.

    python -m tools.peak_memory python -m depthmask samples=2000

What files hold in the page cache does not count: the kernel takes it back.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.support.tiny import children

_EVERY_S = 0.02


def anonymous_bytes(process: int) -> int:
    """The anonymous memory of a process that no other shares; 0 if it has ended."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    fields = dict(line.split(":", 1) for line in lines[1:])
    return int(fields["Pss_Anon"].split()[0]) * 1024 if "Pss_Anon" in fields else 0


def _descendants(process: int) -> Iterator[int]:
    for child in children(process):
        yield child
        yield from _descendants(child)


def peak_of(command: list[str]) -> tuple[int, int]:
    """(exit status, peak in bytes) of a command."""
    process, peak = subprocess.Popen(command), 0
    while process.poll() is None:
        peak = max(peak, sum(map(anonymous_bytes, [process.pid, *_descendants(process.pid)])))
        time.sleep(_EVERY_S)
    return process.returncode, peak


def main() -> int:
    """Run the command, and print its peak."""
    status, peak = peak_of(sys.argv[1:])
    print(f"{peak / 2**20:,.0f} MiB at most")
    return status


if __name__ == "__main__":
    sys.exit(main())
