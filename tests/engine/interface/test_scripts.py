"""Scripts without a main guard, prompts and IPython, with spawned workers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from tests.engine.interface.conftest import SETTINGS, content
from tests.support.paths import ROOT

SCRIPT = f"""
import threading
import depthmask

print("runs")
settings = {SETTINGS | {"runner.workers": 2}!r}
depthmask.make(settings, output="out", progress="lines")
thread = threading.Thread(target=depthmask.make, args=(settings,), kwargs={{"output": "second"}})
thread.start()
thread.join()
print(len(depthmask.make(settings, output="out")), "samples")
"""
OWN_STAGE = f'''
import depthmask

@depthmask.stage("mine")
class Mine(depthmask.Placement):
    """In the top left corner."""

    def place(self, scene, foreground, flip, rng):
        return depthmask.scaled_layer(foreground, top=0, left=0, scale=0.5, flip=flip)

settings = {SETTINGS | {"placement": "mine", "runner.workers": 2, "samples": 4}!r}
try:
    depthmask.make(settings, output="out", progress="none")
except depthmask.DepthmaskError as error:
    print(error)
    raise SystemExit(1)
'''
ADD_A_GUARD = (
    "the script starts a run while a worker imports it; write the run below "
    '`if __name__ == "__main__":`\n'
)


def run(folder: Path, *words: str, text: str = "") -> subprocess.CompletedProcess[str]:
    """Run Python in a folder."""
    return subprocess.run(
        [sys.executable, *words],
        input=text,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("words", [["mine.py"], ["-"], ["-m", "IPython", "mine.py"]])
def test_a_script_without_a_guard_runs_once(
    tmp_path: Path, by_command: Path, words: list[str]
) -> None:
    (tmp_path / "mine.py").write_text(SCRIPT)
    done = run(tmp_path, *words, text=SCRIPT if words == ["-"] else "")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "runs\n6 samples\n"
    assert content(tmp_path / "out") == content(tmp_path / "second") == content(by_command)
    assert "Traceback" not in done.stderr


def test_a_stage_in_a_script_without_a_guard_gets_one_line(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(OWN_STAGE)
    done = run(tmp_path, "mine.py")
    assert done.returncode == 1
    # The script catches the error, in the workers too.
    assert set(done.stdout.splitlines(keepends=True)) == {ADD_A_GUARD}
    assert done.stderr == ""
    guarded = OWN_STAGE.replace("try:", 'if __name__ == "__main__":').partition("except")[0]
    (tmp_path / "mine.py").write_text(guarded.replace('"out"', '"second"'))
    done = run(tmp_path, "mine.py")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(content(tmp_path / "second")["records"]) == 2


def test_at_the_prompt_of_ipython(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    config = Config()
    config.HistoryManager.enabled = False
    shell = InteractiveShell.instance(config=config)
    try:
        code = (
            f"import depthmask; ds = depthmask.make({SETTINGS!r}, output={str(tmp_path / 'o')!r})"
        )
        shell.run_cell(code).raise_error()
        assert len(shell.user_ns["ds"]) == 6
        result = shell.run_cell("depthmask.make({'samples': 'many'})")
        assert str(result.error_in_exec) == "samples=many: must be a whole number"
    finally:
        InteractiveShell.clear_instance()
    assert "6 of 6 samples (100 %)" in capfd.readouterr().err
