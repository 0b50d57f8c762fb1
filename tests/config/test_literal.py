"""Texts of plans stay texts, whatever OmegaConf would read in them."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from depthmask.config.build import encode_from_plain, from_plain, to_plain
from depthmask.config.command_from_plan import command_from_plan, overrides_of
from depthmask.config.compose import compose_root
from depthmask.config.literal import literal
from depthmask.config.root import Root
from depthmask.errors import UsageError

TEXTS = st.text("a\\${}:'\", =é", min_size=1)


@given(TEXTS, st.lists(TEXTS), TEXTS)
def test_omegaconf_reads_the_same(text: str, texts: list[str], key: str) -> None:
    value = {"text": text, "list": texts, "dict": {key: text}, "number": 1, "none": None}
    config = OmegaConf.create({"value": literal(value)})
    assert OmegaConf.to_container(config, resolve=True) == {"value": value}


@given(TEXTS)
def test_a_plan_and_its_command_have_the_text(text: str) -> None:
    root: Root = compose_root(["source=assets", "source.root=x", "depth=none"])
    plain: dict[str, Any] = to_plain(root)
    plain["source"]["root"] = text
    assert from_plain(plain).source.root == text
    config = {key: value for key, value in plain.items() if key not in ("output", "target")}
    again: Any = compose_root(overrides_of(config))
    assert again.source.root == text


def test_no_resolver_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "png")
    assert os.environ["SECRET"] == "png"
    with pytest.raises(UsageError, match="must be one of"):
        encode_from_plain({"mask": "${oc.env:SECRET}"})


@pytest.mark.parametrize("key", ["Stühle", "it's", 'a"b', "a&b", "a;b", "a\nb"])
def test_keys_that_no_command_line_can_have(key: str) -> None:
    root = compose_root(["placement=ground", "depth=none"])
    plain = to_plain(root)
    plain["placement"]["heights"] = {key: 1}
    assert command_from_plan({"job": "generate", "config": plain}) is None
    plain["placement"]["heights"] = {"a b:,=[1]{2}(3)": 1}
    assert command_from_plan({"job": "generate", "config": plain}) is not None
