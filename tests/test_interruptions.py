"""An interruption at full size loses at most one shard for each worker."""

from __future__ import annotations

from pathlib import Path

from tests.support import tiny
from tools.interruptions import rounds


def test_an_interruption_loses_at_most_a_shard_a_worker(tmp_path: Path) -> None:
    (interruption,) = rounds(tiny.make_assets(tmp_path / "assets"), 1, seed=2, longest_s=2)
    assert interruption.problems == []
    assert interruption.shard_size > 0
    assert interruption.lost > 0
