"""Redraws are counted by reason and by the assets at fault, the same in whatever order."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from depthmask.errors import NoPlaceError
from depthmask.statistics.redraws import Redraws


def redraws(*draws: tuple[str, str, str | None]) -> Redraws:
    counts = Redraws()
    for reason, background, foreground in draws:
        counts.add(NoPlaceError("text", reason=reason, foreground=foreground), background)
    return counts


def test_causes_name_the_worst_assets_and_what_helps() -> None:
    counts = redraws(
        *[("too tall; lower it", "hall", "tower")] * 3,
        ("too tall; lower it", "yard", "tower"),
        ("no floor", "wall", None),
    )
    assert list(map(str, counts.causes())) == [
        "4 draws: too tall: foreground tower (4); backgrounds hall (3), yard (1); lower it",
        "1 draw: no floor: background wall (1)",
    ]


def test_a_rare_reason_has_no_assets() -> None:
    """A record keeps the most frequent assets alone."""
    often = [("no floor", f"room {number}", None) for number in range(100)] * 2
    counts = redraws(*often, ("crowded; lower objects", "hall", "tower"))
    kept = Redraws.from_json(counts.as_json())
    assert list(map(str, kept.causes()))[1] == "1 draw: crowded; lower objects"


def test_records_carry_them() -> None:
    one, other = redraws(("a", "b", "c")), redraws(("a", "b", None), ("d", "e", None))
    total = Redraws()
    for each in (one, other):
        total.merge(Redraws.from_json(orjson.loads(orjson.dumps(each.as_json()))))
    assert list(total.causes()) == list(
        redraws(("a", "b", "c"), ("a", "b", None), ("d", "e", None)).causes()
    )
    assert not Redraws.from_json([])


def test_a_record_stays_small() -> None:
    many = redraws(*[(f"reason {number}", f"b{number}", f"f{number}") for number in range(5000)])
    assert len(many.as_json()) == 200


@pytest.mark.parametrize(
    "data",
    [
        [["a", 0]],
        [["a", "3"]],
        [["a", True]],
        [["a\nb", 1]],
        [["a" * 1000, 1]],
        [[1, 1]],
        [["a", "background", 1]],
        [[]],
        [3],
    ],
)
def test_what_no_run_has_counted_is_refused(data: list[Any]) -> None:
    with pytest.raises((ValueError, TypeError)):
        Redraws.from_json(data)


def test_texts_of_plugins_become_one_line() -> None:
    counts = redraws(("\x1b[31m" + "too tall\n" * 99, "b" * 999, "f\x00"))
    read = Redraws.from_json(counts.as_json())
    assert list(read.causes()) == list(counts.causes())
    assert str(next(read.causes())).isprintable()


def test_a_plugin_gives_no_reason() -> None:
    counts = Redraws()
    counts.add(NoPlaceError("3 cut-outs do not fit"), "wall")
    assert str(next(counts.causes())) == "1 draw: 3 cut-outs do not fit: background wall (1)"
