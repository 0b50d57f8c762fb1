"""Says which setting a name may mean that is none, or that the chosen stage does not have."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from typing import Any

from depthmask.config.explain.known import choices_named, known_settings, owners
from depthmask.config.explain.synonyms import SYNONYMS
from depthmask.config.plugins import registry
from depthmask.config.presets.folders import config_folder, preset_files
from depthmask.config.registry import KINDS, LISTS, near, suggestion
from depthmask.config.root import Root
from depthmask.stage.types import has
from depthmask.storage import shell

_HYDRA = {"launcher": "hydra/launcher", "sweeper": "hydra/sweeper"}
"""Config groups of Hydra -> their names on the command line."""
_OF_CHOICES: dict[str, dict[str, Sequence[str]]] = {
    "hydra/sweeper": {
        "hydra/sweeper=optuna": ("n_trials", "direction", "sampler", "study_name", "storage"),
    },
    "hydra/launcher": {
        "hydra/launcher=joblib": ("n_jobs", "backend", "pre_dispatch", "batch_size"),
        "hydra/launcher=submitit_slurm": (
            *("partition", "timeout_min", "mem_gb", "cpus_per_task", "gpus_per_node", "qos"),
            *("account", "array_parallelism", "nodes", "tasks_per_node"),
        ),
    },
}
"""Group of Hydra -> its choices -> names of settings that only this choice has."""
_MOST_MEANT = 4
"""More names than these are no help."""


def no_such_setting(name: str, schema: type, overrides: Sequence[str]) -> str:
    """The message for `placement.nosuch`, where the schema of `placement` has no such field.

    overrides: the words of the command line; () if the name stands in a file.
    """
    words = [word for word in overrides if _name_of(word) == name]
    # Of a setting that is given twice, the last counts.
    word = words[-1] if words else name
    kind, _, stage = name.rpartition(".")[0].partition(".")
    if kind in LISTS and schema is Root:
        names = registry().stages[kind]
        if stage not in names:
            return registry().no_such_stage(kind, stage, list(names))
        return f"{word}: {stage} is not chosen; add it by {kind}=[{stage}]"
    return f"{word}: {_hint(name, word.partition('=')[2], schema)}"


def _hint(name: str, value: str, schema: type) -> str:
    """What to do about a name that is no setting. value: "" if there is none."""
    if belongs := _of_other_stage(name, schema):
        return belongs
    if inside := _inside_mapping(name, value):
        return inside
    known = _names_in(name, schema)
    if in_hydra := re.match(r"hydra\.(launcher|sweeper)\.", name):
        group = f"hydra/{in_hydra[1]}"
        key = name.split(".")[2]
        if owning := [one for one, keys in _OF_CHOICES[group].items() if key in keys]:
            return f"belongs to {owning[0]}; add {owning[0]}"
        return (
            f"the chosen {group} has no such setting; add {group}=NAME for one that has it"
            f"{suggestion(name, known)}"
        )
    is_near = schema is not Root and near(name, known, cutoff=0.8)
    if not is_near and (meant := _meant(name) or _groups_like(name)):
        return f"no such setting; {_write(meant, value)}"
    if f"command {name}" in registry().built_in_names:
        return f"no such setting, but a command; write {name} {shell.word(value or 'OUT')}"
    if near(name, known):
        return f"no such setting{suggestion(name, known)}"
    if choices := choices_named(value):
        return f"no such setting; {value} is a choice: write {' or '.join(choices[:_MOST_MEANT])}"
    if misspelt := _misspelt(name):
        return f"no such setting; {_write(misspelt, value)}"
    return f"no such setting{suggestion(name, known)}"


def _inside_mapping(name: str, value: str) -> str:
    """The hint for `placement.heights.chair`, one entry of a setting; empty for any other name."""
    setting, _, entry = name.rpartition(".")
    # OmegaConf cannot check mappings, so their settings have the type Any (see `config_type`).
    hints = [one.hint for one in known_settings() if one.name == setting and "." in setting]
    is_mapping = any(hint is Any or has(hint, dict) for hint in hints)
    whole = shell.word(f"{setting}={{{entry}: {value or 'VALUE'}}}")
    return f"no such setting; {setting} is given as a whole: write {whole}" if is_mapping else ""


def _of_other_stage(name: str, schema: type) -> str:
    """The hint for a setting of a stage that is not chosen; empty if no stage has it."""
    choices = list(dict.fromkeys(one.choice for one in known_settings() if one.name == name))
    if not all(choices) or not choices:
        return ""
    chosen = _chosen(name, schema)
    instead = f", and {chosen} is chosen" if chosen else ""
    add = f"add {choices[0]}" if len(choices) == 1 else "add one of these"
    own = _names_in(name, schema) if chosen else []
    others = f"; settings of {chosen}: {', '.join(own)}" if own else ""
    return f"belongs to {' or '.join(choices)}{instead}; {add}{others}"


def _chosen(name: str, schema: type) -> str:
    """The stage whose class is the schema, such as `placement=grid`; empty for no stage."""
    kind, stage = name.partition(".")[0], getattr(schema, "name", None)
    return f"{kind}={stage}" if kind in KINDS and isinstance(stage, str) else ""


def _names_in(name: str, schema: type) -> list[str]:
    """The names that the schema has where the name stands."""
    group, dot, _ = name.rpartition(".")
    if schema is Root:
        group = dot = ""
    return [f"{group}{dot}{item.name}" for item in dataclasses.fields(schema)]


def _meant(name: str) -> list[str]:
    """The settings that are called so in another group, in another spelling, or elsewhere."""
    plain, key = _plain(name), _plain(name.rpartition(".")[2])
    settings = list(dict.fromkeys(one.name for one in known_settings()))
    same = [one for one in settings if _plain(one) == plain]
    if same:
        return same
    alike = [one for one in settings if _plain(one.rpartition(".")[2]) == key]
    other = [SYNONYMS[key]] if key in SYNONYMS and "." not in name else []
    return list(dict.fromkeys([*other, *alike]))[:_MOST_MEANT]


def _misspelt(name: str) -> list[str]:
    """The settings of any group whose names are almost the same."""
    settings = {_plain(one.key): one.name for one in known_settings()}
    similar = near(_plain(name.rpartition(".")[2]), list(settings), cutoff=0.8)
    return [settings[similar]] if similar else []


def _groups_like(name: str) -> list[str]:
    """The config group that a name is almost, as a word begins that chooses from it."""
    files = {path.parent.name for path in preset_files(config_folder())} - {*KINDS}
    groups = {**{kind: kind for kind in KINDS}, **{one: f"+{one}" for one in files}, **_HYDRA}
    similar = near(_plain(name), list(groups), cutoff=0.8)
    return [groups[similar]] if similar else []


def _write(names: Sequence[str], value: str) -> str:
    """What to write instead of a name that is no setting."""
    hints = [one.hint for one in known_settings() if one.name in names]
    needs_list = any(has(hint, list, tuple) for hint in hints) or {*names} <= {*LISTS}
    if len(names) > 1 or not value or (needs_list and not value.startswith("[")):
        return f"did you mean {' or '.join(names)}?"
    (name,) = names
    stages = " or ".join(owners(name))
    whole = shell.word(f"{name}={value}")
    return f"write {whole}, with {stages}" if stages else f"write {whole}"


def _plain(name: str) -> str:
    """A name in small letters, with underscores for hyphens, dots and new capitals."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[-.]", "_", name).lower()


def _name_of(word: str) -> str:
    return word.partition("=")[0].lstrip("+~")
