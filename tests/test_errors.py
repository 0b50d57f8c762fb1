"""What a program or a notebook sees of an error: the message, and no pages of a traceback."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

import depthmask

CALLS: dict[str, Callable[[], object]] = {
    "stage": lambda: depthmask.virtual(["placement=grd"]),
    "setting": lambda: depthmask.virtual(["nosuch=1"]),
    "value": lambda: depthmask.virtual(["samples=x"]),
    "range": lambda: depthmask.virtual(["placement.min_scale=9"]),
    "grammar": lambda: depthmask.virtual(["size=[1,2"]),
    "required": lambda: depthmask.virtual(["source=assets"]),
    "assets": lambda: depthmask.virtual(["source=assets", "source.root=/nosuch"]),
    "text": lambda: depthmask.virtual("seed=1"),
    "folder": lambda: depthmask.open("/nosuch"),
}


def raised(call: Callable[[], object]) -> str:
    """The traceback of the error, as a notebook shows it."""
    with pytest.raises(depthmask.UsageError) as caught:
        call()
    return "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("name", CALLS)
def test_few_lines(name: str) -> None:
    text = raised(CALLS[name])
    assert len(text.splitlines()) <= 15, text
    assert text.count("Traceback") == 1
    assert "hydra" not in text
    assert "omegaconf" not in text


def test_all_lines_if_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEPTHMASK_TRACEBACK", "1")
    assert raised(CALLS["stage"]).count("Traceback") > 1


def test_a_damaged_dataset(tmp_path: Path) -> None:
    (tmp_path / "dataset.json").write_text("{")
    with pytest.raises(depthmask.DepthmaskError) as caught:
        depthmask.open(tmp_path)
    assert len(traceback.format_exception(caught.value)) <= 8
