"""The examples that train by PyTorch, with two workers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
SMALL = ["source.rooms=2", "source.furniture=2", "size=[32,40]"]


def test_learns(finished: Path, losses: Callable[..., list[float]]) -> None:
    torch.manual_seed(0)
    first, second = losses("torch_loader", str(finished), "--epochs=2", "--batch=4")
    assert second < first


def test_learns_from_what_no_disk_sees(losses: Callable[..., list[float]]) -> None:
    torch.manual_seed(0)
    first, second = losses("torch_virtual", *SMALL, "--epochs=2", "--batch=4", "--samples=36")
    assert second < first
