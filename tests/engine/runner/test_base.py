"""How much memory a process of a run may take for assets, and how large the store may be."""

from __future__ import annotations

import pytest

from depthmask.config.compose import compose_root
from depthmask.engine.from_config import job_from_config
from depthmask.engine.runner import base

GIB = 1 << 30
MIB = 1 << 20


def asset_bytes(*words: str) -> int:
    root = compose_root(["source.rooms=2", "source.furniture=2", "samples=4", *words])
    return root.runner.asset_bytes(job_from_config(root))


@pytest.mark.parametrize("workers", [1, 2, 8])
@pytest.mark.parametrize("size", ["[160,160]", "[480,640]", "[1024,1024]"])
def test_what_the_processes_may_take_together_stays_below_the_setting(
    workers: int, size: str
) -> None:
    each = asset_bytes("runner.memory_gb=8", f"runner.workers={workers}", f"size={size}")
    height, width = map(int, size.strip("[]").split(","))
    # 60 MiB without assets and 64 bytes for each pixel are measured.
    others = (workers + 1) * 60 * MIB + workers * 64 * height * width
    assert workers * each + others <= 8 * GIB
    assert workers * each >= 4 * GIB


def test_without_a_setting_it_is_a_quarter_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "memory", lambda: 32 * GIB)
    assert asset_bytes("runner.workers=2") == asset_bytes("runner.workers=2", "runner.memory_gb=8")


def test_a_network_in_each_worker_needs_memory_of_its_own() -> None:
    words = ("runner.memory_gb=8", "runner.workers=2", "geometry=none")
    without = asset_bytes(*words, "depth=none")
    assert without - asset_bytes(*words, "depth=fastdepth") == GIB


def test_however_little_is_allowed_some_assets_stay() -> None:
    assert asset_bytes("runner.memory_gb=0.01", "runner.workers=2") == 32 * MIB


def test_the_limit_of_the_store() -> None:
    root = compose_root(["runner.store_gb=0.5"])
    assert root.runner.store_bytes == GIB // 2
    assert compose_root([]).runner.store_bytes is None
