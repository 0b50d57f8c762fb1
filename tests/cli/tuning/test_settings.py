"""`tune` of a run measures it as configured and with other settings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from depthmask.cli.main import main
from depthmask.cli.tuning import settings
from depthmask.cli.tuning.settings import Pass
from depthmask.config.compose import compose_root
from depthmask.engine.from_config import job_from_config
from depthmask.errors import UsageError


def words(assets_root: Path, *more: str) -> list[str]:
    return ["source=assets", f"source.root={assets_root}", "size=[24,32]", "samples=16", *more]


def test_table(
    assets_root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each setting is measured in as many processes as it says, over as many samples."""
    measured: list[tuple[list[str], int, int | None]] = []

    def rates(overrides: list[str], processes: int = 1, samples: int | None = None) -> list[Pass]:
        measured.append((overrides[-1:], processes, samples))
        seconds = 0.5 if overrides[-1] == "encode.quality=90" else 1.0
        return [Pass(16, {"blend": seconds / 4, "encode": seconds * 3 / 4})] * processes

    monkeypatch.setattr(settings, "_measured", rates)
    monkeypatch.setattr(settings, "cores", lambda: 2)
    last = "encode.quality=95"
    assert main(["tune", *words(assets_root, "+preset=pairs", last)]) == 0
    assert measured == [([last], 1, None), ([last], 2, 16), (["encode.quality=90"], 1, 16)]
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["time", "by", "station:", "encode", "75%,", "blend", "25%"],
        ["samples/s", "times"],
        ["as", "configured,", "1", "process", "16.0"],
        ["runner.workers=2", "32.0", "2.00"],
        ["encode.quality=90", "32.0", "2.00"],
        ["quicker:", "runner.workers=2", "encode.quality=90"],
    ]


def test_what_is_tried(assets_root: Path) -> None:
    """No setting that the run has already, and no format that cannot hold its depth."""

    def tried(*more: str) -> set[str]:
        root = compose_root(words(assets_root, *more))
        contract = job_from_config(root).contract
        names = {name for name, _ in settings._candidates(root.encode, contract)}
        return {name for name in names if not name.startswith("runner")}

    depths = {"encode.depth=npz", "encode.depth=npz16", "encode.depth=compact"}
    assert tried("encode.quality=80") == depths
    assert tried("encode.quality=80", "encode.depth=compact") == {
        "encode.depth=png16", *depths - {"encode.depth=compact"},
    }  # fmt: skip
    assert tried("+preset=pairs", "encode.image=png", "encode.mask=jpeg") == {
        "encode.image=jpeg", "encode.mask=png",
    }  # fmt: skip
    assert tried("depth=none", "encode.optimize=true", "encode.subsampling=444") == {
        "encode.optimize=false", "encode.quality=90", "encode.subsampling=420",
    }  # fmt: skip


def test_processes_make_samples(
    assets_root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(settings, "cores", lambda: 2)
    assert main(["tune", *words(assets_root, "+preset=pairs")]) == 0
    text = capsys.readouterr().out
    assert re.search(r"^time by station: .*encode \d+%", text, re.MULTILINE)
    rates = re.findall(r"^(?:as configured, 1 process|\S+=\d+) +([\d.,]+)", text, re.MULTILINE)
    assert len(rates) == 3
    assert all(float(rate.replace(",", "")) > 1 for rate in rates)


def test_an_error_of_a_process_is_raised_here(assets_root: Path) -> None:
    with pytest.raises(UsageError, match=r"source.root=.*gone: no such folder"):
        settings._measured(words(assets_root / "gone"))
