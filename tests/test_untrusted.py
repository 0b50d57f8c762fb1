"""Texts of unknown sources are shown so that no character in them acts."""

from __future__ import annotations

import ast
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import depthmask
from depthmask.untrusted import (
    accents_alike,
    is_one_line,
    other_accents,
    visible,
    visible_lines,
    visible_message,
)

ACTING = ("Cc", "Cf", "Cs", "Zl", "Zp")
TEXTS = st.text(st.characters() | st.sampled_from("\x1b\n\r\t\x9b\u202e\u2028\u200b\udcff\ud800 "))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Stühle 椅子\u3000\u00a0👍️ a\\b", "Stühle 椅子\u3000\u00a0👍️ a\\b"),
        ("x\x1b]0;pwned\x07", r"x\x1b]0;pwned\x07"),
        ("a\r\nb\tc\x00\x7f", r"a\r\nb\tc\x00\x7f"),
        ("\x9b31m\x85", r"\x9b31m\x85"),
        ("gpj.\u202eexe\u2066\u2069\u200f", r"gpj.\u202eexe\u2066\u2069\u200f"),
        ("a\u2028b\u2029c", r"a\u2028b\u2029c"),
        ("a\u200bb\ufeff\xad\U000e0041", r"a\u200bb\ufeff\xad\U000e0041"),
        ("\udcff\ud800", r"\xff\ud800"),
    ],
)
def test_what_a_name_shows(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(TEXTS)
def test_no_character_acts(text: str) -> None:
    for shown in (visible(text), visible_lines(text), visible_message(text)):
        acting = [char for char in shown if unicodedata.category(char) in ACTING]
        assert {*acting} <= {"\n"}
        shown.encode()
    assert "\n" not in visible(text)
    assert visible_lines(text).count("\n") == text.count("\n")
    assert all(line.startswith("  ") for line in visible_message(text).split("\n")[1:])


def test_names_that_look_the_same() -> None:
    one, other = "st\u00fchl", "stu\u0308hl"
    assert other_accents(one, other) == " (the accents in it are spelled in another way)"
    assert accents_alike(one, ["x", other]) == other_accents(other, one)
    assert accents_alike(one, [one, "stuhl"]) == other_accents(one, "Stühl") == ""


def test_commands_print_by_one_module() -> None:
    """Whatever else prints would show names as they are."""
    package = Path(depthmask.__file__).parent
    printing = {
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Name | ast.Attribute)
        and ast.unparse(node) in ("print", "sys.stdout")
    }
    # `main` flushes, and `system_error` closes it.
    assert printing == {
        "cli/lines.py",
        "cli/main.py",
        "cli/system_error.py",
        "engine/displays/lines.py",
    }


@pytest.mark.parametrize(
    "text", ["", "a b", "at 9.41\u202fAM", "a\u00a0b", "\ue000", "Blu\u0308te"]
)
def test_other_spaces_are_one_line(text: str) -> None:
    assert is_one_line(text)


@pytest.mark.parametrize(
    "char", "\n\r\0\x1b\x7f\x85\u2028\u2029\u202e\u2066\u200b\u200d\ufeff\udce9"
)
def test_what_acts_and_is_not_seen_is_no_line(char: str) -> None:
    assert not is_one_line(f"a{char}b")
