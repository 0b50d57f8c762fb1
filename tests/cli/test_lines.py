"""What commands print, on terminals and in files that lack characters of names."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from depthmask.cli.lines import show, show_block, show_exactly, show_path
from depthmask.cli.main import main

NAME = "ü中"
ROOMS = ["source.rooms=2", "source.furniture=2", "depth=layered", "size=[24,32]", "samples=2"]
ENCODINGS = {"ascii": r"\xfc\u4e2d", "cp1252": "ü\\u4e2d", "latin-1": "ü\\u4e2d", "utf-8": NAME}


class Stdout:
    """Stands for stdout with an encoding of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
        self._bytes = io.BytesIO()
        file = io.TextIOWrapper(self._bytes, encoding=encoding)
        self._encoding = encoding
        monkeypatch.setattr(sys, "stdout", file)

    def text(self) -> str:
        return self._bytes.getvalue().decode(self._encoding)

    def bytes(self) -> bytes:
        return self._bytes.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the dataset ü中 in it."""
    folder = tmp_path_factory.mktemp("lines")
    assert main([*ROOMS, "runner.workers=1", f"output='{folder / NAME}'"]) == 0
    return folder


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_what_an_encoding_lacks_is_escaped(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    out = Stdout(monkeypatch, encoding)
    show(NAME, "plain")
    show_block(f"a {NAME}\n\nb\x1b")
    assert out.text() == f"{ENCODINGS[encoding]}\nplain\na {ENCODINGS[encoding]}\n\nb\\x1b\n"


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_programs_get_the_name_itself(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    out = Stdout(monkeypatch, encoding)
    show_path(Path(NAME))
    show_exactly(f"{NAME}\udcff")
    show_exactly("plain")
    assert out.bytes() == f"{NAME}\n{NAME}".encode() + b"\xff\nplain\n"


@pytest.mark.parametrize(
    "command",
    [
        *["verify NAME", "stats NAME", "report NAME", "render NAME --index 0 --into RENDERED"],
        *["pictures NAME --into PICTURES", "resume NAME", "extend NAME samples=2"],
        *["repeat NAME output='COPY'", "convert NAME writer=zip output='ZIP'"],
        *["evaluate on='NAME' depth=none", "NOTHING.FILE=1", "output='NAME' --cfg job"],
        *["verify NAME/missing", "report NAME --into NAME/missing/ü.html", "plugins", "help"],
        *["prepare source=rooms output='PREPARED' source.rooms=2 source.furniture=2"],
    ],
)
def test_no_command_minds_the_encoding(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    Stdout(monkeypatch, "ascii")
    monkeypatch.chdir(tmp_path)
    os.symlink(folder / NAME, tmp_path / NAME)
    words = [word.replace("NAME", f"./{NAME}") for word in command.split()]
    code = main([f"{word[:-1]}ü'" if word.endswith("'") else word for word in words])
    assert code in (0, 2)


def test_a_terminal_that_knows_only_ascii(folder: Path) -> None:
    """Names are bytes to such a Python, and these cannot be encoded."""
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    command = [sys.executable, "-m", "depthmask", "verify", NAME]
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **ascii_only}, capture_output=True, check=False
    )
    # The other tests may have left files in the folder, which are named.
    assert all(line.startswith(b"note: ") for line in done.stderr.splitlines())
    assert done.stdout == rb"\xc3\xbc\xe4\xb8\xad: every shard is as published" + b"\n"
