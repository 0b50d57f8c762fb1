"""Writes the config of a run as YAML from which the same dataset can be made."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from omegaconf import OmegaConf

from depthmask.config.build import STAGE, to_plain
from depthmask.config.command_line import CONFIG
from depthmask.config.literal import literal
from depthmask.config.registry import KINDS, LISTS, place_of, suggestion
from depthmask.config.root import Root
from depthmask.errors import UsageError
from depthmask.stage import Stage
from depthmask.stage.setting import default_of
from depthmask.stage.types import plain
from depthmask.storage.shell import word


def config_text(root: Root) -> str:
    """The whole config, to be saved as `FOLDER/NAME.yaml`; its first line says how it is used."""
    config = to_plain(root)
    removed = " ".join(word(f"~{name}") for kind in KINDS for name in _removed(kind, root))
    head = f"# python -m depthmask --config-dir FOLDER --config-name NAME {removed}".rstrip()
    choices = [{f"override /{kind}": _choice(kind, config)} for kind in KINDS]
    stages = {kind: _settings(kind, config) for kind in KINDS}
    settings = {name: literal(value) for name, value in config.items() if name not in KINDS}
    set_stages = {kind: literal(values) for kind, values in stages.items() if values}
    defaults = {"defaults": [CONFIG, *choices, "_self_"]}
    return f"{head}\n{_yaml({**defaults, **settings, **set_stages})}"


def package_text(root: Root, package: str) -> str:
    """One group of the config, such as `placement`, `labels.coco` or `encode`.

    The text of a stage may be saved as a preset, such as `FOLDER/placement/mine.yaml`. Raises
    `UsageError` if there is no such group.
    """
    config = to_plain(root)
    kind, _, name = package.partition(".")
    group = config.get(kind, {}).get(name) if kind in LISTS else config.get(package)
    if not isinstance(group, dict) or (kind in LISTS and not name):
        listed = [place_of(kind, one) for kind in LISTS for one in config.get(kind, {})]
        groups = [key for key, value in config.items() if isinstance(value, dict)]
        raise UsageError(
            f"--package {package}: no such group{suggestion(package, [*groups, *listed])}"
        )
    head = f"# @package {package}\n" if kind in LISTS or kind not in KINDS else ""
    schema = [f"/schema/{kind}/{group[STAGE]}@_here_", "_self_"] if kind in KINDS else None
    values = {key: literal(value) for key, value in group.items() if key != STAGE}
    return head + _yaml({"defaults": schema, **values} if schema else values)


def _yaml(content: dict[str, Any]) -> str:
    # OmegaConf quotes texts that it would read as numbers, such as `1e5`.
    return OmegaConf.to_yaml(OmegaConf.create(content))


def _choice(kind: str, config: dict[str, Any]) -> str | list[str]:
    chosen = config.get(kind, {})
    return list(chosen) if kind in LISTS else chosen[STAGE]


def _settings(kind: str, config: dict[str, Any]) -> dict[str, Any]:
    """The settings of the stage of a group, or of each one in its list."""
    chosen = config.get(kind, {})
    if kind in LISTS:
        by_name = {name: _without_name(one) for name, one in chosen.items()}
        return {name: one for name, one in by_name.items() if one}
    return _without_name(chosen)


def _without_name(chosen: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in chosen.items() if name != STAGE}


def _removed(kind: str, root: Root) -> Iterator[str]:
    """Yield the keys that the default of a mapping has and its value lacks.

    A file can only add keys to a mapping; on the command line `~NAME` removes one.
    """
    chosen: Any = getattr(root, kind)
    stages: list[Stage] = list(chosen.values()) if kind in LISTS else [chosen]
    for stage in stages:
        for field in dataclasses.fields(stage):  # type: ignore[arg-type]
            default, value = plain(default_of(field)), plain(getattr(stage, field.name))
            if isinstance(default, dict) and isinstance(value, dict):
                place = f"{place_of(kind, stage.name)}.{field.name}"
                yield from (f"{place}.{key}" for key in default if key not in value)
