"""Assets are prepared once, on all cores, and only those that a run needs."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections import Counter
from pathlib import Path

import pytest

from depthmask.asset_store.folder import stored_files
from depthmask.cli.main import main
from depthmask.config.compose import compose_root
from depthmask.engine.display import Silent
from depthmask.engine.from_config import job_from_config
from depthmask.engine.generate import Generate
from depthmask.engine.job import Asset
from depthmask.engine.runner import _preparing
from depthmask.engine.runner._preparing import prepare

ROOMS = ["source.rooms=6", "source.furniture=4", "size=[32,32]", "samples=40", "shard_size=10"]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEPTHMASK_CACHE", str(tmp_path / "cache"))


def job_of(*words: str) -> Generate:
    return job_from_config(compose_root([*ROOMS, "geometry=source", *words]))


def groups() -> Counter[str]:
    return Counter(one.group for one in stored_files())


def test_all_assets_are_prepared_once() -> None:
    job = job_of()
    assert set(job.before_shards(Silent(), job.plan.shards())) == {"source"}
    assert groups() == {"rooms-backgrounds": 6, "rooms-foregrounds": 4}
    before = {one.path: one.path.stat().st_ino for one in stored_files()}
    assert job_of().before_shards(Silent(), job.plan.shards()) == {"source": 0.0}
    assert {one.path: one.path.stat().st_ino for one in stored_files()} == before


def test_only_the_assets_of_the_missing_shards_are_prepared() -> None:
    job = job_of("source.rooms=200", "source.furniture=100", "samples=20")
    shard = next(iter(job.plan.shards()))
    job.before_shards(Silent(), [shard])
    recipes = list(job.plan.recipes(job.plan.indices(shard)))
    assert len(recipes) == 10
    assert groups() == {
        "rooms-backgrounds": len({one.background for one in recipes}),
        "rooms-foregrounds": len({key for one in recipes for key, _ in one.foregrounds}),
    }


def test_the_floors_of_measured_backgrounds_are_prepared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job = job_of("placement=ground")
    # As of a geometry that measures: its depth is in the store, and its floors are not.
    monkeypatch.setattr(type(job.geometry), "to_measure", lambda self, keys: list(keys))
    monkeypatch.setattr(type(job.geometry), "fill", lambda self, keys, advance: None)
    monkeypatch.setattr(type(job.geometry), "lacks_floor", lambda self, key: True)
    job.before_shards(Silent(), job.plan.shards())
    assert groups()["floors"] == 6


def test_nothing_is_prepared_where_nothing_can_be_stored(tmp_path: Path) -> None:
    (tmp_path / "cache").touch()
    job = job_of()
    assert job.before_shards(Silent(), job.plan.shards()) == {"source": 0.0}


class Slow:
    """A job whose assets take time; it notes in files which process prepared which.

    waits_for: the number of other processes for which this one waits after some assets.
    """

    def __init__(self, folder: Path, waits_for: int = 0) -> None:
        self.folder = folder
        self.waits_for = waits_for
        self.process = os.getpid()

    def prepare(self, asset: Asset) -> None:
        time.sleep(0.1)
        (self.folder / f"{asset[1]}-{os.getpid()}").touch()
        if asset[1] == "1":
            raise ValueError("bad")
        deadline = time.monotonic() + 60
        while os.getpid() == self.process and int(asset[1]) > 3 and time.monotonic() < deadline:
            if len(self.processes()) > self.waits_for:
                return
            time.sleep(0.05)

    def processes(self) -> set[str]:
        return {path.name.partition("-")[2] for path in self.folder.iterdir()}


@pytest.fixture
def assets() -> list[Asset]:
    return [("background", str(number)) for number in range(30)]


def test_other_processes_help_and_each_asset_is_taken_once(
    tmp_path: Path, assets: list[Asset]
) -> None:
    done: list[int] = []
    job = Slow(tmp_path / "done", waits_for=2)
    job.folder.mkdir()
    prepare(job, assets, done.append, helpers=2)  # type: ignore[arg-type]
    keys = [path.name.partition("-")[0] for path in job.folder.iterdir()]
    assert sorted(map(int, keys)) == list(range(30))
    assert len(job.processes()) == 3
    # One that cannot be prepared counts, too: the sample that needs it names it.
    assert sum(done) == 30


def test_little_work_starts_no_process(
    tmp_path: Path, assets: list[Asset], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_preparing, "_helper", lambda *_: pytest.fail("started a process"))
    prepare(Slow(tmp_path), assets[:8], lambda count: None, helpers=2)  # type: ignore[arg-type]
    prepare(Slow(tmp_path), assets[:4], lambda count: None, helpers=0)  # type: ignore[arg-type]


def test_processes_end_with_an_error(tmp_path: Path, assets: list[Asset]) -> None:
    # Others of this process may still run.
    before = set(multiprocessing.active_children())

    def interrupt(count: int) -> None:
        if len(set(multiprocessing.active_children()) - before) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(Slow(tmp_path), assets * 3, interrupt, helpers=2)  # type: ignore[arg-type]
    assert not set(multiprocessing.active_children()) - before


def test_a_store_changes_no_pixel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shards of a run that fills the store, of one that uses it, and of one without."""
    content = []
    for name in ("fills", "uses", "without"):
        if name == "without":
            monkeypatch.setenv("DEPTHMASK_CACHE", str(tmp_path / "file"))
            (tmp_path / "file").touch()
        words = [*ROOMS, "geometry=source", "placement=ground", "progress=none"]
        assert main([*words, f"output={tmp_path / name}"]) == 0
        shards = sorted((tmp_path / name / "shards").iterdir())
        content.append([path.read_bytes() for path in shards])
    assert content[0] == content[1] == content[2]
