"""What a program or a notebook sees of an error: the message, and no pages of a traceback."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import depthmask
from depthmask.errors import causes_of

CALLS: dict[str, Callable[[], object]] = {
    "stage": lambda: depthmask.virtual(["placement=grd"]),
    "setting": lambda: depthmask.virtual(["nosuch=1"]),
    "value": lambda: depthmask.virtual(["samples=x"]),
    "range": lambda: depthmask.virtual(["placement.min_scale=9"]),
    "grammar": lambda: depthmask.virtual(["size=[1,2"]),
    "item": lambda: depthmask.virtual(["size=[160,wide]"]),
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


@pytest.fixture
def debugger() -> Iterator[None]:
    """Frames are traced, as a debugger does, under which Hydra and OmegaConf raise other errors."""
    before = sys.gettrace()
    sys.settrace(before or (lambda *event: None))
    yield
    sys.settrace(before)


@pytest.mark.usefixtures("debugger")
@pytest.mark.parametrize("name", CALLS)
def test_few_lines_under_a_debugger(name: str) -> None:
    assert len(raised(CALLS[name]).splitlines()) <= 15


def test_errors_in_a_circle_come_once() -> None:
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    assert list(causes_of(first)) == [first, second]
    second.__cause__, second.__context__ = None, first
    assert list(causes_of(first)) == [first, second]
    assert list(causes_of(second)) == [second]
    assert list(causes_of(second, contexts=True)) == [second, first]


def test_all_lines_if_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEPTHMASK_TRACEBACK", "1")
    assert raised(CALLS["stage"]).count("Traceback") > 1


def test_a_damaged_dataset(tmp_path: Path) -> None:
    (tmp_path / "dataset.json").write_text("{")
    with pytest.raises(depthmask.DepthmaskError) as caught:
        depthmask.open(tmp_path)
    assert len(traceback.format_exception(caught.value)) <= 8
