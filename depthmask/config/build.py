"""Builds stages from a config, and converts stages to plain data and back."""

from __future__ import annotations

import dataclasses
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from depthmask.codec.sample import Encode
from depthmask.config.explain.setting import no_such_setting
from depthmask.config.explain.value import explain_value
from depthmask.config.explain.words import group_without_setting
from depthmask.config.literal import literal
from depthmask.config.plugins import registry
from depthmask.config.registry import KINDS, LISTS, no_such_name, place_of
from depthmask.config.root import BLOCKS, Root
from depthmask.errors import UsageError, group_before_setting_errors
from depthmask.stage import Stage, describe_settings
from depthmask.stage.calls import StageCalls, StageError
from depthmask.stage.types import plain as plain_value

STAGE = "stage"
"""The key in plain data that holds the name of a stage, beside the settings of the stage."""
DEFAULT_STAGES = {
    "source": "rooms",
    "geometry": "none",
    "placement": "random",
    "blend": "alpha",
    "depth": "none",
    "runner": "local",
}
"""The stages that plain data may omit, since they have no effect: the runner in any job, and those
that make samples in jobs over existing samples."""


class ConfigError(UsageError):
    """A config cannot become stages. name: that of the setting or of the stage, from the top."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(f"{name}{text}")
        self.name = name


class RequiredError(ConfigError):
    """A setting that has no default has no value."""


def from_config(config: DictConfig) -> Root:
    """Build the root from a config that Hydra composed; raises `UsageError` for a bad value."""
    stages: dict[str, Any] = {
        kind: _list_from_config(kind, config.get(kind))
        if kind in LISTS
        else _stage_from_config(kind, kind, config.get(kind))
        for kind in KINDS
    }
    return Root(**_root_values(config), **stages)


def to_plain(root: Root) -> dict[str, Any]:
    """The root as JSON values: settings by name; each stage has its name under `stage`.

    A group of which several stages can be chosen maps the name of each to its entry; without any,
    it is left out, as in plans of versions that did not have it.
    """
    plain: dict[str, Any] = {}
    for item in dataclasses.fields(root):
        value = getattr(root, item.name)
        if isinstance(value, Stage):
            plain[item.name] = _plain_stage(value)
        elif item.name in LISTS:
            if value:
                plain[item.name] = {name: _plain_stage(value[name]) for name in sorted(value)}
        elif dataclasses.is_dataclass(value):
            plain[item.name] = plain_settings(value)
        else:
            plain[item.name] = plain_value(value)
    return plain


def from_plain(plain: dict[str, Any]) -> Root:
    """Build the root from the result of `to_plain`.

    Settings without effect on samples may be missing. Call it in `untrusted` for data from a file.
    """
    values = {name: value for name, value in plain.items() if name not in KINDS}
    config = OmegaConf.merge(OmegaConf.structured(Root), literal(values))
    known = {**{kind: {STAGE: name} for kind, name in DEFAULT_STAGES.items()}, **plain}
    stages: dict[str, Any] = {
        kind: {name: stage_from_plain(kind, one) for name, one in known.get(kind, {}).items()}
        if kind in LISTS
        else stage_from_plain(kind, known[kind])
        for kind in KINDS
    }
    return Root(**_root_values(config), **stages)


def encode_from_plain(plain: dict[str, Any]) -> Encode:
    """Build the settings of the encoding from their entry in the result of `to_plain`."""
    config = OmegaConf.merge(OmegaConf.structured(Encode), literal(plain))
    encode: Encode = _to_object("encode", config)
    return encode


def stage_from_plain(kind: str, plain: dict[str, Any]) -> Any:
    """Build one stage from its entry in the result of `to_plain`."""
    config = stage_config(kind, plain)
    return _bound(_to_object(place_of(kind, plain[STAGE]), config))


def stage_config(kind: str, plain: dict[str, Any]) -> DictConfig:
    """The config of one stage from its entry in the result of `to_plain`."""
    settings = {key: value for key, value in plain.items() if key != STAGE}
    config = OmegaConf.structured(lookup_stage(kind, plain[STAGE]))
    for key in settings.keys() & config.keys():
        if isinstance(config._get_node(key), DictConfig):
            config[key] = {}  # A merge would keep the keys of the default.
    merged = OmegaConf.merge(config, literal(settings))
    assert isinstance(merged, DictConfig)
    return merged


def open_mappings(config: DictConfig) -> DictConfig:
    """The config of a class, changed so that mappings in it accept any key, as their types do."""
    for name in config:
        if name in LISTS:
            continue  # Its keys are the chosen stages.
        node = config._get_node(name)
        if isinstance(node, DictConfig) and not dataclasses.is_dataclass(OmegaConf.get_type(node)):
            OmegaConf.set_struct(node, False)
    return config


def lookup_stage(kind: str, name: str) -> type[Stage]:
    """The class of `kind=name`; `UsageError` if there is none. Stages may keep this function."""
    return registry().stage(kind, name)


def _list_from_config(kind: str, config: Any) -> dict[str, Stage]:
    """The stages of a group of which several can be chosen, by name."""
    if config is None:
        return {}
    if not isinstance(config, DictConfig):
        # `++labels=x` replaces the stages by a string.
        raise _no_stage(kind, config)
    cls: Any = OmegaConf.get_type(config)
    if isinstance(cls, type) and issubclass(cls, Stage):
        raise ConfigError(
            kind,
            f": a run may have several, so a preset of one names its place: begin the file with "
            f"`# @package {kind}.{cls.name}`",
        )
    chosen = [_stage_from_config(kind, f"{kind}.{key!s}", one) for key, one in config.items()]
    stages = {stage.name: stage for stage in chosen}
    if len(stages) < len(chosen):
        names = ", ".join(sorted(stage.name for stage in chosen))
        raise ConfigError(kind, f": each stage can be chosen once, and here are {names}")
    return stages


def _stage_from_config(kind: str, name: str, config: Any) -> Stage:
    """The stage at `name` in the config, of the group `kind`."""
    if not isinstance(config, DictConfig):
        # `~placement` removes the group, and `++placement=x` replaces the stage by a string.
        raise _no_stage(kind, config)
    stage = _to_object(name, config)
    if not isinstance(stage, Stage):
        raise ConfigError(name, f": {_how_to_choose(kind, name)}")
    registered = registry().find(kind, stage.name)
    if registered is None or registered.stage is not type(stage):
        raise ConfigError(name, f": {stage.name} is a {stage.kind}; choose a {kind}")
    return _bound(stage)


def _bound(stage: Stage) -> Stage:
    with StageCalls(stage, "bind"):
        stage.bind(lookup_stage)
    return stage


def _no_stage(kind: str, config: Any) -> ConfigError:
    value = "null" if config is None else str(config)
    text = no_such_name(kind, value, list(registry().stages[kind]))
    return ConfigError(kind, text.removeprefix(kind))


def _how_to_choose(kind: str, name: str) -> str:
    """What lacks where a config has settings of a stage and no stage."""
    key = name.rpartition(".")[2]
    if kind in LISTS and key not in registry().stages[kind]:
        return registry().no_such_stage(kind, key, list(registry().stages[kind]))
    if kind in LISTS:
        return f"{key} is not chosen; add it by {kind}=[{key}]"
    return (
        f"the config names no stage; begin it with `defaults: [/schema/{kind}/NAME@_here_, _self_]`"
    )


def _to_object(name: str, config: Any) -> Any:
    _refuse_unknown(name, config)
    try:
        with group_before_setting_errors(name):
            return _made(OmegaConf.get_type(config), config)
    except OmegaConfBaseException as error:
        raise _config_error(name, error) from None


def _config_error(name: str, error: OmegaConfBaseException) -> ConfigError:
    """The error of OmegaConf about a setting in our own words. name: of the group or setting."""
    full_key = error.full_key or name
    if isinstance(error, MissingMandatoryValue):
        key = full_key.rpartition(".")[2]
        settings = describe_settings(error.object_type) if error.object_type else []
        text = next((f" ({setting.help})" for setting in settings if setting.name == key), "")
        return RequiredError(full_key, f" is required{text}; give {full_key}=VALUE")
    return ConfigError(full_key, f": {explain_value(error)}")


def _made(cls: type | None, config: Any) -> Any:
    """The object of a config; errors of the class of a stage name the stage."""
    if cls is None or not issubclass(cls, Stage):
        return OmegaConf.to_object(config)
    try:
        with StageCalls(cls, "__init__"):
            return OmegaConf.to_object(config)
    except StageError as error:
        if isinstance(error.__cause__, OmegaConfBaseException):
            raise error.__cause__ from None
        raise


def _refuse_unknown(name: str, config: Any) -> None:
    """Raise `UsageError` for a key that is no setting, which `+source.colour=1` can add."""
    kind = OmegaConf.get_type(config)
    if not dataclasses.is_dataclass(kind):
        return
    known = [item.name for item in dataclasses.fields(kind)]
    for key in config:
        if key not in known:
            raise _no_such_setting(f"{name}.{key}", kind)


def _no_such_setting(name: str, schema: type) -> ConfigError:
    return ConfigError(name, no_such_setting(name, schema, ()).removeprefix(name))


def _root_values(config: Any) -> dict[str, Any]:
    """The settings of the root, without the stages, as objects."""
    known = [item.name for item in dataclasses.fields(Root)]
    for key in config:
        if key not in known:
            raise _no_such_setting(str(key), Root)
    return {str(key): _root_value(config, str(key)) for key in config if key not in KINDS}


def _root_value(config: Any, key: str) -> Any:
    try:
        value = config[key]
    except OmegaConfBaseException as error:
        raise _config_error(key, error) from None
    if key in BLOCKS and not OmegaConf.is_config(value):
        raise ConfigError(key, f"={plain_value(value)}: {group_without_setting(key)}")
    return _to_object(key, value) if OmegaConf.is_config(value) else value


def _plain_stage(stage: Stage) -> dict[str, Any]:
    return {STAGE: stage.name, **plain_settings(stage)}


def plain_settings(instance: Any) -> dict[str, Any]:
    """The settings of a stage or a block as JSON values."""
    return {
        item.name: plain_value(getattr(instance, item.name))
        for item in dataclasses.fields(instance)
    }
