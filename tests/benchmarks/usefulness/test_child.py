"""A child process ends with its parent."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.paths import ROOT


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_child_ends_with_its_parent(tmp_path: Path) -> None:
    """A child that sleeps, in the place of depthmask, whose parent is killed."""
    (tmp_path / "depthmask").mkdir()
    sleeps = "import os, time; print(os.getpid(), flush=True); time.sleep(300)"
    (tmp_path / "depthmask" / "__init__.py").touch()
    (tmp_path / "depthmask" / "__main__.py").write_text(sleeps)
    child = "import sys; from benchmarks.usefulness import child; sys.path.insert(0, sys.argv[2])"
    program = (
        "import os, subprocess, sys\n"
        f"code = {child + '; child.main()'!r}\n"
        f"command = [sys.executable, '-c', code, str(os.getpid()), {str(tmp_path)!r}]\n"
        "subprocess.run(command)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    number = int(parent.stdout.readline())
    assert number != parent.pid
    assert is_running(number)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    end = time.monotonic() + 20
    while is_running(number) and time.monotonic() < end:
        time.sleep(0.05)
    assert not is_running(number)


def is_running(number: int) -> bool:
    """Whether a process is there, and no zombie that nobody has waited for."""
    try:
        state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"
