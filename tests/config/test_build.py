"""Live configs as plain data and back."""

from __future__ import annotations

import dataclasses
import json

import pytest

from depthmask.config.build import from_plain, to_plain
from depthmask.config.plugins import registry
from depthmask.config.registry import KINDS
from depthmask.config.root import Root
from depthmask.errors import SettingError, UsageError


def root(**values: object) -> Root:
    stages = {
        "source": "rooms",
        "geometry": "auto",
        "placement": "random",
        "blend": "alpha",
        "depth": "layered",
        "writer": "webdataset",
        "runner": "local",
    }
    live = {kind: registry().stage(kind, name)() for kind, name in stages.items()}
    return Root(**{**live, **values})  # type: ignore[arg-type]


def test_round_trip_through_json() -> None:
    before = root(samples=7, size=[32, 48], objects=[1, 3])
    plain = json.loads(json.dumps(to_plain(before)))
    assert plain["placement"]["stage"] == "random"
    assert plain["placement"]["positions"] == "crossing"
    assert from_plain(plain) == before


def test_runner_may_be_missing() -> None:
    plain = to_plain(root())
    del plain["runner"], plain["output"], plain["overwrite"]
    assert from_plain(plain) == root()


def test_unknown_stage_and_setting() -> None:
    plain = to_plain(root())
    with pytest.raises(UsageError, match="did you mean placement=random"):
        from_plain({**plain, "placement": {"stage": "rnadom"}})
    with pytest.raises(SettingError, match=r"placement.max_scale=-1: must be more than 0"):
        from_plain({**plain, "placement": {"stage": "random", "max_scale": -1}})


@pytest.mark.parametrize(
    "values",
    [
        {"size": [160]},
        {"size": [4, 160]},
        {"objects": 0},
        {"objects": [3, 1]},
        {"objects": [1, 2, 3]},
        {"objects": "many"},
        {"objects": 1.5},
        {"objects": True},
        {"samples": 0},
        {"seed": -1},
        {"shard_size": 0},
    ],
)
def test_bad_root_values(values: dict[str, object]) -> None:
    with pytest.raises(SettingError, match=next(iter(values))):
        root(**values)


def test_every_stage_and_setting_is_documented() -> None:
    for kind in KINDS:
        assert registry().stages[kind], f"no {kind}"
        for name, registered in registry().stages[kind].items():
            assert registered.stage.__doc__, f"{kind}={name} has no docstring"
            for field in dataclasses.fields(registered.stage):  # type: ignore[arg-type]
                assert field.metadata.get("help"), f"{kind}={name}: {field.name} has no help"
