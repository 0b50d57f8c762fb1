"""Says in which line of which YAML config a mistake is that ended the composition of a config.

Each function returns None if the error has nothing to do with a file. Hydra tells most errors apart
by their texts only.
"""

from __future__ import annotations

import dataclasses
import glob
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from hydra.errors import MissingConfigException
from omegaconf.errors import ConfigKeyError, OmegaConfBaseException

from depthmask.config.command_line import CONFIG
from depthmask.config.explain.setting import no_such_setting
from depthmask.config.explain.value import explain_value, words_of
from depthmask.config.hydra_internals import merge_order
from depthmask.config.plugins import registry
from depthmask.config.presets.defaults import SELF, Default
from depthmask.config.presets.file import YamlFile, keys_of, misplaced_header
from depthmask.config.presets.folders import shown
from depthmask.config.presets.tree import YamlTree, keys_inside
from depthmask.config.registry import KINDS, LISTS, place_of, suggestion
from depthmask.config.root import BLOCKS, Root
from depthmask.errors import UsageError
from depthmask.stage.decorators import setting_types
from depthmask.stage.types import has
from depthmask.storage.shell import path_word, setting, word

_GLOBAL = "_global_"
_HEADER = f"# @package {_GLOBAL}"


def missing_config(error: MissingConfigException, tree: YamlTree) -> UsageError | None:
    """The error for a config that does not exist, and is chosen by a file or `--config-name`."""
    config_path = str(error.missing_cfg_file)
    if config_path == tree.line.config_name:
        if words := words_for(_as_yaml(config_path)):
            return UsageError(f"--config-name {config_path}: a name, not a path; write {words}")
        text = f"no such config{suggestion(config_path, tree.names(''))}"
        return UsageError(f"--config-name {config_path}: {text}{_unread_file(config_path, tree)}")
    if tree.word(config_path):
        return None
    chooser = tree.chooser(config_path)
    if chooser is None:
        return unresolved_choice(tree)
    file, entry = chooser
    return file.at(entry.line, _no_such_config(error, file, entry, tree))


def no_such_choice(error: MissingConfigException, tree: YamlTree) -> str:
    """The text for a config that does not exist, in a group that may have others."""
    config_path = str(error.missing_cfg_file)
    word = tree.word(config_path)
    if word and (words := words_for(_as_yaml(word.partition("=")[2]))):
        return f"{word}: a name, not a path; write {words}"
    group, _, name = config_path.rpartition("/")
    # Hydra does not know the options of a group whose stages are chosen by a list.
    names = sorted({*(error.options or ()), *tree.names(group)} - {name})
    text = registry().no_such_stage(group, name, names)
    return f"{text}{_unread_file(config_path, tree)}"


def unused_override(key: str, tree: YamlTree) -> UsageError | None:
    """The error for `override /GROUP` of a group from which nothing is chosen."""
    group, _, package = key.partition("@")
    for file, entry in tree.entries():
        if entry.is_override and entry.group_path(file.group) == group:
            written = f"override {entry.group}"
            if relative := _relative_group(file, entry):
                return file.at(entry.line, relative)
            if package and package.partition(".")[0] not in _places():
                return _wrong_place(file, package.partition(".")[0])
            return file.at(entry.line, f"{written}: no such group{suggestion(group, list(KINDS))}")
    return None


def second_choice(key: str, tree: YamlTree) -> UsageError | None:
    """The error for a group from which a file chooses although there is a choice already."""
    group = key.partition("@")[0]
    for file, entry in tree.entries():
        is_second = file.config_path != CONFIG and not entry.is_override
        if is_second and entry.group_path(file.group) == group:
            text = f"/{group} has a choice already; write `override /{group}: NAME`"
            return file.at(entry.line, text)
    chosen = [word for word in tree.line.overrides if word.lstrip("+").startswith(f"{group}=")]
    names = [word.partition("=")[2] for word in chosen]
    if len(chosen) > 1:
        return UsageError(f"{' '.join(chosen)}: choose both by +{group}=[{','.join(names)}]")
    return None


def unresolved_choice(tree: YamlTree) -> UsageError | None:
    """The error for an entry of a defaults list with `???` or `${...}` instead of a name."""
    for file, entry in tree.entries():
        for name in entry.names:
            if name == "???":
                text = f"{entry.group}: a choice is required; give {entry.group_path('')}=NAME"
                return file.at(entry.line, text)
            if "${" in name:
                return file.at(entry.line, f"{name}: cannot be resolved here; write a name")
    return None


def refuse_circle(tree: YamlTree) -> None:
    """Raise `UsageError` if a file chooses itself, or another that leads back to it."""
    for _ in tree.entries():
        pass


def other_mistake(text: str, tree: YamlTree) -> UsageError | None:
    """The error for a mistake that has no words of ours, if Hydra names a file.

    text: Hydra's message.
    """
    named = re.match(r"In '?([\w./-]+)'?: (.*)", text)
    file = tree.file(named[1]) if named else None
    return file.at(1, f"it does not fit: {named[2]}") if named and file else None


def bad_merge(config_path: str, error: BaseException | None, tree: YamlTree) -> UsageError | None:
    """The error for a config that does not fit what was merged before it.

    error: that of OmegaConf.
    """
    file = tree.file(config_path)
    if not isinstance(error, OmegaConfBaseException):
        return None
    if file is None:
        return _stage_in_wrong_place(config_path, tree)
    package = dict(merge_order(tree.line)).get(config_path, "")
    place = package.partition(".")[0]
    if place not in _places():
        return _wrong_place(file, place)
    if not error.full_key:
        text = "a list, a group or a value stands where the setting has another of the three"
        return next(_values_of_other_kind(file, package, tree), file.at(1, text))
    return _bad_setting(file, str(error.full_key), package, error)


def swept_list(tree: YamlTree) -> UsageError | None:
    """The error for a file that sweeps over the stages of a group by a list, not by a text."""
    for file in tree.files():
        for kind in {*KINDS} - {*LISTS}:
            keys = ["hydra", "sweeper", "params", kind]
            node = file.node(keys)
            if isinstance(node, yaml.SequenceNode):
                names = ",".join(str(item.value) for item in node.value)
                return file.at(
                    file.line(keys), f"{kind}: values of a sweep are a text: write {kind}: {names}"
                )
    return None


def words_for(path: Path) -> str | None:
    """The words that choose a YAML file of the user; None if there is no such file."""
    # Unlike the method, the function bears names that are too long for a file.
    if not os.path.isfile(path) or path.suffix not in (".yaml", ".yml"):
        return None
    group, folder = path.parent.name, path.parent
    if group in KINDS:
        return _words("--config-dir", path_word(folder.parent), setting(group, path.stem))
    if group in ("preset", "experiment"):
        return _words("--config-dir", path_word(folder.parent), setting(f"+{group}", path.stem))
    return _words("--config-dir", path_word(folder), "--config-name", path.stem)


def _words(*words: str) -> str:
    return " ".join(map(word, words))


def _bad_setting(
    file: YamlFile, name: str, package: str, error: OmegaConfBaseException
) -> UsageError:
    keys = keys_inside(name, package) or []
    if not isinstance(error, ConfigKeyError):
        node = file.node(keys)
        value = f"={node.value or 'null'}" if isinstance(node, yaml.ScalarNode) else ""
        return file.at(file.line(keys), f"{name}{value}: {explain_value(error)}")
    if (line := file.line([name])) and len(keys_of(name)) > 1:
        group, _, key = name.rpartition(".")
        return file.at(line, f"{name}: write `{group}:` and, indented below it, `{key}: VALUE`")
    schema = error.object_type
    known = schema if isinstance(schema, type) and dataclasses.is_dataclass(schema) else Root
    if name == "default":
        return file.at(file.line(keys), "default: no such setting; did you mean defaults?")
    return file.at(file.line(keys) or file.line([name]), no_such_setting(name, known, ()))


def _values_of_other_kind(file: YamlFile, package: str, tree: YamlTree) -> Iterator[UsageError]:
    """Yield the error for each group of settings with a value, and each list with a group."""
    for kind in KINDS:
        if _is_set(file, [kind]) and not _has(file, [kind], yaml.MappingNode):
            name = "[NAME]" if kind in LISTS else "NAME"
            text = f"choose in the defaults list, by `- override /{kind}: {name}`"
            yield file.at(file.line([kind]), f"{kind}: {text}")
    for block in BLOCKS:
        if _is_set(file, [block]) and not _has(file, [block], yaml.MappingNode):
            text = "must be a group: its settings stand below it, indented, as NAME: VALUE"
            yield file.at(file.line([block]), f"{block}: {text}")
    for name, hint in _settings(tree):
        keys = keys_inside(name, package)
        other = yaml.MappingNode if has(hint, list) else yaml.SequenceNode
        if keys and has(hint, list, dict) and _has(file, keys, other):
            yield file.at(file.line(keys), f"{name}: must be {words_of(name, hint)}")


def _settings(tree: YamlTree) -> Iterator[tuple[str, Any]]:
    """Yield the name and the type of each setting of a run, for the stages that are chosen."""
    schemas: dict[str, type] = {"": Root, **BLOCKS}
    for path, _ in merge_order(tree.line):
        kind, _, name = path.removeprefix("schema/").partition("/")
        if kind in KINDS and (registered := registry().find(kind, name)):
            schemas[place_of(kind, name)] = registered.stage
    for place, schema in schemas.items():
        for name, hint in setting_types(schema).items():
            yield f"{place}.{name}".lstrip("."), hint


def _is_set(file: YamlFile, keys: list[str]) -> bool:
    return file.node(keys) is not None


def _has(file: YamlFile, keys: list[str], kind: type[yaml.Node]) -> bool:
    return isinstance(file.node(keys), kind)


def _stage_in_wrong_place(config_path: str, tree: YamlTree) -> UsageError | None:
    """The error for the schema of a stage, or a stage, that a file merges where it does not fit."""
    chooser = tree.chooser(config_path)
    if chooser is None:
        return None
    file, entry = chooser
    if file.package and file.group.partition("/")[0] in KINDS:
        return _wrong_place(file, file.package)
    path = config_path.removeprefix("schema/")
    kind, _, name = path.partition("/")
    return file.at(entry.line, f"{path}: choose a {kind} by `override /{kind}: {name}`")


def _wrong_place(file: YamlFile, place: str) -> UsageError:
    """The error for a file whose settings go to a place of the config that does not exist."""
    line = misplaced_header(file.text)
    kind = file.group.partition("/")[0]
    if kind in KINDS:
        return file.at(
            line, f"the settings of a {kind} need no line `# @package {place}`; remove it"
        )
    if line is None:
        text = f"the first line must be `{_HEADER}`; without it, {place}. stands before all names"
    else:
        text = f"write `{_HEADER}` as the first line, since {place} is no group of settings"
    return file.at(line, text)


def _places() -> set[str]:
    """The first keys of the config: what a file may have as `@package`."""
    return {"", "hydra", *(item.name for item in dataclasses.fields(Root))}


def _relative_group(file: YamlFile, entry: Default) -> str | None:
    """The text for a group that is looked for in the folder of its file, where it is not."""
    group = entry.group or ""
    if group.startswith("/") or not file.group or group not in KINDS:
        return None
    keywords = " ".join([*entry.keywords, f"/{group}"])
    return f"{group}: a group begins with a slash here: write `{keywords}: NAME`"


def _no_such_config(
    error: MissingConfigException, file: YamlFile, entry: Default, tree: YamlTree
) -> str:
    config_path = str(error.missing_cfg_file)
    if relative := _relative_group(file, entry):
        return relative
    name = config_path.rpartition("/")[2]
    if entry.is_like_self:
        return f"{name}: did you mean {SELF}?"
    if ".." in config_path or (entry.group is None and name in KINDS):
        return f"{entry.names[0]}: write the path from the top, as in `override /GROUP: NAME`"
    return no_such_choice(error, tree)


def _as_yaml(path: str) -> Path:
    return Path(path if path.endswith((".yaml", ".yml")) else f"{path}.yaml")


def _unread_file(config_path: str, tree: YamlTree) -> str:
    """The end of a text: where a file of the user lies that is not the one which is looked for."""
    folder, name = tree.line.folder, Path(config_path).name
    if folder is None:
        return ""
    expected = folder / f"{config_path}.yaml"
    pattern = f"{glob.escape(name)}*"
    for path in sorted({*folder.glob(pattern), *folder.glob(f"*/{pattern}")}):
        if path.is_file() and path.name.lower() in (name, f"{name}.yml", f"{name}.yaml"):
            if path.parent.name in KINDS and path.parent != expected.parent:
                continue
            if path.parent != expected.parent:
                return f"; {shown(path)} is in another folder: move it to {shown(expected)}"
            return f"; {shown(path)} is not read: rename it to {expected.name}"
    return ""
