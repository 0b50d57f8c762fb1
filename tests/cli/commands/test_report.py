"""`report OUT` writes one file, whole, and disturbs nothing."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from depthmask.cli.main import main
from depthmask.storage.location import location
from tests.support import tiny


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    words = tiny.words(tiny.make_assets(folder / "assets"), folder / "out", "samples=3")
    assert main([*words, "runner.workers=1"]) == 0
    return folder / "out"


def test_the_page_is_in_the_dataset_and_verify_ignores_it(
    made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(made)]) == 0
    assert capsys.readouterr().out == f"{made / 'report.html'}\n"
    first = (made / "report.html").read_bytes()
    assert first.startswith(b"<!doctype html>")
    assert main(["verify", str(made)]) == 0
    assert main(["report", str(made)]) == 0
    assert (made / "report.html").read_bytes() == first


def test_an_extension_removes_the_page_about_the_shorter_dataset(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    words = [*tiny.words(made.parent / "assets", out), "runner.workers=1", "shard_size=2"]
    assert main([*words, "samples=3"]) == 0
    assert main(["report", str(out)]) == 0
    page = (out / "report.html").read_bytes()
    # What changes nothing leaves the page: nothing to do, a repair, another number of workers.
    assert main([*words, "samples=3"]) == 0
    (out / "shards" / "train-000000.tar").unlink()
    assert main(["verify", str(out), "--repair"]) == 0
    assert (out / "report.html").read_bytes() == page
    capsys.readouterr()
    assert main([*words, "samples=5"]) == 0
    assert not (out / "report.html").exists()
    note = (
        "note: report.html was about the dataset before this run and is removed; after the run, "
        f"`python -m depthmask report {out}` makes it again"
    )
    assert note in capsys.readouterr().err.splitlines()
    assert main(["verify", str(out)]) == 0
    assert main(["report", str(out)]) == 0
    assert b"5 samples" in (out / "report.html").read_bytes()
    assert main([*words, "samples=5", "seed=2", "overwrite=true"]) == 0
    assert not (out / "report.html").exists()


def test_another_path(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "page.html"
    assert main(["report", str(made), "--into", str(path)]) == 0
    assert path.is_file()
    assert [one.name for one in tmp_path.iterdir()] == ["page.html"]
    capsys.readouterr()
    assert main(["report", str(made), "--into", str(tmp_path / "none" / "page.html")]) == 2
    assert f"there is no folder {tmp_path / 'none'}; make it first" in capsys.readouterr().err


def test_another_file_is_not_replaced(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis.html").write_text("years of work")
    for path, text in (("thesis.html", "exists, and is no report"), (".", "is a folder")):
        capsys.readouterr()
        assert main(["report", str(made), "--into", str(tmp_path / path)]) == 2
        assert f"{text}; " in capsys.readouterr().err
    assert (tmp_path / "thesis.html").read_text() == "years of work"
    for _ in range(2):
        assert main(["report", str(made), "--into", str(tmp_path / "page.html")]) == 0


def test_a_dataset_in_an_object_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("obstore")
    assets = tiny.make_assets(tmp_path / "assets")
    words = tiny.words(assets, tmp_path, "samples=3", "output=memory://report/out")
    assert (
        main([*(word for word in words if word != f"output={tmp_path}"), "runner.workers=1"]) == 0
    )
    capsys.readouterr()
    assert main(["report", "memory://report/out"]) == 0
    path = location(capsys.readouterr().out.strip())
    assert str(path) == "memory://report/out/report.html"
    assert b"<title>out: report</title>" in path.read_bytes()


def test_a_folder_without_a_dataset_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(tmp_path)]) == 2
    assert "no dataset here" in capsys.readouterr().err


def test_without_the_library_for_charts(
    made: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    assert main(["report", str(made)]) == 2
    assert "pip install 'depthmask[report]'" in capsys.readouterr().err


def test_a_damaged_description_is_an_error(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = Path(shutil.copytree(made, tmp_path / "out"))
    (out / "report.html").write_text("an older one")
    shard = out / "shards" / "train-000000.tar"
    shard.write_bytes(shard.read_bytes().replace(b'{"key"', b'["key"', 1))
    capsys.readouterr()
    assert main(["report", str(out)]) == 1
    error = capsys.readouterr().err
    assert "the description of sample 0: cannot be read" in error
    assert (out / "report.html").read_text() == "an older one"
