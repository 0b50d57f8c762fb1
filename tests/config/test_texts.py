"""Texts and names of enums that the command line would read as numbers stay what they are."""

from __future__ import annotations

from enum import Enum
from typing import Any, Literal

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from depthmask import Foreground, Layer, Placement, Scene, scaled_layer, setting, stage
from depthmask.config.build import from_plain, to_plain
from depthmask.config.command_line import CommandLine
from depthmask.config.compose import compose_root
from depthmask.config.texts import keep_texts
from depthmask.errors import UsageError
from tests.support.awkward import TYPED

pytestmark = pytest.mark.usefixtures("stages_of_tests")


class Odd(Enum):
    """Names that Hydra reads as other values."""

    plain = 1
    nan = 2
    inf = 3
    true = 4
    null = 5
    yes = 6


Numbers = Enum("Numbers", {"1e3": 1, "1_000": 2, "8": 3, "3": 8})


@stage("texts")
class Texts(Placement):
    """Settings of texts; this module belongs to no package."""

    odd: Odd = setting(Odd.plain, help="enum")
    maybe: Odd | None = setting(None, help="enum or none")
    several: list[Odd] = setting([], help="enums")
    number: Numbers = setting(Numbers["8"], help="enum of numbers")
    text: str = setting("a", help="text")
    note: str | None = setting("a", help="text or none")
    texts: list[str] = setting([], help="texts")
    mixed: str | float = setting(0.0, help="text or number")
    digit: Literal[1, "1"] = setting(1, help="digit")
    share: float | None = setting(None, help="number")

    def place(self, scene: Scene, foreground: Foreground, flip: bool, rng: Any) -> Layer:
        return scaled_layer(foreground, top=0, left=0, scale=0.5, flip=flip)


@stage("other_texts")
class OtherTexts(Texts):
    """The same name for a number."""

    text: float = setting(0.0, help="number")  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("odd=nan", Odd.nan),
        ("odd=NaN", Odd.nan),
        ("odd=inf", Odd.inf),
        ("odd=true", Odd.true),
        ("odd=null", Odd.null),
        ("odd=yes", Odd.yes),
        ("odd=plain", Odd.plain),
        ("maybe=inf", Odd.inf),
        ("maybe=null", None),
        ("several=[nan,null,true]", [Odd.nan, Odd.null, Odd.true]),
        ("number=1e3", Numbers["1e3"]),
        ("number=1_000", Numbers["1_000"]),
        ("number=3", Numbers["3"]),
        ("number=8", Numbers["8"]),
        *((f"text={text}", text) for text in ("1e3", "1_000", "true", "nan", "+5", "1.50", "007")),
        ("note=TRUE", "TRUE"),
        ("note=null", None),
        ('note="null"', "null"),
        ("texts=[1e3,true,a.b]", ["1e3", "true", "a.b"]),
        ("texts=['1 2',3]", ["1 2", "3"]),
        ("mixed=1.50", 1.5),
        ("mixed=1e3x", "1e3x"),
        ("digit=1", 1),
        ('digit="1"', "1"),
        ("share=1e3", 1000.0),
        ("share=null", None),
    ],
)
def test_values(word: str, value: Any) -> None:
    root = compose_root(["placement=texts", f"placement.{word}"])
    assert isinstance(root.placement, Texts)
    chosen = getattr(root.placement, word.partition("=")[0])
    assert (chosen, type(chosen)) == (value, type(value))
    assert from_plain(to_plain(root)) == root


@pytest.mark.parametrize("name", [name for name in TYPED if name != "NULL"])
def test_a_path_is_the_text_that_was_typed(name: str) -> None:
    root = compose_root([f"output={name}", "source=assets", f"source.root={name}"])
    assert (root.output, root.source.root) == (name, name)


def test_values_of_a_sweep() -> None:
    """Hydra hands its jobs what it has read, so that quotes are needed before."""
    names = ",".join(TYPED)
    (word,) = CommandLine.parse([f"output={names}"]).overrides
    sweep = OverridesParser.create().parse_override(word)
    parsed = list(sweep.sweep_string_iterator())
    expected = [None if name == "NULL" else name for name in TYPED]
    assert [compose_root([f"output={one}"]).output for one in parsed] == expected


@pytest.mark.parametrize(
    ("word", "kept"),
    [
        ("output=~/a,b", "output='~/a',b"),
        ("output=choice(1e3,true)", "output=choice('1e3','true')"),
        ("output=' 1e3',007", "output=' 1e3','007'"),
        ('output="1,2",a\\,b', 'output="1,2",a\\,b'),
        ("+output=1e3", "+output='1e3'"),
        ("+preset=2024_01,12,a", "+preset='2024_01','12',a"),
        ("+experiment=007", "+experiment='007'"),
        ("placement.texts=[1e3,a],[true]", "placement.texts=['1e3',a],['true']"),
        *((word, word) for word in (
            "output=12,a", "seed=1_000,007", "placement.share=1e3,null", "output=null,a",
            "output=range(01,4)", "output=ü(1e3)", "placement.odd=1e3", "placement.mixed=1e3,2e3",
            "output=${oc.env:HOME}", "output=“a”", "nosuch=1e3", "output", "+preset=null",
            "~labels", "size=[1e3]",
        )),
    ],
)  # fmt: skip
def test_quotes(word: str, kept: str) -> None:
    assert keep_texts([word]) == [kept]


def test_the_type_is_that_of_the_chosen_stage() -> None:
    words = ["placement=other_texts", "placement.text=1e3"]
    assert keep_texts(words) == words
    assert keep_texts(["placement=texts", words[1]])[1] == "placement.text='1e3'"
    assert keep_texts(words[1:]) == words[1:]


def test_the_last_word_counts() -> None:
    words = ["placement=texts", "placement.text=1e3", "placement.text='b c'", "output=1_000"]
    root = compose_root(words)
    assert (root.placement.text, root.output) == ("b c", "1_000")


@pytest.mark.parametrize("value", ["slow", "1e3", "false"])
def test_names_that_the_enum_does_not_have(value: str) -> None:
    with pytest.raises(UsageError, match=r"^placement.odd=.*: must be one of plain, nan, inf, "):
        compose_root(["placement=texts", f"placement.odd={value}"])
