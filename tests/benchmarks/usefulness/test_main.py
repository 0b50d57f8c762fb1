"""The command: what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.usefulness.__main__ import main, require_committed


def test_a_final_table_is_of_files_that_are_committed() -> None:
    require_committed({"abc", "abd"})
    require_committed({""})
    with pytest.raises(SystemExit, match=r"^--final: runs were made at abc-dirty; make them"):
        require_committed({"abc-dirty", "abd"})


def test_nothing_begins_without_edges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.usefulness.__main__.can_find_edges", lambda: False)
    with pytest.raises(SystemExit, match=r"pip install -e '.\[evaluate\]'"):
        main(["--small"])


def test_an_interrupt_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("benchmarks.usefulness.__main__.can_find_edges", lambda: True)
    monkeypatch.setattr("benchmarks.usefulness.__main__.carry_out", interrupt)
    assert main(["--small", "--data", str(tmp_path), "--out", str(tmp_path / "out")]) == 130
    assert capsys.readouterr().err == "interrupted; the same command goes on from here\n"
