"""Scripts that define a stage and start a run, with spawned workers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from depthmask.storage.location import location
from depthmask.storage.publish import require_sealed
from tests.support import tiny
from tests.support.paths import ROOT

SCRIPT = '''
import sys

import depthmask
from depthmask.cli.main import main


@depthmask.stage("mine")
class Mine(depthmask.Placement):
    """In the top left corner."""

    margin: int = depthmask.setting(0, ge=0, help="pixels")

    def place(self, scene, foreground, flip, rng):
        return depthmask.scaled_layer(
            foreground, top=self.margin, left=self.margin, scale=0.5, flip=flip
        )


{guard}
    sys.exit(main())
'''
GUARD = 'if __name__ == "__main__":'


def run(
    folder: Path, *words: str, script: str = SCRIPT.format(guard=GUARD)
) -> subprocess.CompletedProcess[str]:
    """Run a script with the words of a command line."""
    (folder / "mine.py").write_text(script)
    return subprocess.run(
        [sys.executable, "mine.py", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def command(folder: Path, *more: str) -> list[str]:
    assets = folder / "assets"
    if not assets.exists():
        tiny.make_assets(assets)
    words = ("samples=4", "shard_size=2", "placement=mine", "runner.workers=2", *more)
    return tiny.words(assets, folder / "out", *words)


def test_workers_import_the_script(tmp_path: Path) -> None:
    done = run(tmp_path, *command(tmp_path))
    assert done.returncode == 0, done.stderr
    shards = tiny.sha256s(tmp_path / "out")
    assert len(shards) == 2
    assert "mine.py" in require_sealed(location(tmp_path / "out") / "plan.json")["versions"]
    # Every command works through the script.
    (tmp_path / "out" / "shards" / "train-000001.tar").unlink()
    assert run(tmp_path, "verify", str(tmp_path / "out"), "--repair").returncode == 0
    assert tiny.sha256s(tmp_path / "out") == shards
    assert run(tmp_path, "resume", str(tmp_path / "out")).returncode == 0
    log = (tmp_path / "out" / "run.log").read_text()
    assert "command: python mine.py source=assets " in log
    # Without it, the line says where the stage is.
    resume = [sys.executable, "-m", "depthmask", "resume", str(tmp_path / "out")]
    done = subprocess.run(resume, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "placement=mine is in the file 'mine.py'; give the command to that script" in done.stderr
    render = [sys.executable, "-m", "depthmask", "render", str(tmp_path / "out"), "--index", "0"]
    done = subprocess.run(render, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "placement=mine is in the file 'mine.py'; give the command to that script" in done.stderr
    assert "placement=mine  (mine.py sha256:" in run(tmp_path, "--help").stdout
    # One process makes the same bytes.
    shutil.rmtree(tmp_path / "out")
    assert run(tmp_path, *command(tmp_path), "runner.workers=1").returncode == 0
    assert tiny.sha256s(tmp_path / "out") == shards


def test_a_changed_script_does_not_continue_a_dataset(tmp_path: Path) -> None:
    assert run(tmp_path, *command(tmp_path)).returncode == 0
    done = run(tmp_path, *command(tmp_path), script=SCRIPT.format(guard=GUARD) + "# changed\n")
    assert done.returncode == 2
    assert "holds another dataset: the script mine.py has changed" in done.stderr


def test_a_script_without_a_guard(tmp_path: Path) -> None:
    done = run(tmp_path, *command(tmp_path), script=SCRIPT.format(guard="if True:"))
    assert done.returncode == 1
    assert (
        "error: the script starts a run while a worker imports it; write the run below "
        '`if __name__ == "__main__":`\n'
    ) in done.stderr
    assert "Traceback" not in done.stderr


def test_a_prompt_gets_one_line(tmp_path: Path) -> None:
    code = SCRIPT.format(guard="if True:").replace("main()", f"main({command(tmp_path)!r})")
    done = subprocess.run(
        [sys.executable, "-"],
        input=code,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == (
        "error: placement=mine: a run needs the class Mine in a file, and it is in a notebook or "
        "at a prompt; move it into a module and import it from there\n"
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", ["placement", "labels"])
def test_a_class_in_a_function_gets_one_line(tmp_path: Path, kind: str) -> None:
    script = """
import sys

import depthmask
from depthmask.cli.main import main


def placement():
    @depthmask.stage("mine")
    class Mine(depthmask.Placement):
        "Inside a function."

        def place(self, *arguments):
            raise AssertionError

    return Mine()


def labels():
    from depthmask import Labels

    @depthmask.stage("mine")
    class Mine(Labels):
        "Inside a function."

        def outputs(self, *arguments):
            return [depthmask.LabelOutput("mine", depthmask.LabelCodec.json, "nothing", 10)]

        def label(self, *arguments):
            raise AssertionError

    return {"mine": Mine()}


if __name__ == "__main__":
    from depthmask.config.compose import compose_root
    from depthmask.engine.run import run as run_root
    from depthmask.cli.screen import Screen

    root = compose_root([word for word in sys.argv[1:] if word != "placement=mine"])
    setattr(root, "KIND", KIND())
    try:
        with Screen() as screen:
            run_root(root, screen)
    except depthmask.UsageError as error:
        sys.exit(str(error))
"""
    done = run(tmp_path, *command(tmp_path), script=script.replace("KIND", kind))
    assert done.returncode == 1
    line = f"{kind}=mine: workers cannot import the class {kind}.<locals>.Mine; move it to the top"
    assert line in done.stderr
