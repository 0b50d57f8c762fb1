"""Writes the command that makes a dataset again, from its plan."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

from depthmask.config.build import STAGE
from depthmask.config.grammar import NotInGrammarError, text_of
from depthmask.config.plan_config import config_of, input_of
from depthmask.config.plugins import registry
from depthmask.config.registry import KINDS, LISTS
from depthmask.config.root import BLOCKS, Root
from depthmask.stage.setting import default_of
from depthmask.stage.types import plain
from depthmask.storage.packages import FILE_HASH
from depthmask.storage.path import StorePath
from depthmask.storage.shell import PROGRAM, command, path_word, setting, word

_PIXELS = {"image", "mask", "instances", "depth"}
"""What the settings under `encode` can change in a sample."""


def command_from_plan(plan: dict[str, Any]) -> str | None:
    """The shell command that makes a dataset with this plan.

    None for an unknown job, and for a mapping with a key that no command line can have, such as
    `{Stühle: 1}`.
    """
    job = plan.get("job")
    try:
        if job == "generate":
            arguments = overrides_of(config_of(plan))
        elif job in ("convert", "annotate"):
            arguments = [job, *input_of(plan)["paths"], *input_job_overrides(plan)]
            if plan["dataset"].get("photographs", {}).get("skip_damaged"):
                arguments.append("--skip-damaged")
        else:
            return None
    except NotInGrammarError:
        return None
    return command(*arguments, program=program_of(plan))


def program_of(plan: dict[str, Any]) -> Sequence[str]:
    """What runs depthmask: the script that has a stage of the plan, if there is one."""
    versions = plan.get("versions", {}).items()
    scripts = [name for name, version in versions if str(version).startswith(FILE_HASH)]
    return ("python", path_word(scripts[0])) if len(scripts) == 1 else PROGRAM


def command_of(plan: dict[str, Any], output: StorePath) -> str | None:
    """Like `command_from_plan`, with the folder of the dataset."""
    whole = command_from_plan(plan)
    return whole and f"{whole} {word(setting('output', path_word(output)))}"


def input_job_overrides(plan: dict[str, Any]) -> list[str]:
    """The overrides of a job over existing samples; other settings stay as in the input."""
    config = config_of(plan)
    stages = _stage_overrides(config)
    # `encode.labels` has no effect: the labels are in the JSON, which is copied from the input.
    names = [name for name in config["encode"] if name != "labels"] if plan["encoded"] else []
    encode = [f"encode.{name}={text_of(config['encode'][name])}" for name in names]
    # `annotate` leaves labels out by itself.
    has_lost_labels = plan["job"] == "convert" and not _PIXELS.issuperset(plan["encoded"])
    labels = ["labels=[]"] if has_lost_labels else []
    size = config["shard_size"]
    shards = [] if size is None else [f"shard_size={size}"]
    is_resized = plan["dataset"].get("photographs", {}).get("resized")
    pixels = [f"size={text_of(config['size'])}"] if is_resized else []
    return [*stages, *labels, *pixels, *encode, *shards]


def overrides_of(config: dict[str, Any]) -> list[str]:
    """The overrides of a config: stages in the order of `KINDS`, then the settings of the root."""
    stages = _stage_overrides(config)
    root = {name: value for name, value in config.items() if name not in KINDS}
    return [*stages, *_changed(root, Root, "")]


def settings_of(config: dict[str, Any]) -> dict[str, str]:
    """Every setting of a config as name -> value, written as on the command line."""
    settings = dict.fromkeys(LISTS, "[]")
    for name, value in config.items():
        if name in LISTS:
            settings[name] = f"[{','.join(value)}]"
            for stage, one in value.items():
                settings.update(_texts(one, f"{name}.{stage}."))
        elif name in KINDS:
            settings[name] = value[STAGE]
            settings.update(_texts(value, f"{name}."))
        elif name in BLOCKS:
            settings.update(_texts(value, f"{name}."))
        else:
            settings[name] = text_of(value)
    return settings


def _texts(values: dict[str, Any], prefix: str) -> dict[str, str]:
    return {f"{prefix}{name}": text_of(value) for name, value in values.items() if name != STAGE}


def _stage_overrides(config: dict[str, Any]) -> Iterator[str]:
    for kind in KINDS:
        if kind in config:
            chosen = config[kind]
            if kind in LISTS:
                yield f"{kind}=[{','.join(chosen)}]"
                for name, one in chosen.items():
                    yield from _settings(kind, one, f"{kind}.{name}.")
            else:
                yield f"{kind}={chosen[STAGE]}"
                yield from _settings(kind, chosen, f"{kind}.")


def _settings(kind: str, chosen: dict[str, Any], prefix: str) -> Iterator[str]:
    """The overrides of the settings of a stage that differ from their defaults."""
    settings = {name: value for name, value in chosen.items() if name != STAGE}
    # Not by `find`, which raises for a name of several packages: the dataset is there already.
    stages = {one.stage.name: one.stage for one in registry().offered(kind)}
    yield from _changed(settings, stages.get(chosen[STAGE]), prefix)


def _changed(config: dict[str, Any], cls: type | None, prefix: str) -> Iterator[str]:
    """The overrides of the settings that differ from the defaults of the class.

    cls: None if it is not installed; all settings are overridden then.
    """
    fields = dataclasses.fields(cls) if cls else ()
    defaults = {item.name: plain(default_of(item)) for item in fields}
    for name, value in config.items():
        if name in BLOCKS and not prefix:
            yield from _changed(value, BLOCKS[name], f"{name}.")
        elif name not in defaults or value != defaults[name]:
            if isinstance(value, dict) and defaults.get(name):
                yield f"{prefix}{name}=null"  # Hydra would merge the mapping into the default.
            yield f"{prefix}{name}={text_of(value)}"
