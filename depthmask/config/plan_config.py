"""The settings in `plan.json`: those that decide about the bytes, and beside them the others."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from depthmask.config.build import to_plain
from depthmask.config.registry import KINDS, LISTS
from depthmask.config.root import Root
from depthmask.errors import SettingError, UsageError
from depthmask.networks.weight_file import sha256
from depthmask.stage import Stage
from depthmask.stage.setting import default_of, traits
from depthmask.stage.types import plain
from depthmask.storage.identity import INPUT, SHARD_SIZE, UNHASHED

_HASHED_SHARD_SIZE = 1000
"""Stands in the hash for a shard size that was not given: the default when the default determined
the hash, so that fingerprints stay as they were."""


def plan_config(root: Root, names: Collection[str], shard_size: int) -> dict[str, Any]:
    """The fields of a plan about settings: `config`, and `unhashed` if there is any.

    names: the settings and stages of the root that have an effect on the bytes. shard_size: the
    samples in a shard, which stand outside the hash unless the setting was given. Raises
    `SettingError` for a file whose content counts and that cannot be read.
    """
    config = {name: value for name, value in to_plain(root).items() if name in names}
    unhashed: dict[str, Any] = {}
    if SHARD_SIZE in names and root.shard_size is None:
        config[SHARD_SIZE], unhashed[SHARD_SIZE] = _HASHED_SHARD_SIZE, shard_size
    for kind in KINDS:
        if kind in config:
            taken = _taken_from(kind, getattr(root, kind), config[kind])
            if taken:
                unhashed[kind] = taken
    return {"config": config, UNHASHED: unhashed} if unhashed else {"config": config}


def defaults_of(root: Root) -> dict[str, Any]:
    """The default of each setting of a root and its stages, by its name in a plan: `config.seed`.

    Those that are required have none.
    """
    return {
        f"{path}.{item.name}": plain(default)
        for path, instance in _with_settings(root)
        for item in dataclasses.fields(instance)
        if (default := default_of(item)) is not dataclasses.MISSING
    }


def _with_settings(root: Root) -> Iterator[tuple[str, Any]]:
    """Yield the root, its blocks and its stages by their names in a plan."""
    yield "config", root
    for item in dataclasses.fields(root):
        value, path = getattr(root, item.name), f"config.{item.name}"
        if item.name in LISTS:
            yield from ((f"{path}.{name}", stage) for name, stage in value.items())
        elif dataclasses.is_dataclass(value):
            yield path, value


def config_of(plan: dict[str, Any]) -> dict[str, Any]:
    """The whole config of a plan, for `from_plain`; call it in `untrusted`."""
    unhashed = {name: one for name, one in plan.get(UNHASHED, {}).items() if name != INPUT}
    config = dict(plan["config"])
    if unhashed.pop(SHARD_SIZE, None) is not None:
        config[SHARD_SIZE] = None  # It was not given.
    for kind, values in unhashed.items():
        if kind in LISTS:
            config[kind] = {
                name: {**one, **values.get(name, {})} for name, one in config[kind].items()
            }
        else:
            config[kind] = {**config[kind], **values}
    return config


def input_of(plan: dict[str, Any]) -> dict[str, Any]:
    """The description of the input in a plan, with its paths; call it in `untrusted`."""
    return {**plan[INPUT], **plan.get(UNHASHED, {}).get(INPUT, {})}


def _taken_from(kind: str, chosen: Any, plain: dict[str, Any]) -> dict[str, Any]:
    """The settings outside the hash, of the stage of a group or of each one in its list."""
    if kind not in LISTS:
        return dict(_take_unhashed(kind, chosen, plain))
    by_name = {
        name: dict(_take_unhashed(f"{kind}.{name}", stage, plain[name]))
        for name, stage in chosen.items()
    }
    return {name: taken for name, taken in by_name.items() if taken}


def _take_unhashed(place: str, stage: Stage, plain: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the settings of a stage that stay outside the hash, and replace them in `plain`.

    Those that concern one run alone are removed.
    """
    for field in dataclasses.fields(stage):  # type: ignore[arg-type]
        name, declared = field.name, traits(field)
        # The digest of the catalogue stands for the content of a source's folder.
        is_folder = declared.by_content and isinstance(getattr(stage, name), str)
        if not declared.in_plan:
            del plain[name]
        elif not declared.decides_bytes or is_folder:
            yield name, plain.pop(name)
        elif declared.by_content and plain[name] is not None:
            path = Path(plain[name]).absolute()
            plain[name] = f"sha256:{_content(place, stage, name, path)}"
            yield name, str(path)


def _content(place: str, stage: Stage, name: str, path: Path) -> str:
    try:
        return sha256(path)
    except UsageError as error:
        reason = str(error).removeprefix(f"{path}: ")
        text = f"{reason}; {stage.kind}={stage.name} needs it"
        raise SettingError(f"{place}.{name}", path, text) from None
