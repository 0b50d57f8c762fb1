"""One command at a time."""

from __future__ import annotations

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
