"""A full disk is named as such, whatever a writer's library says of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path

import pytest

from depthmask import Encoded, Members, PublishedDataset, setting, stage
from depthmask.cli.main import main
from depthmask.stages.writer.webdataset import WebDataset

SMALL = ["source.rooms=2", "source.furniture=2", "size=[24,32]", "samples=4", "shard_size=2"]


@stage("raising")
class Raising(WebDataset):
    """Raises what SQLite would."""

    text: str = setting("", help="the text of the error")
    in_derive: bool = setting(False, help="raise it after the samples")

    def write(self, folder: Path, shard: str, count: int, samples: Iterable[Encoded]) -> Members:
        if not self.in_derive:
            raise sqlite3.OperationalError(self.text)
        return super().write(folder, shard, count, samples)

    def derive(self, dataset: PublishedDataset) -> None:
        raise sqlite3.OperationalError(self.text)


@pytest.mark.usefixtures("stages_of_tests")
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("in_derive", [False, True])
def test_a_full_disk_is_named(
    workers: int, in_derive: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [*SMALL, "writer=raising", "writer.text='database or disk is full'"]
    more = [f"writer.in_derive={in_derive}", f"runner.workers={workers}"]
    assert main([*words, *more, f"output={tmp_path / 'out'}"]) == 1
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error")]
    assert len(lines) == 1
    assert lines[0].startswith(
        f"error: {tmp_path / 'out'}: No space left on device (OperationalError: database or disk "
        "is full); "
    )
    assert lines[0].endswith("Make room and run the same command again: published shards are kept")


@pytest.mark.usefixtures("stages_of_tests")
def test_a_mistake_is_no_full_disk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [*SMALL, "writer=raising", "writer.text='no such table'", "runner.workers=1"]
    assert main([*words, f"output={tmp_path / 'out'}"]) == 1
    shown = capsys.readouterr().err
    assert "OperationalError: no such table" in shown
    assert "No space left" not in shown
