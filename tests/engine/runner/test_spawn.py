"""Workers are spawned without the caller's main module; other processes as ever."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import types
from multiprocessing import popen_spawn_posix, spawn
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

import depthmask
from depthmask import forks
from depthmask.engine.runner._spawn import Parcel, Process
from depthmask.errors import UsageError


def _answer(pipe: Connection) -> None:
    main = sys.modules["__main__"]
    pipe.send((main.__name__, "__mp_main__" in sys.modules and hasattr(main, "MARK")))


@pytest.fixture
def main_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """A script as the main module of this process."""
    module = types.ModuleType("__main__")
    module.__file__ = str(tmp_path / "script.py")
    Path(module.__file__).write_text("MARK = 1\nclass Mine:\n    pass\n")
    exec(compile(Path(module.__file__).read_text(), module.__file__, "exec"), vars(module))
    monkeypatch.setitem(sys.modules, "__main__", module)
    return module


@pytest.mark.parametrize("ours", [True, False])
def test_only_our_processes_do_without_the_main_module(
    main_module: types.ModuleType, ours: bool
) -> None:
    context = multiprocessing.get_context("spawn")
    near, far = context.Pipe()
    process = (Process if ours else context.Process)(target=_answer, args=(far,))
    process.start()
    try:
        assert near.poll(60)
        assert near.recv() == (("__main__", False) if ours else ("__mp_main__", True))
    finally:
        process.join()
    assert vars(popen_spawn_posix)["spawn"] is spawn


def test_a_parcel_has_the_main_module_that_it_needs(main_module: Any) -> None:
    assert Parcel([1, "text"])._main == {}
    assert Parcel(main_module.Mine())._main == {"init_main_from_path": main_module.__file__}
    main_module.__spec__ = types.SimpleNamespace(name="mine.script")
    assert Parcel(main_module.Mine())._main == {"init_main_from_name": "mine.script"}
    del main_module.__file__
    main_module.__spec__ = None
    parcel = Parcel(main_module.Mine())
    assert parcel._main == {}
    assert type(parcel.open()) is main_module.Mine


def test_a_stage_of_the_main_module_may_be_named_by_another(main_module: Any) -> None:
    """As in `blend=random`, which looks up the blends that its setting names."""
    code = (
        "import depthmask\n@depthmask.stage('named-elsewhere')\nclass Mine(depthmask.Placement):\n"
        "    def place(self, *arguments): raise AssertionError\n"
    )
    exec(compile(code, str(main_module.__file__), "exec"), vars(main_module))
    assert Parcel({"blends": ["named-elsewhere"]})._main
    assert not Parcel({"blends": ["named-otherwise"]})._main


REFUSED = "UsageError the script starts a run while a worker imports it; write the run below "
SCRIPTS = {
    "depthmask.make(['samples=2'])": REFUSED,
    "try: depthmask.make(['samples=2'])\nexcept depthmask.DepthmaskError: sys.exit(3)": REFUSED,
    "sys.exit(3)": "UsageError a worker cannot import {file}: SystemExit: 3 (in <module>, ",
    "1 / 0": "UsageError a worker cannot import {file}: ZeroDivisionError: division by zero (in ",
    "try: depthmask.make(['samples=2'])\nexcept depthmask.DepthmaskError: pass": "imported",
}
"""A script -> what a worker says that imports it."""


def test_a_main_module_that_cannot_be_imported(tmp_path: Path) -> None:
    files = [tmp_path / f"script{number}.py" for number in range(len(SCRIPTS))]
    for file, code in zip(files, SCRIPTS, strict=True):
        file.write_text(f"import depthmask, sys\n{code}\n")
    # In a process of its own, since the import replaces the main module.
    code = (
        f"import sys; sys.path[:0] = {sys.path!r}\n"
        "from depthmask.engine.runner._spawn import Parcel\n"
        "parcel = Parcel(1)\n"
        f"for file in {list(map(str, files))!r}:\n"
        "    parcel._main = {'init_main_from_path': file}\n"
        "    try: parcel.open(); print('imported')\n"
        "    except Exception as error: print(type(error).__name__, error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for file, line, expected in zip(files, done.stdout.splitlines(), SCRIPTS.values(), strict=True):
        assert line.startswith(expected.format(file=file))


def test_runs_go_on_after_a_refusal() -> None:
    with pytest.raises(UsageError), forks.runs_refused():
        forks.refuse_worker_import()
    forks.refuse_worker_import()
    assert depthmask.forks is forks
