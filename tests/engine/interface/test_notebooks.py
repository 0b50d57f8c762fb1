"""`depthmask.make` in a notebook: one bar, errors, an interrupted cell."""

from __future__ import annotations

import re
from pathlib import Path

from tests.engine.interface.conftest import SETTINGS, content
from tests.support.notebooks import execute

MAKE = f"import depthmask\nsettings = {SETTINGS | {'runner.workers': 2}!r}\n"
INTERRUPTED = """
import os, signal, threading, time
import re
from pathlib import Path

def interrupt():
    while len(list(Path("long").glob("records/*"))) < 3:
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGINT)

threading.Thread(target=interrupt).start()
long = {**settings, "samples": 400}
depthmask.make(long, output="long")
"""
AFTERWARDS = """
from tests.support import tiny
assert tiny.children(os.getpid()) == []
assert not Path("long/dataset.json").exists()
print(len(depthmask.make(long, output="long")), depthmask.verify("long"))
"""


def test_cells_of_a_notebook(tmp_path: Path, by_command: Path) -> None:
    once, twice, wrong, stopped, after = execute(
        tmp_path,
        f"{MAKE}depthmask.make(settings, output='out')",
        "for _ in range(2): depthmask.make({**settings, 'runner.workers': 1}, output='again')",
        "depthmask.make({**settings, 'samples': 'many'}, output='wrong')",
        INTERRUPTED,
        AFTERWARDS,
    )
    bar, result = once
    assert bar.output_type == "display_data"
    assert "6 of 6 samples (100 %)" in bar.data["text/plain"]
    assert "<progress " in bar.data["text/html"]
    assert result.data["text/plain"].startswith("Dataset('out', 6 samples of 32x32")
    assert content(tmp_path / "out") == content(by_command)
    assert [one.output_type for one in twice] == ["display_data", "display_data"]
    assert "nothing is left to do" in twice[1].data["text/plain"]
    (error,) = wrong
    assert (error.ename, error.evalue) == ("UsageError", "samples=many: must be a whole number")
    assert "compose" not in "".join(error.traceback)
    bar, error = stopped
    assert "\ninterrupted; the same call again resumes\n" in bar.data["text/plain"]
    assert re.search(r" [1-9]\d* of 400 samples", bar.data["text/plain"])
    assert error.ename == "KeyboardInterrupt"
    assert "multiprocessing" not in "".join(error.traceback)
    _, printed = after
    assert printed.text == "400 []\n"
