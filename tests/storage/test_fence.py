"""Who has lost the lock of a dataset writes nothing there: in a folder, in a store, in a worker."""

from __future__ import annotations

import os
import pickle
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from depthmask import Progress, make_shard
from depthmask.config.compose import compose_root
from depthmask.engine.from_config import job_from_config
from depthmask.errors import DepthmaskError
from depthmask.storage import fence, object_store
from depthmask.storage.fence import Fence, LockLostError, adopt, fence_of
from depthmask.storage.location import location
from depthmask.storage.path import LOCK, StorePath
from depthmask.storage.publish import Draft, disk_error
from depthmask.storage.remote import ObjectPath
from tests.support.s3_server import Server

LOST = r"output=.*: the lock of this run is gone, .* another run may be at work there"


@pytest.fixture(params=["folder", "memory"])
def output(request: pytest.FixtureRequest, tmp_path: Path) -> StorePath:
    name = os.urandom(6).hex()
    return location(tmp_path / name if request.param == "folder" else f"memory://fence/{name}")


@pytest.fixture
def memory() -> ObjectPath:
    path = location(f"memory://fence/{os.urandom(6).hex()}")
    assert isinstance(path, ObjectPath)
    return path


def contents(output: StorePath) -> dict[str, bytes]:
    return {name: (output / name).read_bytes() for name in output.file_names()}


def take_over(output: StorePath) -> dict[str, bytes]:
    """Have another run take the place of the one in this process; what it has made then."""
    if isinstance(output, ObjectPath):
        object_store.put(output.root, (output / LOCK).key, b'{"token": "of another"}')
        for name in ("old.json", "records/a.json"):
            object_store.put(output.root, (output / name).key, b"of another")
    else:
        assert isinstance(output, Path)
        shutil.rmtree(output)
        (output / "records").mkdir(parents=True)
        for name in (LOCK, "old.json", "records/a.json"):
            (output / name).write_bytes(b"of another")
    return contents(output)


def put_new_file(output: StorePath) -> None:
    with (output / "new.json").new_file() as path:
        path.write_bytes(b"late")


def publish(output: StorePath) -> None:
    with Draft(output, "a") as draft:
        (draft.folder / "a.tar").write_bytes(b"late")
        draft.publish()


WRITES: dict[str, Callable[[StorePath], object]] = {
    "a new small file": lambda output: (output / "records" / "b.json").write_whole(b"late"),
    "an old small file": lambda output: (output / "records" / "a.json").write_whole(b"late"),
    "a file by its local path": put_new_file,
    "a shard": publish,
    "a deletion": lambda output: (output / "old.json").unlink(),
    "the deletion of a folder": lambda output: (output / "records").remove(),
    "the deletion of leftovers": lambda output: output.remove_leftovers(),
}


@pytest.mark.parametrize("what", WRITES)
def test_nothing_is_written_once_the_lock_is_lost(output: StorePath, what: str) -> None:
    output.make_folder()
    (output / "records").make_folder()
    with output.locked() as require_lock:
        require_lock()
        (output / "records" / "a.json").write_whole(b"1")
        (output / "old.json").write_whole(b"1")
        if isinstance(output, ObjectPath):
            # As after a while: an answer counts for half a second.
            fence_of(output)._read_at = None  # type: ignore[union-attr]
        of_other = take_over(output)
        with pytest.raises(LockLostError, match=LOST):
            WRITES[what](output)
        assert contents(output) == of_other
    assert contents(output) == of_other


@pytest.mark.parametrize("what", WRITES)
def test_all_is_written_while_it_is_held(output: StorePath, what: str) -> None:
    with output.locked():
        (output / "records").make_folder()
        (output / "records" / "a.json").write_whole(b"1")
        (output / "old.json").write_whole(b"1")
        before = contents(output)
        WRITES[what](output)
        assert (contents(output) == before) == (what == "the deletion of leftovers")
    # Others need no lock, as `report`.
    (output / "report.html").write_whole(b"1")
    assert fence_of(output) is None


def test_an_answer_counts_for_as_long_as_it_may(
    memory: ObjectPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock goes on while the machine sleeps."""
    clock = [100.0]
    monkeypatch.setattr(fence, "_seconds_since_boot", lambda: clock[0])
    with memory.locked():
        one = fence_of(memory)
        assert one is not None
        one.require()
        take_over(memory)
        one.require(at_most_s=8.0)
        clock[0] += 7.9
        one.require(at_most_s=8.0)
        clock[0] += 0.2
        with pytest.raises(LockLostError):
            one.require(at_most_s=8.0)


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="Linux has it")
def test_the_clock_is_that_which_counts_suspensions() -> None:
    before = time.clock_gettime(time.CLOCK_BOOTTIME)
    assert before <= fence._seconds_since_boot() <= time.clock_gettime(time.CLOCK_BOOTTIME)


@pytest.fixture
def as_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process has no lock of its own."""
    monkeypatch.setattr(fence, "_FENCES", {})


def test_a_worker_reads_the_lock_itself(tmp_path: Path, as_a_worker: None) -> None:
    """The job brings the lock along, but not when the parent, on another machine, has read it."""
    output = location(tmp_path / "out")
    with output.locked():
        one = fence_of(output)
        assert one is not None
        one.require()
        copy = pickle.loads(pickle.dumps(one))
        assert (copy.lock, copy.token, copy._read_at) == (one.lock, one.token, None)
        fence._FENCES.clear()
        adopt(copy)
        (output / "a").write_whole(b"1")
        (output / LOCK).unlink()
        with pytest.raises(LockLostError):
            (output / "b").write_whole(b"1")
        adopt(one)  # For the end of the lock.


def test_a_job_brings_the_lock_to_any_process(tmp_path: Path, as_a_worker: None) -> None:
    """Whatever runner sends it there."""
    output = tmp_path / "out"
    words = ["source.rooms=1", "source.furniture=1", "size=[16,16]", "depth=none", "samples=1"]
    job = job_from_config(compose_root([*words, f"output={output}"]))
    with job.output.locked():
        pickled = pickle.dumps(job)
        fence._FENCES.clear()
        shard = next(iter(job.plan.shards()))
        copy = pickle.loads(pickled)
        (output / LOCK).write_text("of another")
        with pytest.raises(LockLostError):
            make_shard(copy, shard, Progress())
    assert [path.name for path in output.iterdir()] == [LOCK]


def test_an_error_by_what_another_has_made_is_that_of_the_lock(output: StorePath) -> None:
    def late_reader() -> None:
        with output.locked():
            take_over(output)
            raise ValueError("a shard cannot be read")

    with pytest.raises(LockLostError) as caught:
        late_reader()
    assert str(caught.value.__cause__) == "a shard cannot be read"


def test_a_folder_that_is_gone_is_no_error_of_the_disk(tmp_path: Path) -> None:
    output = location(tmp_path / "out")
    error = FileNotFoundError(2, "No such file or directory", f"{output}/x")
    with output.locked():
        assert "x: No such file" in str(disk_error(error, output))
        shutil.rmtree(tmp_path / "out")
        assert isinstance(disk_error(error, output), LockLostError)


def test_what_another_has_put_meanwhile_stays(
    memory: ObjectPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The put begins before the lock is lost, and arrives after it."""
    put = object_store.put

    def late(root: str, key: str, *more: Any) -> Any:
        if key.endswith("a.json"):
            monkeypatch.setattr(object_store, "put", put)
            take_over(memory)
        return put(root, key, *more)

    with memory.locked():
        (memory / "records" / "a.json").write_whole(b"1")
        for _ in range(2):
            monkeypatch.setattr(object_store, "put", late)
            with pytest.raises(LockLostError):
                (memory / "records" / "a.json").write_whole(b"late")
            assert (memory / "records" / "a.json").read_bytes() == b"of another"
            object_store.delete(memory.root, [(memory / "records" / "a.json").key])


def test_a_put_whose_answer_is_lost_is_done_again(
    memory: ObjectPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before that, the lock is read: it may have been lost with the answer."""
    put = object_store.put
    losses: list[Callable[[], object]] = [lambda: None]

    def unanswered(root: str, key: str, *more: Any) -> Any:
        version = put(root, key, *more)
        if key.endswith("x") and losses:
            losses.pop()()
            raise object_store.TransientError("broken off")
        return version

    monkeypatch.setattr("depthmask.storage.remote._WAIT_S", 0.51)
    with memory.locked():
        monkeypatch.setattr(object_store, "put", unanswered)
        (memory / "x").write_whole(b"1")
        assert (memory / "x").read_bytes() == b"1"
        losses.append(lambda: take_over(memory))
        with pytest.raises(LockLostError):
            (memory / "x").write_whole(b"2")


def test_a_store_that_stays_away_is_named(
    memory: ObjectPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*where: Any) -> Any:
        raise object_store.TransientError("the store failed")

    monkeypatch.setattr("depthmask.storage.remote._WAIT_S", 0)
    with memory.locked(), monkeypatch.context() as patched:
        patched.setattr(object_store, "put", away)
        with pytest.raises(DepthmaskError, match="the store failed"):
            (memory / "x").write_whole(b"1")


def test_a_large_shard_appears_only_if_the_lock_is_held_at_its_end(
    s3: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_store, "PART", 5 << 20)
    monkeypatch.setattr(object_store, "MOST_CONDITIONAL", 6 << 20)
    output, content = location(f"s3://bucket/{os.urandom(6).hex()}"), os.urandom(11 << 20)

    def published() -> Any:
        with Draft(output, "a") as draft:
            (draft.folder / "a.tar").write_bytes(content)
            return draft.publish()

    with output.locked():
        (file,) = published()
        assert (output / "shards").is_intact(file)
        before, read = take_over(output), Fence.require
        of_other = {**before, "shards/a.tar": b"of another"}
        object_store.put(
            "s3://bucket", f"{output}/shards/a.tar"[len("s3://bucket/") :], b"of another"
        )
        calls: list[float] = []

        def late(self: Fence, at_most_s: float = 0.0) -> None:
            calls.append(at_most_s)
            if len(calls) > 1:
                read(self, at_most_s)

        monkeypatch.setattr(Fence, "require", late)
        with pytest.raises(LockLostError):
            published()
        assert contents(output) == of_other
