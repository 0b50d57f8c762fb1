"""A dataset to train on, and the examples as modules."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from depthmask.cli.main import main
from tests.support.paths import ROOT

EXAMPLES = ROOT / "examples"


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("examples") / "OUT"
    small = ["source.rooms=2", "source.furniture=2", "size=[32,40]", "samples=48"]
    split = ["split.train=0.75", "split.val=0.25"]
    assert main([f"output={out}", *small, *split, "runner.workers=1"]) == 0
    return out


@pytest.fixture
def losses(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., list[float]]:
    """What a script prints of its epochs: the losses, and a speed that is there."""

    def run(script: str, *words: str) -> list[float]:
        monkeypatch.syspath_prepend(EXAMPLES)
        monkeypatch.setattr(sys, "argv", [f"{script}.py", *words])
        importlib.import_module(script).main()
        printed = capfd.readouterr().out
        found = re.findall(
            r"^epoch (\d): loss ([\d.]+), ([\d,]+) samples/s$", printed, re.MULTILINE
        )
        assert [int(epoch) for epoch, _, _ in found] == list(range(1, len(found) + 1)), printed
        assert all(int(speed.replace(",", "")) > 0 for _, _, speed in found)
        return [float(loss) for _, loss, _ in found]

    return run
