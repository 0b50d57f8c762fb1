"""A YAML config: its settings with their line numbers, its header, and its defaults list."""

from __future__ import annotations

import difflib
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from depthmask.config.yaml_folders import shown
from depthmask.config.yaml_syntax import YamlError, decode, line_of, parse
from depthmask.errors import UsageError

SELF = "_self_"
_KEYWORDS = ("override", "optional")
_SCHEMA = "/schema/"


@dataclass(frozen=True, slots=True)
class Default:
    """An entry of a defaults list.

    line: from 1. group: the path before the colon, None if the entry only names a config. names:
    those of the chosen configs. package: the text after `@`.
    """

    line: int
    keywords: tuple[str, ...]
    group: str | None
    names: tuple[str, ...]
    package: str | None

    def config_paths(self, folder: str) -> list[str]:
        """The paths of the chosen configs. folder: the group of the file with this entry."""
        base = "" if self.group is None else f"{self.group}/"
        return [_absolute(f"{base}{name}", folder) for name in self.names if name != SELF]

    def group_path(self, folder: str) -> str:
        """The path of the group, empty if the entry only names a config."""
        return "" if self.group is None else _absolute(self.group, folder)


@dataclass(frozen=True)
class YamlFile:
    """A YAML config that can be read. config_path: `preset/mine` for `FOLDER/preset/mine.yaml`."""

    path: Path
    config_path: str
    text: str
    root: yaml.MappingNode | None

    @property
    def group(self) -> str:
        """The folder of the file inside the folder with configs, such as `preset`."""
        return self.config_path.rpartition("/")[0]

    @cached_property
    def package(self) -> str | None:
        """Where in the config the settings go, from the header; None without one."""
        return next((words[1] for words in _header(self.text) if words[0] == "@package"), None)

    @cached_property
    def defaults(self) -> list[Default]:
        """The entries of the defaults list; raises `YamlError` for one that is malformed."""
        node = self.node(["defaults"])
        return [] if node is None else [_default(item) for item in _items(node)]

    def node(self, keys: Sequence[str]) -> yaml.Node | None:
        """The value of a setting, None if the file does not set it. keys: from the top."""
        entry = self._entry(keys)
        return None if entry is None else entry[1]

    def line(self, keys: Sequence[str]) -> int | None:
        """The line that sets a setting, or an item of a list; None if there is none."""
        entry = self._entry(keys)
        return None if entry is None else line_of(entry[0])

    def missing_values(self) -> Iterator[tuple[list[str], int]]:
        """Yield the keys and the line of each setting whose value is `???`."""
        yield from _missing_values(self.root, [])

    def _entry(self, keys: Sequence[str]) -> tuple[yaml.Node, yaml.Node] | None:
        """The nodes of the name and of the value of a setting."""
        if self.root is None:
            return None
        name: yaml.Node = self.root
        value: yaml.Node = self.root
        for key in keys:
            entry = _children(value).get(key)
            if entry is None:
                return None
            name, value = entry
        return name, value

    def at(self, line: int | None, text: str) -> UsageError:
        """The error for a line of this file."""
        return UsageError(f"{shown(self.path)}:{line or 1}: {text}")

    def config(self) -> Any:
        """The content for OmegaConf, with `_self_` at the end of a defaults list without it.

        Raises `UsageError` for a value that cannot be parsed.
        """
        try:
            config = OmegaConf.load(io.StringIO(self.text))
        except yaml.MarkedYAMLError as error:
            # What only fails when values are made of the nodes, such as `<<` without a mapping.
            raise self.at(
                error.problem_mark.line + 1, "not a value; put a text in quotes"
            ) from None
        except OmegaConfBaseException as error:
            line = self.line(keys_of(error.full_key or ""))
            text = "a value with ${ that is no ${NAME}; write \\${ where the text is meant"
            raise self.at(line, text) from None
        if self.defaults and not any(one.names == (SELF,) for one in self.defaults):
            assert isinstance(config, DictConfig)
            config.defaults.append(SELF)
        return config


def read_yaml(folder: Path, config_path: str) -> YamlFile:
    """Read and check `FOLDER/CONFIG_PATH.yaml`; raises `UsageError` with the file and the line."""
    path = folder / f"{config_path}.yaml"
    try:
        text = decode(path.read_bytes())
        file = YamlFile(path, config_path, text, _mapping(text))
        for problem in _problems(file):
            raise problem
    except YamlError as error:
        raise UsageError(f"{shown(path)}:{error.line}: {error}") from None
    except OSError as error:
        raise UsageError(f"{shown(path)}: cannot be read ({error.strerror or error})") from None
    return file


def keys_of(full_key: str) -> list[str]:
    """The keys of a name like `encode.quality` or `size[0]`, from the top."""
    return [key for key in re.split(r"[.\[\]]+", full_key) if key]


def _missing_values(node: yaml.Node | None, keys: list[str]) -> Iterator[tuple[list[str], int]]:
    for key, (name, value) in _children(node).items() if node is not None else ():
        if [*keys, key] == ["defaults"]:
            continue
        if isinstance(value, yaml.ScalarNode) and value.value == "???":
            yield [*keys, key], line_of(name)
        yield from _missing_values(value, [*keys, key])


def _mapping(text: str) -> yaml.MappingNode | None:
    node = parse(text)
    if node is None:
        if not text.strip():
            raise YamlError(1, "the file is empty; write settings as NAME: VALUE")
        return None
    if isinstance(node, yaml.MappingNode):
        return node
    if isinstance(node, yaml.ScalarNode) and (word := re.match(r"([\w.]+)\s*[=:]", node.value)):
        raise YamlError(line_of(node), f"write {word[1]}: VALUE, with a space after the colon")
    kind = "a list" if isinstance(node, yaml.SequenceNode) else "a single value"
    raise YamlError(
        line_of(node), f"{kind} where settings have to stand; write NAME: VALUE, without a dash"
    )


def _header(text: str) -> Iterator[list[str]]:
    """Yield the words of each header line, such as `@package` and `_global_`, as Hydra reads it."""
    for line in filter(None, map(str.strip, text.splitlines())):
        if not re.match(r"#\s*@", line):
            return
        yield line.lstrip("#").split()


def misplaced_header(text: str) -> int | None:
    """The line that looks like a header, and is none; None if there is none."""
    lines = enumerate(text.splitlines(), 1)
    pattern = re.compile(r"\s*#\s*@?\s*pack", re.IGNORECASE)
    return next((number for number, line in lines if pattern.match(line)), None)


def _problems(file: YamlFile) -> Iterator[YamlError]:
    """Yield what is wrong with a file by itself, whatever the other configs are."""
    for words in _header(file.text):
        if len(words) != 2:
            line = misplaced_header(file.text) or 1
            yield YamlError(line, "write `# @package _global_`, and nothing else in the line")
    if isinstance(file.node(["hydra"]), yaml.SequenceNode):
        yield YamlError(file.line(["hydra"]) or 1, "hydra must be a group of settings")
    entries = file.defaults
    for number, entry in enumerate(entries):
        later = [one for one in entries[number + 1 :] if "override" not in one.keywords]
        others = [one for one in later if one.names != (SELF,)]
        if "override" in entry.keywords and others and (near := _meant_self(others)):
            yield YamlError(near.line, f"{near.names[0]}: did you mean {SELF}?")
        elif "override" in entry.keywords and others:
            yield YamlError(
                entry.line,
                "an entry with `override` stands before one without; move it to the end of the "
                "defaults list, before _self_",
            )
        if entry.names == (SELF,):
            yield from _problems_of_self(file, later)


def _meant_self(entries: Sequence[Default]) -> Default | None:
    """The entry with a name like `_self_`; None if there is none."""
    return next((one for one in entries if is_like_self(one)), None)


def is_like_self(entry: Default) -> bool:
    """Whether an entry is likely to be a misspelt `_self_`."""
    return entry.group is None and bool(difflib.get_close_matches(entry.names[0], [SELF]))


def _problems_of_self(file: YamlFile, later: Sequence[Default]) -> Iterator[YamlError]:
    """later: the entries after `_self_` without `override`."""
    for entry in later:
        if entry.names == (SELF,):
            yield YamlError(entry.line, "_self_ stands twice in the defaults list; remove one")
        elif entry.names and entry.names[0].startswith(_SCHEMA) and _sets_values(file):
            yield YamlError(
                entry.line,
                f"{entry.names[0]} stands after _self_, so its defaults would replace the settings "
                "of this file; move _self_ to the end",
            )


def _sets_values(file: YamlFile) -> bool:
    return file.root is not None and len(file.root.value) > 1


def _items(node: yaml.Node) -> list[yaml.Node]:
    """The entries of the defaults list."""
    if isinstance(node, yaml.SequenceNode):
        return list(node.value)
    raise YamlError(
        line_of(node), "defaults must be a list, with lines like `- override /placement: grid`"
    )


def _default(node: yaml.Node) -> Default:
    if isinstance(node, yaml.ScalarNode) and _is_text(node):
        return _named(node)
    if not isinstance(node, yaml.MappingNode) or not node.value:
        raise YamlError(line_of(node), "write NAME, or `override /GROUP: NAME`, after the dash")
    if len(node.value) > 1:
        second = line_of(node.value[1][0])
        raise YamlError(second, "begin each entry of the defaults list with a dash of its own")
    return _chosen(*node.value[0])


def _named(node: yaml.ScalarNode) -> Default:
    """An entry that only names a config, such as `pairs` or `/schema/placement/grid@_here_`."""
    path, _, package = node.value.partition("@")
    if re.search(r"[\s=:]", path):
        group = re.split(r"[\s=:]+", path)
        example = (
            "override /GROUP: NAME" if len(group) < 3 else " ".join(group[:2]) + f": {group[2]}"
        )
        raise YamlError(
            line_of(node), f"{node.value}: write `{example}`, with a space after the colon"
        )
    if path == SELF and package:
        raise YamlError(line_of(node), "write _self_ alone; `# @package` at the top has the place")
    return Default(line_of(node), (), None, (path,), package or None)


def _chosen(key: yaml.Node, value: yaml.Node) -> Default:
    """An entry that chooses from a group, such as `override /placement: grid`."""
    *keywords, group = str(key.value).split() or [""]
    for word in keywords:
        if word not in _KEYWORDS:
            raise YamlError(
                line_of(key), f"{word}: no such keyword; write `override {group}: NAME`"
            )
    if group in _KEYWORDS:
        raise YamlError(line_of(key), f"{group}: needs a group, as in `{group} /placement: grid`")
    names = list(value.value) if isinstance(value, yaml.SequenceNode) else [value]
    is_null = isinstance(value, yaml.ScalarNode) and value.tag.endswith(":null")
    if not is_null and not all(map(_is_text, names)):
        raise YamlError(line_of(value), f"{group}: choose by name, as in `{key.value}: NAME`")
    path, _, package = group.partition("@")
    texts = () if is_null else tuple(str(name.value) for name in names)
    return Default(line_of(key), tuple(keywords), path, texts, package or None)


def _is_text(node: yaml.Node) -> bool:
    """Whether a value is a text; OmegaConf reads `1e5`, too, as a number."""
    is_text = isinstance(node, yaml.ScalarNode) and node.tag.endswith(":str")
    return is_text and not re.fullmatch(r"[-+]?[\d.][\d_.]*(e[-+]?\d+)?", node.value.lower())


def _absolute(path: str, folder: str) -> str:
    return path[1:] if path.startswith("/") else f"{folder}/{path}".lstrip("/")


def _children(node: yaml.Node) -> dict[str, tuple[yaml.Node, yaml.Node]]:
    """The nodes of name and value of each setting; an item of a list has its number as name."""
    if isinstance(node, yaml.MappingNode):
        return {str(name.value): (name, value) for name, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return {str(number): (item, item) for number, item in enumerate(node.value)}
    return {}
