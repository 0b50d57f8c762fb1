"""One command at a time."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from benchmarks.usefulness import (
    lock,
)


def test_one_command_at_a_time(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with (
        lock.locked(out),
        pytest.raises(SystemExit, match="another run is at work there"),
        lock.locked(out),
    ):
        pass
    with lock.locked(out):
        pass


def test_another_waits_for_the_end(tmp_path: Path) -> None:
    path, order = tmp_path / "folder" / "made.lock", []

    def second() -> None:
        with lock.alone(path):
            order.append("second")

    thread = threading.Thread(target=second)
    with lock.alone(path):
        thread.start()
        thread.join(0.2)
        order.append("first")
    thread.join(20)
    assert order == ["first", "second"]
