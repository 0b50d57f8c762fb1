"""Errors in calls of a stage name the stage; what it returns is described in a few words."""

from __future__ import annotations

import errno
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from depthmask.errors import DepthmaskError, NoPlaceError, UsageError, comes_again
from depthmask.stage.calls import StageCalls, StageError, described, is_array, source_folder
from depthmask.stages.blend.alpha import Alpha
from depthmask.stages.placement.random import Random


@pytest.mark.parametrize(
    "error",
    [
        *(ValueError("boom"), KeyError("x"), OSError("no route"), MemoryError(), RuntimeError("x")),
        *(ImportError("no x"), TypeError("x"), SystemExit(5)),
    ],
)
def test_an_unexpected_error_names_stage_and_place(error: BaseException) -> None:
    with pytest.raises(StageError) as caught, StageCalls(Random(), "place"):
        raise error
    assert str(caught.value).startswith(f"placement=random: {type(error).__name__}")
    assert caught.value.__cause__ is error
    assert caught.value.final == comes_again(error)


class _Cancelled(BaseException):
    """What some libraries derive from BaseException."""


def test_errors_that_are_no_exceptions_too() -> None:
    with (
        pytest.raises(StageError, match=r"^placement=random: _Cancelled"),
        StageCalls(Random(), "place"),
    ):
        raise _Cancelled


@pytest.mark.parametrize(
    "error",
    [
        *(DepthmaskError("said"), UsageError("said"), NoPlaceError("none"), KeyboardInterrupt()),
        *(OSError(errno.ENOSPC, "full"), OSError(errno.EDQUOT, "full"), GeneratorExit()),
    ],
)
def test_errors_for_the_framework_or_the_user_pass(error: BaseException) -> None:
    with pytest.raises(type(error)) as caught, StageCalls(Random(), "place"):
        raise error
    assert caught.value is error


@pytest.mark.parametrize(
    ("handler", "passes"), [(signal.default_int_handler, True), (signal.SIG_IGN, False)]
)
def test_an_interrupt_passes_where_processes_do_not_ignore_it(
    monkeypatch: pytest.MonkeyPatch, handler: Any, passes: bool
) -> None:
    """Ours ignore it, so that their parent ends them; those of a launcher do not."""
    monkeypatch.setattr("multiprocessing.parent_process", lambda: "some parent")
    before = signal.signal(signal.SIGINT, handler)
    try:
        with (
            pytest.raises(KeyboardInterrupt if passes else StageError),
            StageCalls(Random(), "place"),
        ):
            raise KeyboardInterrupt
    finally:
        signal.signal(signal.SIGINT, before)


def test_only_placements_find_no_place() -> None:
    """In other stages it would draw other assets, again and again."""
    with (
        pytest.raises(StageError, match=r"^blend=alpha: NoPlaceError: none"),
        StageCalls(Alpha(), "blend"),
    ):
        raise NoPlaceError("none")


def test_the_kind_of_an_estimator_that_serves_as_geometry() -> None:
    calls = StageCalls(Random(), "estimate", "geometry")
    assert str(calls.returned(None, "a map")) == (
        "geometry=random: estimate returned None; expected a map"
    )


def test_the_frame_of_the_stage_is_named_not_that_of_a_library(tmp_path: Path) -> None:
    def own_code() -> None:
        np.zeros(3).reshape(2, 2)

    with (
        pytest.raises(StageError, match=r"\(in own_code, test_calls.py:\d+\)$"),
        StageCalls(_here(Random), "place"),
    ):
        own_code()


def _here(base: type[Any]) -> Any:
    class Here(base):
        """Defined in this file."""

    return Here()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "None"),
        (True, "True"),
        (3, "3"),
        (1.5, "1.5"),
        (float("nan"), "nan"),
        ("a", "'a'"),
        ("x" * 101, f"'{'x' * 97}...'"),
        (np.zeros((2, 3), np.uint8), "uint8 [2, 3]"),
        (np.zeros((), np.float64), "float64 []"),
        ([1], "a list"),
        (np.int64(3), "an int64"),
        (Random, "the class Random"),
        (Random(), "a Random"),
    ],
)
def test_values_are_described(value: object, text: str) -> None:
    assert described(value) == text


def test_arrays_are_told_from_others() -> None:
    array = np.zeros((2, 3), np.float32)
    assert is_array(array, np.float32, (2, 3))
    assert is_array(array, np.float32, (-1, 3))
    assert not is_array(array, np.float64, (2, 3))
    assert not is_array(array, np.float32, (2, 3, 1))
    assert not is_array(array, np.float32, (3, 2))
    assert not is_array(array.tolist(), np.float32, (2, 3))


def test_the_folder_of_the_package() -> None:
    assert Path(source_folder(Random)).name == "depthmask"
    assert source_folder(len) == ""
