"""The tool that repairs and extends datasets as on other processors."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

import pytest

from tools import processors

SWITCH = {"OPENBLAS_CORETYPE": "Sandybridge"}
SAME = {"refused": 0, "other": 0, "repair": 0, "repair_line": "", "extend": 0, "extend_line": "",
        "extended_other": 0}  # fmt: skip
REFUSED = {
    **SAME,
    "refused": 2,
    "repair": 1,
    "repair_line": "error: (OPENBLAS_CORETYPE=Sandybridge)",
}


@pytest.mark.parametrize(
    ("seen", "switch", "expected"),
    [
        (SAME, SWITCH, []),
        (REFUSED, SWITCH, []),
        (REFUSED, {}, ["repair failed on this machine: error: (OPENBLAS_CORETYPE=Sandybridge)"]),
        (
            {**REFUSED, "repair_line": "error: other bytes"},
            SWITCH,
            ["repair does not name the switch: error: other bytes"],
        ),
        ({**SAME, "other": 1}, SWITCH, ["repair published other bytes"]),
        ({**SAME, "extended_other": 1}, SWITCH, ["extend published other bytes"]),
        ({**SAME, "refused": 1}, SWITCH, ["repair ended with 0, 1 shards are missing"]),
    ],
)
def test_faults(seen: dict[str, Any], switch: dict[str, str], expected: list[str]) -> None:
    assert processors.faults(seen, switch) == expected


def test_the_oldest_packages() -> None:
    names = [one.partition("==")[0] for one in processors.oldest()]
    assert names == ["numpy", "pillow", "opencv-python-headless"]


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the switch is of x86")
def test_rooms_on_a_processor_without_fma(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The published bytes, or refusals that name the switch."""
    monkeypatch.setattr(processors, "SAMPLES", 4)
    monkeypatch.setattr(processors, "MORE", 6)
    monkeypatch.setenv("DEPTHMASK_CACHE", str(tmp_path / "c"))
    monkeypatch.chdir(tmp_path)
    processors.make("rooms")
    seen = processors.under(SWITCH, ["rooms"], tmp_path)["rooms"]
    assert processors.faults(seen, SWITCH) == []
