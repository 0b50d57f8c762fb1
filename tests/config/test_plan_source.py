"""A command line that starts from a plan: the same config, and changes on top of it."""

from __future__ import annotations

from typing import Any

import pytest

from depthmask.config.build import to_plain
from depthmask.config.compose import compose_root
from depthmask.config.plan_source import PLAN, plan_offered
from depthmask.errors import UsageError
from depthmask.storage.identity import NOT_IN_PLAN

WORDS = ("source=assets", "source.root=/x", "placement=ground", "labels=[coco]", "samples=7")


@pytest.fixture
def plain() -> dict[str, Any]:
    config = to_plain(compose_root(WORDS))
    config["source"]["root"] = "${oc.env:HOME}'\\${\\"
    config["placement"]["heights"] = {"it's é": 1.5, "1e5": [1, 2]}
    return {name: value for name, value in config.items() if name not in NOT_IN_PLAN}


def start(plain: dict[str, Any], *words: str) -> dict[str, Any]:
    with plan_offered(plain):
        return to_plain(compose_root(["--config-name", PLAN, *words]))


def test_the_config_is_that_of_the_plan(plain: dict[str, Any]) -> None:
    assert {name: start(plain)[name] for name in plain} == plain


def test_a_stage_is_replaced_with_its_settings(plain: dict[str, Any]) -> None:
    changed = start(plain, "placement=grid", "labels=[instances]", "geometry=none", "depth=none")
    assert changed["placement"] == to_plain(compose_root(["placement=grid"]))["placement"]
    assert list(changed["labels"]) == ["instances"]
    assert changed["source"] == plain["source"]


def test_a_preset_has_precedence_over_the_plan(plain: dict[str, Any]) -> None:
    changed = start(plain, "+preset=pairs")
    assert (changed["depth"]["stage"], changed["geometry"]["stage"]) == ("none", "none")
    assert changed["samples"] == 7


def test_plans_of_jobs_over_samples_lack_stages(plain: dict[str, Any]) -> None:
    short = {name: plain[name] for name in ("samples", "size", "encode", "writer", "shard_size")}
    assert start(short)["placement"]["stage"] == "random"


def test_it_is_offered_inside_the_block_only() -> None:
    with pytest.raises(UsageError, match=PLAN):
        compose_root(["--config-name", PLAN])
