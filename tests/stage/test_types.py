"""Types of settings: what they accept, and the way through plain data and back."""

from __future__ import annotations

import json
from enum import Enum
from pathlib import Path
from typing import Any, Literal, Optional

import pytest

from depthmask.stage.types import WrongTypeError, config_type, convert, is_supported, plain, words


class Mode(Enum):
    """Two ways."""

    fast = "f"
    slow = "s"


VALUES: list[tuple[Any, Any]] = [
    (int, 3),
    (float, 2.0),
    (bool, True),
    (str, "a"),
    (Path, Path("/a/b c")),
    (Mode, Mode.slow),
    (Mode | None, None),
    (Optional[int], 3),  # noqa: UP045 (authors write it)
    (int | float, 2),
    (int | float, 2.0),
    (int | str, "2"),
    (Literal["a", 1, True, "1"], True),
    (Literal["a", 1, True, "1"], 1),
    (Literal["a", 1, True, "1"], "1"),
    (Literal["auto"] | float, "auto"),
    (Literal["auto"] | float, 0.5),
    (list, [1, "a", None]),
    (list[Path], [Path("a")]),
    (list[list[float]], [[1.0], []]),
    (list[int | None], [1, None]),
    (dict, {"a": [1]}),
    (dict[str, Mode], {"a b": Mode.fast}),
    (dict[str, dict[str, float]], {"a": {"1": 2.0}}),
    (tuple[int, str], (1, "a")),
    (tuple[float, ...], (1.0, 2.0)),
    (tuple[float, ...], ()),
    (list[tuple[int, int]] | None, [(1, 2)]),
    (Any, {"a": [1, None]}),
]


@pytest.mark.parametrize(("hint", "value"), VALUES)
def test_values_come_back_from_json(hint: Any, value: Any) -> None:
    assert is_supported(hint)
    back = convert(json.loads(json.dumps(plain(value))), hint)
    assert (back, type(back)) == (value, type(value))
    assert convert(value, hint) == value


@pytest.mark.parametrize(
    ("hint", "value", "expected"),
    [
        (int, 1.0, "a whole number"),
        (int, True, "a whole number"),
        (float, True, "a number"),
        (float, "1", "a number"),
        (bool, 1, "true or false"),
        (str, 1, "a text"),
        (str, None, "a text"),
        (Path, 1, "a path"),
        (Mode, "f", "one of fast, slow"),
        (Mode | None, "f", "one of fast, slow, null"),
        (Literal["a", "b"], "c", "one of a, b"),
        (Literal["auto"] | float, "c", "one of auto or a number"),
        (float | None, "c", "a number or null"),
        (list[int], "c", "a list, each item a whole number"),
        (list[int], [1, None], "a list, each item a whole number"),
        (dict[str, float], [], "a mapping {NAME: VALUE}, each value a number"),
        (dict[str, float], {"a": None}, "a mapping {NAME: VALUE}, each value a number"),
        (tuple[int, str], [1], "a list, [a whole number, a text]"),
        (tuple[int, str], "1a", "a list, [a whole number, a text]"),
        (tuple[int, ...], [1, "a"], "a list, [a whole number, ...]"),
        (dict, 1, "a mapping {NAME: VALUE}, each value plain data"),
    ],
)
def test_other_values_are_refused(hint: Any, value: Any, expected: str) -> None:
    with pytest.raises(WrongTypeError):
        convert(value, hint)
    assert words(hint) == expected


def test_words_of_the_command_line() -> None:
    # Hydra reads `true`, `null` and `1` as values, also where a text is meant.
    assert convert(True, Literal["true", "false"]) == "true"
    assert convert(1, Literal["1", "2"]) == "1"
    assert convert({1: 1, None: 2, 1.5: 3}, dict[str, float]) == {"1": 1.0, "null": 2.0, "1.5": 3.0}
    assert convert({True: 1}, dict[str, float]) == {"true": 1.0}


@pytest.mark.parametrize(
    "hint",
    [
        bytes,
        complex,
        object,
        set[int],
        tuple,
        tuple[()],
        list[bytes],
        dict[int, float],
        dict[Mode, float],
        Literal[b"a"],
        Literal[Mode.fast],
        str | Path,
        Path | Mode,
        int | bytes,
    ],
)
def test_types_that_a_run_cannot_carry(hint: Any) -> None:
    assert not is_supported(hint)


def test_omegaconf_checks_what_it_can() -> None:
    kept: list[Any] = [int, Path, Mode | None, list[float], list[int] | None, int | str, Any, list]
    assert [config_type(hint) for hint in kept] == kept
    others: list[Any] = [Literal["a"], dict[str, int], dict, tuple[int, int], list[list[float]]]
    assert [config_type(hint) for hint in others] == [Any] * len(others)


class Odd(Enum):
    """A name that the command line reads as a number."""

    fast = 1
    nan = 2


def test_an_enum_with_a_name_that_is_read_as_a_number() -> None:
    assert config_type(Odd) is config_type(Odd | None) is config_type(list[Odd]) is Any
    assert config_type(Mode) is Mode
    assert convert(float("nan"), Odd) is convert("nan", Odd) is Odd.nan
    for value in (1, None, True, float("inf"), "slow"):
        with pytest.raises(WrongTypeError):
            convert(value, Odd)
