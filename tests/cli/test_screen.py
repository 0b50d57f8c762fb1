"""What a run writes: lines or a bar or JSON on stderr, and the path alone on stdout."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from depthmask.cli import lines
from depthmask.cli.main import main
from depthmask.cli.screen import Screen
from depthmask.config.root import ProgressStyle
from depthmask.engine.displays import screen
from depthmask.engine.displays.pace import Pace
from depthmask.networks.shown import bar_of_downloads
from depthmask.storage.location import location
from depthmask.storage.publish import read_sealed
from tests.support import tiny

CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A run without a terminal."""
    command = [sys.executable, "-m", "depthmask", *words]
    return subprocess.run(
        command, check=False, capture_output=True, text=True, env={**os.environ, **environment}
    )


def run_in_terminal(*words: str, width: int = 100, **environment: str) -> str:
    """What a run writes to a terminal of this width."""
    near, far = pty.openpty()
    fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
    unset = ("NO_COLOR", "COLUMNS", "LINES", "JPY_PARENT_PID")
    inherited = {name: value for name, value in os.environ.items() if name not in unset}
    process = subprocess.Popen(
        [sys.executable, "-m", "depthmask", *words],
        stdin=far, stdout=far, stderr=far, env={**inherited, "TERM": "xterm", **environment},
    )  # fmt: skip
    os.close(far)
    text = b""
    while True:
        try:
            piece = os.read(near, 1 << 16)
        except OSError:  # The other end is closed.
            break
        if not piece:
            break
        text += piece
    os.close(near)
    assert process.wait(60) == 0, text
    return text.decode()


@pytest.fixture(scope="module")
def assets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.make_assets(tmp_path_factory.mktemp("assets") / "assets")


def test_without_a_terminal_there_are_lines_and_the_path_alone(
    assets: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    # Some continuous-integration systems ask for colours, although they are no terminals.
    done = run(*tiny.words(assets, out, "samples=20"), FORCE_COLOR="1", TTY_COMPATIBLE="1")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{out}\n"
    assert "20 of 20 samples (100 %)" in done.stderr
    assert not CONTROL.search(done.stderr)


def test_the_default_folder_is_on_stdout(
    assets: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    words = [one for one in tiny.words(assets, tmp_path, "samples=2") if "output=" not in one]
    assert main(words) == 0
    assert (tmp_path / capsys.readouterr().out.strip() / "dataset.json").is_file()


def test_a_sweep_and_other_commands_print_the_path_alone(
    assets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["-m", *tiny.words(assets, out, "samples=2", "seed=0,1")]) == 0
    assert capsys.readouterr().out == f"{out}\n"
    (one, *_) = sorted(path.parent for path in out.glob("*/dataset.json"))
    assert main(["convert", str(one), "writer=zip", f"output={tmp_path / 'zip'}"]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'zip'}\n"
    words = ["depth=fastdepth", "progress=lines", f"output={tmp_path / 'deep'}"]
    assert main(["annotate", str(one), *words]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'deep'}\n"
    assert main(["prepare", f"source.root={assets}", f"output={tmp_path / 'ready'}"]) == 0
    printed = capsys.readouterr()
    assert printed.out == f"{tmp_path / 'ready'}\n"
    assert "assets (100 %)" in printed.err


def test_a_terminal_gets_a_bar(assets: Path, tmp_path: Path) -> None:
    text = run_in_terminal(*tiny.words(assets, tmp_path / "out", "samples=20"))
    assert "\x1b[" in text
    assert "━" in text
    assert "20 of 20 samples (100 %)" in text


@pytest.mark.parametrize("width", [20, 40, 300])
def test_a_bar_is_one_line_in_any_terminal(assets: Path, tmp_path: Path, width: int) -> None:
    text = run_in_terminal(*tiny.words(assets, tmp_path / "out", "samples=20"), width=width)
    bars = [line for line in re.split(r"[\r\n]", re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text))
            if "━" in line]  # fmt: skip
    assert bars
    assert max(map(len, bars)) <= width
    assert "━" not in text.partition(" into ")[0]


@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"JPY_PARENT_PID": "1"}, {"TERM": ""}])
def test_terminals_that_move_no_cursor_get_lines(
    assets: Path, tmp_path: Path, environment: dict[str, Any]
) -> None:
    text = run_in_terminal(*tiny.words(assets, tmp_path / "out", "samples=20"), **environment)
    assert not CONTROL.search(text.replace("\r\n", "\n"))
    assert "20 of 20 samples (100 %)" in text


def test_no_color_has_no_colours(assets: Path, tmp_path: Path) -> None:
    words = tiny.words(assets, tmp_path / "out", "samples=20")
    text = run_in_terminal(*words, NO_COLOR="1")
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m|\x1b\[[0-9;]*9[0-9]m", text)
    assert "20 of 20 samples (100 %)" in text


def events(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_json_is_an_object_in_every_line(assets: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = run(*tiny.words(assets, out, "samples=20", "progress=json"))
    assert done.stdout == f"{out}\n"
    by_name = {one["event"]: one for one in events(done.stderr)}
    assert by_name["start"]["samples"] == 20
    assert by_name["start"]["output"] == str(out)
    progress = by_name["progress"]
    assert (progress["done"], progress["of"], progress["unit"]) == (20, 20, "samples")
    assert progress["rate"] > 0
    assert progress["seconds_left"] == 0
    assert by_name["done"]["made"] == 20
    assert by_name["done"]["bytes"] > 0
    assert all(isinstance(one["text"], str) for one in by_name.values())


@pytest.mark.parametrize(
    ("words", "code", "named"),
    [
        (["placement=nosuch"], 2, "placement=nosuch"),
        (["samples=many"], 2, "samples=many"),
        (["source=assets", "source.root=/no/such"], 2, "/no/such"),
        (["nosuch"], 2, "nosuch"),
    ],
)
def test_errors_are_json_too(
    words: list[str], code: int, named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "progress=json"]) == code
    (error,) = events(capsys.readouterr().err)
    assert (error["event"], error["code"]) == ("error", code)
    assert named in error["text"]


def test_none_shows_errors_alone(
    assets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(tiny.words(assets, out, "samples=2", "progress=none")) == 0
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == (f"{out}\n", "")
    assert main(tiny.words(assets, out, "samples=1", "progress=none")) == 2
    assert capsys.readouterr().err.startswith("error: output=")


def test_a_sweep_is_json_too(
    assets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = tiny.words(assets, tmp_path / "out", "samples=2", "objects=1,99", "progress=json")
    assert main(["-m", *words]) == 1
    printed = events(capsys.readouterr().err)
    assert [one["status"] for one in printed if one["event"] == "job-done"] == ["made", "failed"]
    assert printed[-1]["event"] == "done"
    assert "progress" not in (tmp_path / "out" / "sweep.csv").read_text()


def test_the_style_is_no_part_of_the_dataset(
    assets: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    words = [one for one in tiny.words(assets, tmp_path, "samples=2") if "output=" not in one]
    assert main(words) == 0
    first = capsys.readouterr().out
    assert main([*words, "progress=lines"]) == 0
    printed = capsys.readouterr()
    assert printed.out == first
    assert "nothing is left to do" in printed.err
    plan = read_sealed(location(first.strip()) / "plan.json")
    assert "progress" not in json.dumps(plan)
    assert main(["-m", *words, "seed=0,1"]) == 0
    sweep = capsys.readouterr().out
    assert main(["-m", *words, "seed=0,1", "progress=none"]) == 0
    assert capsys.readouterr().out == sweep


def test_long_work_without_a_bar_gives_a_sign_of_life(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(screen, "_LONG_S", 0.02)
    with Screen(ProgressStyle.lines) as shown, shown.waiting("checking the assets"):
        deadline = Pace("", 1, "")
        text = ""
        # A line may come in two pieces.
        while not text.endswith("\n") and deadline.seconds < 20:
            text += capsys.readouterr().err
    assert text == "checking the assets ...\n"


def test_downloads_are_shown_by_the_screen(capsys: pytest.CaptureFixture[str]) -> None:
    with Screen(ProgressStyle.lines):
        bar = bar_of_downloads()
        assert bar is not None
        with bar("nyu.h5", 4_000_000, "bytes") as advance:
            advance(4_000_000)
    assert capsys.readouterr().err.startswith("nyu.h5: 4.0 of 4.0 MB (100 %)")
    assert bar_of_downloads() is None


def test_a_reader_that_goes_away_does_not_end_a_run(assets: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-m", "depthmask", *tiny.words(assets, out, "samples=20")]
    read, write = os.pipe()
    os.close(read)
    process = subprocess.Popen(command, stderr=write, stdout=subprocess.PIPE)
    os.close(write)
    assert process.communicate(timeout=60)[0] == f"{out}\n".encode()
    assert (out / "dataset.json").is_file()


def test_a_terminal_that_ends_does_not_end_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with `nohup`; every shard was made then, and the dataset was unfinished."""
    near, far = pty.openpty()
    stderr = open(far, "w", encoding="utf-8")  # noqa: SIM115 (closed below)
    monkeypatch.setattr(sys, "stderr", stderr)
    with Screen(ProgressStyle.bar) as shown, shown.bar("samples", 4, "samples") as advance:
        advance(1)
        os.close(near)
        shown.line("a line")
        advance(3)
    with suppress(OSError):
        stderr.close()


def test_control_characters_are_shown_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    lines.use("")
    lines.say("a\x1b[31mb\r")
    assert capsys.readouterr().err == "a\\x1b[31mb\\r\n"


def test_a_path_of_any_bytes_is_on_stdout(assets: Path, tmp_path: Path) -> None:
    name = os.fsdecode(os.fsencode(tmp_path) + b"/\xff")
    command = [
        sys.executable,
        "-c",
        f"from depthmask.cli.lines import show_path; show_path({name!r})",
    ]
    done = subprocess.run(command, check=True, capture_output=True)
    assert done.stdout == os.fsencode(name) + b"\n"
