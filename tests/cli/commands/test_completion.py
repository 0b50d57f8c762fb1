"""Completion: the candidates, and the scripts in real shells."""

from __future__ import annotations

import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from depthmask.cli.complete.candidates import candidates
from depthmask.cli.complete.line import TypedLine, for_bash
from depthmask.cli.main import main
from tests.support.paths import ROOT

BREAKS = " \t\n\"'><=;|&(:"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with datasets, folders and files."""
    for name in ("OUT", "deep/OUT 2", "it's"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "plan.json").touch()
    (tmp_path / "DIR" / "bg").mkdir(parents=True)
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "a.zip").touch()
    (tmp_path / "own" / "preset").mkdir(parents=True)
    (tmp_path / "own" / "preset" / "mine.yaml").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("plu", ["plugins"]),
        ("plugins plu", []),
        ("placement=", [f"placement={name}" for name in ("grid", "ground", "original", "random")]),
        ("placement=gri", ["placement=grid"]),
        ("wri", ["writer="]),
        ("encode.image=", ["encode.image=jpeg", "encode.image=png"]),
        ("sampl", ["samples=", "sampling="]),
        ("sampling=", ["sampling=product", "sampling=random"]),
        ("flips=", ["flips=false", "flips=true"]),
        ("+pre", ["+preset="]),
        ("+preset=p", ["+preset=pairs"]),
        ("--config-dir own +preset=m", ["+preset=mine"]),
        ("--config-dir=own +preset=m", ["+preset=mine"]),
        ("+experiment=", ["+experiment=placements"]),
        ("-m hydra/launcher=j", ["hydra/launcher=joblib"]),
        ("-m hydra/launcher=s", ["hydra/launcher=submitit_local", "hydra/launcher=submitit_slurm"]),
        ("-m hydra/sweeper=", ["hydra/sweeper=basic", "hydra/sweeper=optuna"]),
        ("-m placement=random,gr", ["placement=random,grid", "placement=random,ground"]),
        ("--multirun seed=1 placement=grid,gr", ["placement=grid,ground"]),
        ("-m encode.image=jpeg,", ["encode.image=jpeg,png"]),
        ("placement=random,gr", []),
        ("labels=[co", ["labels=[coco]"]),
        ("labels=[coco,", ["labels=[coco,instances]"]),
        ("'labels=[coco,", ["labels=[coco,instances]"]),
        ("labels=[coco,instances] labels.", []),
        ("output=D", ["output=DIR/"]),
        ("source.root=DIR/", ["source.root=DIR/bg/"]),
        ("depth=densedepth depth.weights=a", ["depth.weights=a.zip"]),
        ("verify --", ["--help", "--repair"]),
        ("verify ", ["DIR/", "OUT", "deep/", "it's", "own/", "source.root="]),
        ("verify deep/", ["deep/OUT 2"]),
        ("verify .", [".hidden/"]),
        ("verify OUT ", ["source.root="]),
        ("render OUT --i", ["--index", "--into"]),
        ("render OUT --into D", ["DIR/"]),
        (
            "resume OUT ",
            [
                *("progress=", "runner.memory_gb=", "runner.store_gb=", "runner.timeout="),
                *("runner.workers=", "runner=", "source.root="),
            ],
        ),
        ("resume OUT runner=", ["runner=local"]),
        ("resume OUT seed=", []),
        ("extend OUT s", ["samples=", "source.root="]),
        ("repeat OUT outp", ["output="]),
        ("convert a", ["a.zip"]),
        ("annotate OUT wr", ["writer.far_m=", "writer.images=", "writer="]),
        ("annotate OUT depth=f", ["depth=fastdepth"]),
        ("evaluate o", ["on="]),
        ("evaluate on=D", ["on=DIR/"]),
        ("evaluate images=", []),
        ("--cfg ", ["all", "hydra", "job"]),
        ("--info s", ["searchpath"]),
        ("--con", ["--config-dir", "--config-name"]),
        ("new-plugin de", ["depth"]),
        ("completion ", ["bash", "fish", "zsh"]),
        ("help ver", ["verify"]),
        ("help placement=gri", ["placement=grid"]),
        ("run sampling=p", ["sampling=product"]),
        ("-", ["--cfg", "--config-dir", "--config-name", "--dry-run", "--help", "--info",
               "--multirun", "--package"]),
    ],
)  # fmt: skip
def test_candidates(line: str, words: list[str]) -> None:
    for program in ("depthmask", "python -m depthmask", "/usr/bin/python3 -X dev -m depthmask"):
        offered = candidates(f"{program} {line}")
        if line == "wri":
            offered = [word for word in offered if word.endswith("r=")]
        assert offered == words


def test_settings_of_the_chosen_stages() -> None:
    assert "placement.rows=" in candidates("depthmask placement=grid placement.")
    assert "placement.rows=" not in candidates("depthmask placement=random placement.")
    assert "placement.rows=" in candidates("depthmask placement.")
    assert "labels.coco" not in " ".join(candidates("depthmask labels=[coco] labels."))


def test_lines_that_are_hard_to_split() -> None:
    for text, word, quote in (
        ("depthmask verify a\\ b", "a b", ""),
        ("depthmask verify 'a b", "a b", "'"),
        ('depthmask verify "a b', "a b", '"'),
        ("depthmask verify ", "", ""),
        ("depthmask verify a\\ ", "a ", ""),
        ("cd depthmask && python -m depthmask verify x", "x", ""),
    ):
        assert TypedLine.parse(text) == TypedLine(("verify",), word, quote)


def test_what_bash_gets() -> None:
    for text, candidate, replaced in (
        ("depthmask placement=r", "placement=random", "random"),
        ("depthmask 'placement=r", "placement=random", "placement=random"),
        ("depthmask verify dee", "deep/it's 2", "deep/it\\'s\\ 2"),
        ("depthmask labels=[coco,", "labels=[coco,instances]", "[coco,instances]"),
    ):
        assert for_bash(TypedLine.parse(text), candidate, BREAKS) == replaced
    typed = TypedLine.parse("depthmask placement=r")
    assert for_bash(typed, "placement=random", " ") == "placement=random"


@pytest.fixture
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `depthmask` and `python`, which run the depthmask of this checkout."""
    folder = tmp_path_factory.mktemp("bin")
    for name, words in (("depthmask", "-m depthmask "), ("python", "")):
        file = folder / name
        file.write_text(f'#!/bin/sh\nexec "{sys.executable}" {words}"$@"\n')
        file.chmod(0o755)
    return folder


class Bash:
    """An interactive bash on a terminal of its own, into which a person would type."""

    def __init__(self, program: Path, before: str = "") -> None:
        process, self.terminal = pty.fork()
        if process == 0:  # pragma: no cover
            path = f"{program}{os.pathsep}{os.environ['PATH']}"
            environment = {**os.environ, "PATH": path, "PS1": "$ ", "TERM": "dumb",
                           "INPUTRC": "/dev/null", "PYTHONPATH": str(ROOT)}  # fmt: skip
            os.execvpe("bash", ["bash", "--norc", "--noprofile", "-i"], environment)
        self.process = process
        self.type(f'{before}\neval "$(python -m depthmask completion bash)"; echo REA""DY\n')
        self.read("READY")

    def type(self, text: str) -> None:
        os.write(self.terminal, text.encode())

    def read(self, until: str) -> str:
        """What bash prints, up to a text; AssertionError if it does not come in 20 seconds."""
        shown, end = "", time.monotonic() + 20
        while until not in shown:
            ready, _, _ = select.select([self.terminal], [], [], 0.2)
            assert time.monotonic() < end, shown
            shown += os.read(self.terminal, 65536).decode() if ready else ""
        return shown

    def completed(self, line: str, until: str) -> None:
        """Type a line and a tab; then bash shows the text. Clear the line."""
        self.type(f"{line}\t")
        self.read(line + until)
        self.type("\x15")

    def close(self) -> None:
        # It may be in the middle of a question, and would not answer `exit`.
        os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)
        os.close(self.terminal)


@pytest.mark.usefixtures("place", "no_coverage")
def test_bash_completes_both_programs(program: Path) -> None:
    bash = Bash(program, "_old() { COMPREPLY=(script.py); }; complete -F _old python")
    try:
        for line, rest in (
            ("depthmask plu", "gins "),
            ("python -m depthmask plu", "gins "),
            ("python -m depthmask placement=gro", "und "),
            ("python -m depthmask -m placement=random,gri", "d "),
            ("python -m depthmask labels=[coco,", "instances] "),
            ('python -m depthmask "labels=[coco,', 'instances]" '),
            ("python -m depthmask output=DI", "R/"),
            ("python -m depthmask verify OU", "T "),
            ("python -m depthmask verify deep/", "OUT\\ 2 "),
            ('python -m depthmask verify "deep/O', 'UT 2" '),
            ("python -m depthmask verify OUT --r", "epair "),
            ("python -m depthmask hydra/launcher=job", "lib "),
            # What is not depthmask goes on as before.
            ("python scr", "ipt.py "),
            ("python -m depthmas", "\b"[:0]),
        ):
            bash.completed(line, rest)
    finally:
        bash.close()


def test_the_script_asks_for_the_last_word(
    capsys: pytest.CaptureFixture[str], program: Path
) -> None:
    assert main(["completion", "bash"]) == 0
    script = capsys.readouterr().out
    line = "depthmask placement=ra"
    done = subprocess.run(
        ["bash", "-c", script + f'COMP_LINE="{line}" COMP_POINT={len(line)}\n'
         "_depthmask\nprintf '%s\\n' \"${COMPREPLY[@]}\""],
        env={**os.environ, "PATH": f"{program}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["random"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts_parse(capsys: pytest.CaptureFixture[str], shell: str) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert "completion words" in script
    assert "-m depthmask" in script
    if shutil.which(shell):
        subprocess.run([shell, "-n", "-c", script], check=True)


def test_an_unknown_shell_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "tcsh"]) == 2
    assert "tcsh: needs the name of a shell: bash, zsh or fish" in capsys.readouterr().err


@pytest.mark.parametrize("line", ["depthmask placement=gr", "depthmask verify --", "depthmask -m "])
def test_no_heavy_library_is_imported_for_a_tab(line: str) -> None:
    code = (
        "import sys; from depthmask.cli.main import main; "
        f"main(['completion', 'words', {line!r}]); "
        "print([name for name in ('hydra', 'omegaconf', 'rich') if name in sys.modules], "
        "file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout
    assert done.stderr.strip() == "[]"
