"""The lock object: who has it, and when it may be taken."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from typing import Any

import pytest

from depthmask.errors import DepthmaskError, UsageError
from depthmask.storage import lease, object_store
from depthmask.storage.path import LOCK
from depthmask.storage.remote import ObjectPath


@pytest.fixture
def output() -> ObjectPath:
    return ObjectPath("memory://locks", os.urandom(8).hex())


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "LEASE_S", 0.6)
    monkeypatch.setattr(lease, "RENEW_S", 0.05)
    monkeypatch.setattr(lease, "_POLL_S", 0.02)


def held(output: ObjectPath) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((output / LOCK).read_bytes())
    return found


def leave(output: ObjectPath, **changes: object) -> None:
    """What a run that was killed leaves behind."""
    with output.locked():
        holder = held(output)
    (output / LOCK).write_bytes(json.dumps({**holder, **changes}).encode())


def test_one_at_a_time(output: ObjectPath) -> None:
    with output.locked() as require:
        require()
        with pytest.raises(UsageError, match=rf"another run is at work.*process {os.getpid()} on"):
            output.locked().__enter__()
        with (output / "beside").locked():
            require()
    assert not (output / LOCK).exists()
    with output.locked():
        assert held(output)["pid"] == os.getpid()


def test_a_dead_run_of_this_machine_is_no_obstacle(
    output: ObjectPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "LEASE_S", 60)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    leave(output, pid=ended.pid)
    with output.locked():
        assert held(output)["pid"] == os.getpid()
    # Of this process, but the store was away when it ended.
    leave(output)
    with output.locked():
        assert held(output)["pid"] == os.getpid()
    # Its number may be another's by now.
    leave(output, started="1")
    with output.locked():
        assert held(output)["started"] != "1"


@pytest.mark.parametrize("content", [b"", b"[]", b'{"pid": "x"}', b'{"host": "elsewhere"}'])
def test_a_lock_of_nobody_or_of_elsewhere_is_taken_after_a_while(
    output: ObjectPath, content: bytes
) -> None:
    (output / LOCK).write_bytes(content)
    begun = time.monotonic()
    with output.locked() as require:
        assert 0.5 < time.monotonic() - begun < 5
        require()


def test_a_living_run_elsewhere_is_seen_by_what_it_does(output: ObjectPath) -> None:
    stop = threading.Event()

    def elsewhere() -> None:
        count = 0
        while not stop.wait(0.1):
            count += 1
            (output / LOCK).write_bytes(json.dumps({"host": "far", "n": count}).encode())

    (output / LOCK).write_bytes(b'{"host": "far"}')
    thread = threading.Thread(target=elsewhere)
    thread.start()
    try:
        with pytest.raises(UsageError, match=r"another run is at work there .process None on far"):
            output.locked().__enter__()
    finally:
        stop.set()
        thread.join()


def test_who_lost_it_goes_no_further_and_leaves_it_alone(output: ObjectPath) -> None:
    with output.locked() as require:
        (output / LOCK).write_bytes(b'{"host": "far"}')
        time.sleep(0.3)
        with pytest.raises(DepthmaskError, match="another run may be at work there"):
            require()
    assert held(output) == {"host": "far"}


def test_who_cannot_renew_it_goes_no_further(
    output: ObjectPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*where: object) -> None:
        raise DepthmaskError("the store does not answer")

    with output.locked() as require:
        require()
        with monkeypatch.context() as patched:
            patched.setattr("depthmask.storage.object_store.put", away)
            patched.setattr("depthmask.storage.object_store.stream", away)
            time.sleep(0.2)
            with pytest.raises(DepthmaskError, match="the store does not answer"):
                require()
        require()


def test_a_put_that_is_tried_again_finds_itself(
    output: ObjectPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its first answer was lost, and the second says that there is a lock already."""
    put = object_store.put

    def twice(*where: Any) -> object_store.Version:
        put(*where)
        return put(*where)

    with monkeypatch.context() as patched:
        patched.setattr("depthmask.storage.object_store.put", twice)
        with output.locked() as require:
            time.sleep(0.2)
            require()
            assert held(output)["count"] > 2


def test_a_store_without_conditional_puts_is_named(
    output: ObjectPath, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The lock is read before each put all the same, and not renewed over that of another run."""
    put = object_store.put

    def heedless(root: str, key: str, content: bytes, *conditions: Any) -> object_store.Version:
        return put(root, key, content)

    with output.locked():
        assert caplog.messages == []
    monkeypatch.setattr("depthmask.storage.object_store.put", heedless)
    with output.locked():
        assert [line for line in caplog.messages if str(output) in line] == caplog.messages
        assert "this store ignores If-None-Match or If-Match" in caplog.messages[0]
        (output / "x").write_whole(b"1")
        (output / "x").write_whole(b"2")
        put(output.root, (output / LOCK).key, b'{"host": "far"}')
        time.sleep(0.6)
        with pytest.raises(DepthmaskError, match="another run may be at work there"):
            (output / "x").write_whole(b"3")
    assert (held(output), (output / "x").read_bytes()) == ({"host": "far"}, b"2")
