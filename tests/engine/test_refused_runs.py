"""A run that is refused leaves no folder, or one that is free for the corrected command."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from depthmask.cli.main import main
from depthmask.engine.runner.local import Local
from depthmask.errors import DepthmaskError, UsageError
from tests.support import tiny

SAMPLES = ("samples=4", "shard_size=2", "runner.workers=1")
GAVE_WAY = "OUT: held the plan of another dataset and no sample of it; it has given way"


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.chdir(tmp_path)
    tiny.make_assets(Path("assets"))
    return [*tiny.words(Path("assets"), Path("OUT")), *SAMPLES]


def contents() -> dict[str, bytes]:
    files = (path for path in Path("OUT").rglob("*") if path.is_file())
    return {str(path): path.read_bytes() for path in files if path.name != ".lock"}


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    with monkeypatch.context() as patch:
        usage = type(shutil.disk_usage("/"))(1 << 40, 1 << 40, 1)
        patch.setattr("shutil.disk_usage", lambda path: usage)
        yield patch


def test_a_full_disk_leaves_no_folder(
    words: list[str], full_disk: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    assert "the disk has 1 byte free" in capsys.readouterr().err
    assert not Path("OUT").exists()
    full_disk.undo()
    assert main([*words, "seed=5"]) == 0


@pytest.mark.parametrize("change", [["samples=400"], ["seed=5", "samples=400", "overwrite=true"]])
def test_a_full_disk_changes_nothing_of_a_dataset(
    words: list[str], monkeypatch: pytest.MonkeyPatch, change: list[str]
) -> None:
    assert main(words) == 0
    before = contents()
    usage = type(shutil.disk_usage("/"))(1 << 40, 1 << 40, 1)
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    assert main([*words, *change]) == 2
    assert contents() == before


def test_what_overwrite_deletes_counts_as_free(
    words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(words) == 0
    usage = type(shutil.disk_usage("/"))(1 << 40, 1 << 40, 1)
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    assert main([*words, "samples=2", "seed=5", "overwrite=true"]) == 0


REFUSALS = {
    "a label": ["placement=ground", "placement.heights={hsoe: 1}"],
    "a bad asset": ["source.root=worse"],
    "no folder": ["source.root=nowhere"],
    "too large a shard": ["writer=zip", "shard_size=70000", "samples=100000"],
}


@pytest.mark.parametrize("refused", REFUSALS)
def test_bad_settings_and_assets_leave_no_folder(words: list[str], refused: str) -> None:
    shutil.copytree("assets", "worse")
    Path("worse/fg/torn.png").write_bytes(b"no picture")
    assert main([*words, *REFUSALS[refused]]) == 2
    assert not Path("OUT").exists()
    assert main(words) == 0


@pytest.mark.parametrize("error", [UsageError("no cluster"), DepthmaskError("a worker died")])
def test_a_run_without_samples_gives_way(
    words: list[str],
    error: DepthmaskError,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As when a runner finds no cluster, or weights cannot be loaded."""

    def refuse(*arguments: Any) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(Local, "run", refuse)
        assert main(words) == error.exit_code
    Path("OUT/mine.txt").write_text("a note")
    assert main([*words, "seed=5", "--dry-run"]) == 0
    assert "whose plan of another dataset, without any sample, would give way" in (
        capsys.readouterr().err
    )
    assert main([*words, "seed=5"]) == 0
    assert GAVE_WAY in capsys.readouterr().err
    assert Path("OUT/mine.txt").read_text() == "a note"
    assert main(["verify", "OUT"]) == 0
    # Now it has samples, and another plan is refused.
    assert main(words) == 2
    assert "holds another dataset: seed was 5 and is 0" in capsys.readouterr().err


@pytest.mark.parametrize("kept", ["shards", "records", "dataset.json"])
def test_a_folder_with_anything_made_is_kept(words: list[str], kept: str) -> None:
    assert main(words) == 0
    for name in {"shards", "records", "dataset.json"} - {kept}:
        path = Path("OUT", name)
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    before = contents()
    assert main([*words, "seed=5"]) == 2
    assert contents() == before
