"""No command passes on control characters of names, files and metadata."""

from __future__ import annotations

import json
import logging
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

import depthmask
from depthmask.cli import lines
from depthmask.cli.main import main
from depthmask.engine.displays.log import log_of_run, open_log
from depthmask.engine.displays.notebook import Notebook
from depthmask.reports.sweep.page import page
from depthmask.reports.sweep.result import JobResult, Status
from depthmask.reports.sweep.table import Table
from depthmask.storage.location import location
from depthmask.storage.publish import require_sealed, write_sealed
from tests.support import tiny

NAME = "odd\x1b]0;pwned\x07\r\nerror: forged\u202e\u2028\u200b\x9b"
SHOWN = r"odd\x1b]0;pwned\x07\r\nerror: forged\u202e\u2028\u200b\x9b"
ACTING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\ud800-\udfff]")


def assert_inert(text: str) -> None:
    """Nothing in a text acts, and no name has made a line of its own."""
    assert not ACTING.search(text), ascii(text)
    assert not [line for line in text.splitlines() if line.startswith("error: forged")]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("escapes")
    words = tiny.words(tiny.make_assets(folder / "assets"), folder / "out", "samples=2")
    assert main([*words, "runner.workers=1"]) == 0
    return folder / "out"


@pytest.fixture
def odd(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A dataset in a folder of this name, seen from the folder above."""
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copytree(made, tmp_path / NAME)).relative_to(tmp_path)


WRONG = [
    *([command, NAME] for command in ("verify", "stats", "report", "pictures", "resume")),
    *(["render", NAME, "--index", "0"], ["extend", NAME, "samples=9"]),
    *(["repeat", NAME, "output=o"], ["convert", NAME, "output=o"], ["help", NAME], [NAME]),
    *(["annotate", NAME, "depth=none", "output=o"], ["evaluate", f"depth={NAME}"]),
    *(["plugins", "--config-dir", NAME], ["--config-dir", NAME], ["completion", NAME]),
    *(["new-plugin", NAME, "x"], ["source=assets", f"source.root='{NAME}'"], [f"seed={NAME}"]),
    *([f"--{NAME}"], [f"{NAME}=1"], [f"placement={NAME}"], ["verify", "out", f"--{NAME}"]),
    *(["-m", f"seed={NAME}"], ["--cfg", NAME], ["--cfg", "job", "-p", NAME]),
]


@pytest.mark.parametrize("words", WRONG, ids=lambda words: ascii(words[:1]))
def test_a_wrong_command(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) != 0
    said = capsys.readouterr()
    assert_inert(said.out + said.err)
    assert "forged" in said.err


@pytest.mark.parametrize(
    "words", [["verify"], ["stats"], ["resume"], ["extend", "samples=2"], ["pictures"], ["report"]]
)
def test_a_folder_with_such_a_name(
    odd: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert main([words[0], str(odd), *words[1:]]) == 0
    said = capsys.readouterr()
    assert_inert(said.err)
    if words[0] in ("verify", "stats"):
        assert_inert(said.out)
    if words == ["report"]:
        page = (odd / "report.html").read_text()
        assert SHOWN in page
        assert_inert(page)


def test_stray_files(odd: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (odd / "shards" / NAME).touch()
    (odd / "records" / f"{NAME}\udcff").touch()
    assert main(["verify", str(odd)]) == 1
    said = capsys.readouterr()
    assert said.out.splitlines() == [
        rf"records/{SHOWN}\xff: belongs to no shard",
        f"shards/{SHOWN}: belongs to no shard",
    ]
    assert_inert(said.err)
    main(["verify", str(odd), "--repair"])
    said = capsys.readouterr()
    assert_inert(said.out + said.err)


@pytest.mark.parametrize("field", ["job", "config", "inputs"])
@pytest.mark.parametrize("command", ["verify", "render", "resume", "repeat", "report", "stats"])
def test_texts_of_a_plan(
    odd: Path, capsys: pytest.CaptureFixture[str], command: str, field: str
) -> None:
    plan = location(odd) / "plan.json"
    content = {k: v for k, v in require_sealed(plan).items() if k != "checksum"}
    if field == "config":
        content["config"]["placement"]["stage"] = NAME
    else:
        content[field] = NAME
    write_sealed(plan, content)
    more = {"render": ["--index", "0"], "repeat": ["output=o"]}.get(command, [])
    main([command, str(odd), *more])
    said = capsys.readouterr()
    assert_inert(said.err)
    if command == "verify":
        assert_inert(said.out)


@pytest.mark.parametrize("command", ["stats", "report", "verify"])
def test_the_unit_of_depth(odd: Path, capsys: pytest.CaptureFixture[str], command: str) -> None:
    """Charts, tables and the `repr`; at such a unit the drawing library would end the process."""
    info = location(odd) / "dataset.json"
    content = {k: v for k, v in require_sealed(info).items() if k != "checksum"}
    content["depth"]["unit"] = NAME
    write_sealed(info, content)
    main([command, str(odd)])
    said = capsys.readouterr()
    assert_inert(said.err)
    if command == "stats":
        assert f"[{SHOWN}]" in said.out
        assert_inert(said.out)
        assert_inert(repr(depthmask.open(odd)))


def test_presets_and_their_comments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "d" / "preset").mkdir(parents=True)
    content = "# Nice \x1b[31m\u202e.\nseed: 1\n"
    (tmp_path / "d" / "preset" / f"{NAME}.yaml").write_text(content)
    main(["plugins", "--config-dir", "d"])
    said = capsys.readouterr()
    assert_inert(said.out + said.err)
    assert rf"+preset={SHOWN}  Nice \x1b[31m\u202e." in said.out


def test_paths_for_programs_are_exact_and_shown_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines.show_path(NAME)
    assert capsys.readouterr().out == f"{NAME}\n"
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    lines.show_exactly("a: 1\nb: \x1b")
    lines.show_path("a\x1b")
    assert capsys.readouterr().out == "a: 1\nb: \\x1b\na\\x1b\n"


def test_lines_of_programs_are_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    lines.use("json")
    try:
        lines.say(f"{NAME}\x7f", "done", output=f"{NAME}\x7f")
    finally:
        lines.use("")
    said = capsys.readouterr().err
    assert said.strip().isascii()
    assert said.strip().isprintable()
    assert json.loads(said)["output"] == f"{NAME}\x7f"


def test_the_log(tmp_path: Path) -> None:
    class Display:
        def line(self, text: str, event: str = "line", **facts: Any) -> None: ...

    with log_of_run(Display()):  # type: ignore[arg-type]
        open_log(tmp_path / "run.log")
        logging.getLogger("depthmask").warning("left out: %s; 1 more:\n  b", NAME)
        try:
            raise ValueError(NAME)
        except ValueError:
            logging.getLogger("depthmask").exception("it failed")
    text = (tmp_path / "run.log").read_text()
    assert_inert(text)
    assert f"left out: {SHOWN}; 1 more:\n  b\n" in text
    assert text.endswith(f"\nValueError: {SHOWN}\n")


def test_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    display = Notebook()
    monkeypatch.setattr(display, "_show", lambda: None)
    display.line(NAME)
    with display.bar(NAME, 2, "samples") as advance:
        advance(1)
        assert_inert(display._text() + display._html())
    assert SHOWN in display._text()


def test_a_sweep() -> None:
    bad = JobResult(
        0, (f"output={NAME}",), Status.failed, dataset="", reason=NAME, settings={"output": NAME}
    )
    table = Table.of([bad])
    assert_inert(table.as_text())
    assert_inert(page(table, location("x"), NAME, 1.0))


def test_a_sample_shows_texts_as_python_does(made: Path) -> None:
    """In a program they are what the files have."""
    assert "\x1b" not in repr(depthmask.open(made)[0])
