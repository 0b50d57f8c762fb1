"""Settings by name: the values of Python become exactly those of the settings."""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from omegaconf import OmegaConf

import depthmask
from depthmask.config.compose import compose_root
from depthmask.config.mapping import words_and_mappings
from depthmask.config.root import Root
from depthmask.errors import UsageError

pytestmark = pytest.mark.usefixtures("stages_of_tests")


class Colour(Enum):
    """As a setting has it."""

    red = "red"
    nan = "nan"


@depthmask.stage("of-any-type")
class OfAnyType(depthmask.Placement):
    """With a setting of each type."""

    text: str = depthmask.setting("", help="x")
    file: Path = depthmask.setting(Path(), help="x")
    number: float = depthmask.setting(0.0, help="x")
    count: int | None = depthmask.setting(1, help="x")
    flag: bool = depthmask.setting(False, help="x")
    colour: Colour = depthmask.setting(Colour.red, help="x")
    pair: tuple[int, int] = depthmask.setting((1, 2), help="x")
    texts: list[str] = depthmask.setting([], help="x")
    table: dict[str, list[float]] = depthmask.setting({"old": [1.0]}, help="x")
    tables: list[dict[str, int]] = depthmask.setting([], help="x")

    def place(self, *arguments: object) -> depthmask.Layer:
        raise AssertionError


def composed(settings: Mapping[str, Any]) -> Root:
    return compose_root(*words_and_mappings(settings))


TEXTS = ("a,b", "a b", " a ", "it's", 'a "b"', "'", '"', "a=b", "${oc.env:HOME}", r"\${x}", "\\",
         "a\\", "\\'", "{a: 1}", "[1,2]", "interval(1,2)", "1e3", "0x1", "true", "null", "NaN", "",
         "-1", "~", "a:b", "ü", "a\nb", "a\tb", "$x", "#", "%d", "*", "+a", "1_000", "?", "???x",
         "s3://bucket/a b")  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_texts_stay_what_they_are(text: str) -> None:
    settings = {"text": text, "texts": [text, "b"], "table": {text: [1]}}
    placement: Any = composed({"placement": {"stage": "of-any-type", **settings}}).placement
    assert (placement.text, placement.texts, placement.table) == (text, [text, "b"], {text: [1.0]})


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("file", Path("a, b/c=${d}"), Path("a, b/c=${d}")),
        ("number", 0.1, 0.1),
        ("number", 1e-9, 1e-9),
        ("number", math.inf, math.inf),
        ("number", np.float32(0.5), 0.5),
        ("number", 3, 3.0),
        ("count", np.int64(7), 7),
        ("count", None, None),
        ("flag", True, True),
        ("flag", np.bool_(True), True),
        ("colour", Colour.nan, Colour.nan),
        ("colour", "nan", Colour.nan),
        ("pair", (3, 4), (3, 4)),
        ("pair", np.array([3, 4]), (3, 4)),
        ("texts", ("a", "b"), ["a", "b"]),
        ("table", {}, {}),
        ("table", {"Stühle": (1, 2), "a:b": [0.5]}, {"Stühle": [1.0, 2.0], "a:b": [0.5]}),
        ("tables", [{"a": 1}, {"b, c": 2}], [{"a": 1}, {"b, c": 2}]),
    ],
)
def test_values(name: str, value: object, expected: object) -> None:
    root = composed({"placement": "of-any-type", f"placement.{name}": value})
    assert getattr(root.placement, name) == expected
    assert type(getattr(root.placement, name)) is type(expected)


def test_groups_blocks_and_presets() -> None:
    root = composed(
        {
            "+preset": "pairs",
            "placement": "of-any-type",
            "labels": ["coco"],
            "split": {"train": 0.5, "val": 0.5},
            "encode": {"quality": 80},
            "size": (24, 32),
        }
    )
    assert root == compose_root(
        [
            *("+preset=pairs", "placement=of-any-type", "labels=[coco]", "split.train=0.5"),
            *("split.val=0.5", "encode.quality=80", "size=[24,32]"),
        ]
    )


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"samples": "many"}, "samples=many: must be a whole number"),
        ({"smples": 3}, "smples=3: no such setting; did you mean samples?"),
        ({"placement": "grib"}, "placement=grib: no such placement; did you mean placement=grid?"),
        ({3: 3}, "3: is no name of a setting; write names such as 'samples' or 'split.train'"),
        ({"samples=3": 3}, "'samples=3': is no name of a setting; write names such as"),
        ({"split.": 3}, "'split.': is no name of a setting"),
        ({"split..train": 3}, "'split..train': is no name of a setting"),
        ({"samples": 1j}, "samples: a complex cannot be a setting; give a number, a text, a path"),
        ({"size": [8, {8}]}, "size: a set cannot be a setting"),
        ({"placement": "of-any-type", "placement.table": {"a": "b"}},
         "placement.table={'a': 'b'}: must be a mapping {NAME: VALUE}, each value a list"),
        ({"placement.table": {"a": [1]}},
         "placement.table={}: belongs to placement="),
        ({"samples": {"a": 1}}, "samples={}: "),
    ],
)  # fmt: skip
def test_mistakes(settings: dict[Any, Any], line: str) -> None:
    with pytest.raises(UsageError) as caught:
        composed(settings)
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)


def test_a_config_of_omegaconf_is_resolved() -> None:
    """A program with Hydra has such: as a whole, as a group, or as a list."""
    config = OmegaConf.create({"n": 3, "data": {"samples": "${n}", "size": [24, 32]}})
    assert composed(config.data) == composed({"samples": 3, "size": [24, 32]})
    assert composed({"size": config.data.size}) == composed({"size": [24, 32]})
    for value, said in (("???", "Missing mandatory value"), ("${m}", "Interpolation key 'm'")):
        config.data.samples = value
        with pytest.raises(UsageError, match=said) as caught:
            composed(config.data)
        assert "\n" not in str(caught.value)
