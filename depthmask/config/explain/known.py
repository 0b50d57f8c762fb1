"""Lists every setting that some run can have, for messages about names that are none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from depthmask.config.plugins import registry
from depthmask.config.presets.folders import config_folder, preset_files
from depthmask.config.provider import BUILT_IN, Provider
from depthmask.config.registry import KINDS, LISTS, Preset, place_of
from depthmask.config.root import BLOCKS, Root
from depthmask.stage.decorators import setting_types


@dataclass(frozen=True, slots=True)
class KnownSetting:
    """A setting.

    name: from the top, such as `placement.rows`. choice: what chooses the stage that has it, such
    as `placement=grid`; empty for a setting of every run. hint: its type.
    """

    name: str
    choice: str
    hint: Any

    @property
    def key(self) -> str:
        """The name without its group."""
        return self.name.rpartition(".")[2]


def known_settings() -> Iterator[KnownSetting]:
    """Yield the settings of every run, then those of all stages."""
    for name, hint in setting_types(Root).items():
        if name not in (*KINDS, *BLOCKS):
            yield KnownSetting(name, "", hint)
    for block, schema in BLOCKS.items():
        for name, hint in setting_types(schema).items():
            yield KnownSetting(f"{block}.{name}", "", hint)
    for kind in KINDS:
        for one in registry().offered(kind):
            place = place_of(kind, one.stage.name)
            for name, hint in setting_types(one.stage).items():
                yield KnownSetting(f"{place}.{name}", choice_of(kind, one.stage.name), hint)


def choice_of(kind: str, name: str) -> str:
    """The word that chooses a stage, such as `placement=grid` or `labels=[coco]`."""
    return f"{kind}=[{name}]" if kind in LISTS else f"{kind}={name}"


def owners(name: str) -> list[str]:
    """The choices of the stages that have a setting; none if every stage of its group has it."""
    choices = [one.choice for one in known_settings() if one.name == name and one.choice]
    kind = name.partition(".")[0]
    return [] if len(choices) == len(registry().offered(kind)) else choices


def choices_named(name: str) -> list[str]:
    """The stages and presets with this name, as the words that choose them."""
    files = [Preset(path, Provider(BUILT_IN)).choice for path in preset_files(config_folder())]
    stages = [f"{kind}={one.stage.name}" for kind in KINDS for one in registry().offered(kind)]
    choices = [one for one in (*stages, *files, *registry().presets) if one.endswith(f"={name}")]
    return [one if one.partition("=")[0] in KINDS else f"+{one}" for one in choices]
