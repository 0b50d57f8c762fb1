"""A tiny dataset, made by the command, and its settings in the ways of Python."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from depthmask.cli.main import main
from tests.support import tiny

SETTINGS: dict[str, Any] = {
    "source": "rooms",
    "source.rooms": 2,
    "source.furniture": 2,
    "placement": "ground",
    "depth": "layered",
    "size": (32, 32),
    "samples": 6,
    "shard_size": 2,
    "split.train": 0.5,
    "split.val": 0.5,
    "runner.workers": 1,
}
WORDS = [
    *("source=rooms", "source.rooms=2", "source.furniture=2", "placement=ground"),
    *("depth=layered", "size=[32,32]", "samples=6", "shard_size=2"),
    *("split.train=0.5", "split.val=0.5", "runner.workers=1"),
]
"""The same on the command line."""


def content(dataset: Path) -> dict[str, Any]:
    """Everything in a dataset, without the times in its records and without its log.

    Derived files show the name of its folder.
    """
    facts = json.loads((dataset / "dataset.json").read_bytes())
    files = {"dataset.json": facts | {"derived": None, "checksum": None}}
    files["plan.json"] = json.loads((dataset / "plan.json").read_bytes())
    records = {}
    for path in sorted((dataset / "records").iterdir()):
        record = json.loads(path.read_bytes())
        # The checksum is over the times, too.
        records[path.name] = record | {"seconds": None, "checksum": None}
    return {"shards": tiny.sha256s(dataset), "records": records, **files}


@pytest.fixture(scope="session")
def by_command(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The dataset of `WORDS`, by the command."""
    out = tmp_path_factory.mktemp("by_command") / "out"
    assert main([*WORDS, f"output={out}", "progress=none"]) == 0
    return out
