"""A full disk or a kill at every step: one line, nothing half published, the same bytes later."""

from __future__ import annotations

import os
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from depthmask import Encoded, Members, Writer, stage
from depthmask.cli.main import main
from tests.support import tiny
from tests.support.paths import ROOT
from tools import failpoints

PLAN = ("samples=7", "shard_size=3")


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def assets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.make_assets(tmp_path_factory.mktemp("full") / "assets")


@pytest.fixture(scope="module")
def wanted(assets: Path) -> dict[str, str]:
    assert tiny.start(tiny.words(assets, assets.parent / "whole", *PLAN)).wait(60) == 0
    return tiny.sha256s(assets.parent / "whole")


@pytest.mark.parametrize("more", [[], ["--full"]])
def test_steps(more: list[str]) -> None:
    """Every 13th of one writer; all of them: tools/failpoints.py."""
    script = str(ROOT / "tools" / "failpoints.py")
    words = ["--writer", "webdataset", "--kind", "new", "--every", "13", *more]
    done = subprocess.run(
        [sys.executable, script, *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def small_disk(folder: Path, pages: int) -> Iterator[None]:
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={4096 * pages}", "tmpfs", str(folder)]
    if os.getuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root mounts a tmpfs")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_small_disk(assets: Path, wanted: dict[str, str], tmp_path: Path, workers: int) -> None:
    for pages in (12, 14, 20, 30) if workers == 1 else (12, 16):
        disk, log = tmp_path / f"disk{pages}", tmp_path / f"log{pages}"
        with small_disk(disk, pages):
            words = tiny.words(assets, disk / "out", *PLAN, f"runner.workers={workers}")
            assert tiny.start(words, log).wait(60) == 1
            assert failpoints.one_line(log.read_text(), str(disk)) == []
            assert failpoints.unsound(disk / "out") == []
            subprocess.run(["mount", "-o", "remount,size=16m", str(disk)], check=True)
            assert tiny.start(words, log).wait(60) == 0, log.read_text()
            assert tiny.losses(disk / "out", 7, wanted) == []


@stage("database")
class Database(Writer):
    """SQLite's own error, after which it gives back what it had written."""

    def write(self, folder: Path, shard: str, count: int, samples: Iterable[Encoded]) -> Members:
        with closing(sqlite3.connect(folder / f"{shard}.sqlite")) as database:
            database.execute("CREATE TABLE members (data BLOB)")
            for sample in samples:
                rows = [(data,) for data in sample.members.values()]
                database.executemany("INSERT INTO members VALUES (?)", rows)
            database.commit()
        return {}


@pytest.mark.usefixtures("stages_of_tests")
def test_a_library_that_knows_no_errno(
    assets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with small_disk(tmp_path / "disk", 9):
        words = tiny.words(assets, tmp_path / "disk" / "out", *PLAN, "runner.workers=1")
        assert main([*words, "writer=database"]) == 1
        errors = [one for one in capsys.readouterr().err.splitlines() if one.startswith("error")]
        assert len(errors) == 1
        assert "No space left on device" in errors[0]
        assert "Make room and run the same command again" in errors[0]


@pytest.mark.parametrize("limit", [300, 1500, 9000])
def test_a_limit_on_the_size_of_files(
    assets: Path, wanted: dict[str, str], tmp_path: Path, limit: int
) -> None:
    words = tiny.words(assets, tmp_path / "out", *PLAN, "runner.workers=2")
    done = subprocess.run(
        [sys.executable, "-B", "-m", "depthmask", *words],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert failpoints.one_line(done.stderr, str(tmp_path)) == []
    assert failpoints.unsound(tmp_path / "out") == []
    assert tiny.start(words).wait(60) == 0
    assert tiny.losses(tmp_path / "out", 7, wanted) == []
