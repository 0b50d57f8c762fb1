"""What the tests of the cards share: small datasets as a run leaves them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from depthmask.cli.main import main

SMALL = ["source.rooms=2", "source.furniture=3", "size=[24,32]", "runner.workers=1"]


@pytest.fixture
def make_dataset(tmp_path: Path) -> Callable[..., Path]:
    """Twelve samples in three shards; words: more of the command line."""

    def make(*words: str, name: str = "OUT") -> Path:
        out = tmp_path / name
        assert main([*SMALL, "samples=12", "shard_size=5", *words, f"output='{out}'"]) == 0
        return out

    return make
