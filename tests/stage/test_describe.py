"""Settings as `--help` shows them."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Any, ClassVar, Literal

from depthmask.stage import Stage, describe_settings, setting, stage


class Mode(Enum):
    """Two ways."""

    fast = "fast"
    slow = "slow"


@stage("described")
class Described(Stage):
    """A stage."""

    kind: ClassVar[str] = "thing"
    low: int = setting(1, ge=0, le=5, help="low end")
    mode: Mode = setting(Mode.fast, help="way")
    parts: list[float] = setting([0.5, 1.0], gt=0, le=1, help="parts")
    limit: float | None = setting(None, gt=0, help="limit [m]")
    loud: bool = setting(False, help="noise")
    path: str = setting(help="file")
    way: Literal["near", "far"] | None = setting("near", help="way")
    table: dict[str, list[Mode]] = setting({"a": [Mode.slow]}, help="table")
    pair: tuple[float, ...] = setting((1,), help="pair")
    anything: Any = setting(None, help="anything")
    weights: Path | None = setting(None, by_content=True, help="weights")
    batch: int = setting(8, ge=1, decides_bytes=False, help="batch")


def test_settings_are_described_in_order() -> None:
    shown = {one.name: (one.type, one.default, one.choices) for one in describe_settings(Described)}
    assert list(shown) == [
        *("low", "mode", "parts", "limit", "loud", "path", "way", "table", "pair", "anything"),
        *("weights", "batch"),
    ]
    assert shown["low"] == ("int 0..5", "1", ())
    assert shown["mode"] == ("fast|slow", "fast", ("fast", "slow"))
    assert shown["limit"] == ("float|null > 0", "null", ())
    assert shown["loud"] == ("true|false", "false", ("true", "false"))
    assert shown["path"][1] == "(required)"
    assert shown["parts"] == ("list[float] > 0, <= 1", "[0.5, 1.0]", ())
    assert shown["way"] == ("near|far|null", "near", ("near", "far", "null"))
    assert shown["table"] == ("dict[str, list[fast|slow]]", "{'a': ['slow']}", ())
    assert shown["pair"] == ("tuple[float, ...]", "[1]", ())
    assert shown["anything"] == ("", "null", ())
    assert shown["weights"] == ("Path|null", "null", ())
    assert describe_settings(Described)[3].help == "limit [m]"


def test_settings_with_a_special_effect_say_so() -> None:
    notes = {one.name: one.note for one in describe_settings(Described) if one.note}
    assert notes == {
        "weights": "its content counts, not its name",
        "batch": "decides no bytes",
    }
