"""`render` and `pictures` write into local folders of their own, and never mix two datasets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from depthmask.cli.main import main

WORDS = ("source.rooms=2", "source.furniture=2", "size=[32,40]", "samples=4", "runner.workers=1")


@pytest.fixture(scope="module")
def datasets(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two datasets of the same name."""
    folder = tmp_path_factory.mktemp("made")
    paths = folder / "a" / "room", folder / "b" / "room"
    for seed, path in enumerate(paths):
        assert main([*WORDS, f"seed={seed}", f"output={path}"]) == 0
    return paths


@pytest.fixture(autouse=True)
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def error(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    capsys.readouterr()
    assert main(list(words)) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("error: ")
    return line


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("command", [["render", "--index", "1"], ["pictures"]])
def test_the_folder_has_the_name_of_the_dataset(
    command: list[str],
    datasets: tuple[Path, Path],
    working_folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, other = datasets
    name, *options = command
    capsys.readouterr()
    assert main([name, str(one), *options]) == 0
    folder = working_folder / f"room-{name}"
    assert names(working_folder) == [folder.name]
    assert capsys.readouterr().out.startswith(folder.name)
    before = contents(folder)
    # The same again, and from another folder by another path.
    assert main([name, str(one), *options]) == 0
    assert contents(folder) == before
    line = error(capsys, name, str(other), *options)
    assert line == (
        f"error: room-{name} holds the files of `{name} {one}`, not of `{name} {other}`; "
        "choose another folder with --into FOLDER"
    )
    assert contents(folder) == before
    assert main([name, str(other), *options, "--into", "mine"]) == 0
    assert main([name, f"{one}/../room", *options]) == 0
    monkeypatch.chdir(one.parent)
    assert main([name, "room", *options, "--into", str(folder)]) == 0
    assert main(["verify", str(one)]) == 0


def test_more_samples_are_added(datasets: tuple[Path, Path]) -> None:
    one, _ = datasets
    for index in (3, 1):
        assert main(["render", str(one), "--index", str(index)]) == 0
    keys = {name.partition(".")[0] for name in names(Path("room-render"))}
    assert keys == {"000000001", "000000003"}


def test_an_extended_dataset_is_the_same(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main([*WORDS, f"output={out}"]) == 0
    assert main(["render", str(out), "--index", "1"]) == 0
    assert main([*WORDS, "samples=6", f"output={out}"]) == 0
    assert main(["render", str(out), "--index", "5"]) == 0
    assert main([*WORDS, "seed=9", "overwrite=true", f"output={out}"]) == 0
    assert main(["render", str(out), "--index", "0"]) == 2


def test_pictures_of_two_scales_are_not_mixed(
    datasets: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    one, _ = datasets
    scale = ["--near", "1", "--far", "5"]
    assert main(["pictures", str(one), "--count", "2", *scale]) == 0
    before = contents(Path("room-pictures"))
    line = error(capsys, "pictures", str(one), "--near", "2", "--far", "5")
    assert line == (
        "error: room-pictures holds files with --near 1.0, not 2.0; give --near 1.0 to add files, "
        "or choose another folder with --into FOLDER"
    )
    assert "room-pictures holds files with --" in error(capsys, "pictures", str(one))
    assert contents(Path("room-pictures")) == before
    assert main(["pictures", str(one), *scale]) == 0
    assert len(names(Path("room-pictures"))) == 5


def test_files_of_others_are_kept(
    datasets: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    one, _ = datasets
    for folder in ("room-render", "room-pictures", "mine"):
        Path(folder).mkdir()
        (Path(folder) / "legend.png").write_text("mine")
    for name, options in (("render", ["--index", "1"]), ("pictures", [])):
        assert error(capsys, name, str(one), *options) == (
            f"error: room-{name} {'holds legend.png' if name == 'pictures' else 'is not empty'}, "
            f"and `{name}` has not made it; choose another folder with --into FOLDER"
        )
        assert names(Path(f"room-{name}")) == ["legend.png"]
    # A folder that the user names may have other files, but none is replaced.
    assert "mine holds legend.png" in error(capsys, "pictures", str(one), "--into", "mine")
    assert main(["render", str(one), "--index", "1", "--into", "mine"]) == 0
    assert (Path("mine") / "legend.png").read_text() == "mine"
    assert "holds the files of `render " in error(capsys, "pictures", str(one), "--into", "mine")


def test_folders_that_cannot_be_used(
    datasets: tuple[Path, Path],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, _ = datasets
    render = ["render", str(one), "--index", "1"]
    Path("file").write_text("mine")
    assert "file is a file; choose a folder" in error(capsys, *render, "--into", "file")
    assert "a local folder only" in error(capsys, *render, "--into", "s3://bucket/set")
    assert "error: file: is a file, and no folder; choose another path" in error(
        capsys, *render, "--into", "file/new"
    )
    assert not Path("s3:").exists()
    Path("bad").mkdir()
    (Path("bad") / ".depthmask.json").write_text("{")
    assert "bad holds the files of `another command OUT`" in error(capsys, *render, "--into", "bad")
    for folder in (one, one / "shards", one / "new"):
        assert f"is in the dataset {one}" in error(capsys, *render, "--into", str(folder))
    before = names(one)
    monkeypatch.chdir(one)
    assert "room-render is in the dataset ." in error(capsys, "render", ".", "--index", "1")
    assert names(one) == before
    assert "--count 0: must be at least 1" in error(capsys, "pictures", str(one), "--count", "0")


def test_a_dataset_in_an_object_store(working_folder: Path) -> None:
    pytest.importorskip("obstore")
    assert main([*WORDS, "output=memory://pictures/far"]) == 0
    assert main(["render", "memory://pictures/far", "--index", "1"]) == 0
    assert main(["pictures", "memory://pictures/far", "--count", "2"]) == 0
    assert names(working_folder) == ["far-pictures", "far-render"]
    assert len(names(working_folder / "far-pictures")) == 3
    marker = json.loads((working_folder / "far-render" / ".depthmask.json").read_text())
    assert marker["dataset"] == "memory://pictures/far"
