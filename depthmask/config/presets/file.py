"""A YAML config: its settings with their line numbers, its header, and its defaults list."""

from __future__ import annotations

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

from depthmask.config.presets.defaults import SELF, Default, problems_of_order, read_defaults
from depthmask.config.presets.folders import shown
from depthmask.config.presets.syntax import TOO_DEEP, YamlError, decode, line_of, parse
from depthmask.errors import UsageError


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
        return [] if node is None else read_defaults(node)

    def node(self, keys: Sequence[str]) -> yaml.Node | None:
        """The value of a setting, None if the file does not set it. keys: from the top."""
        entry = self._entry(keys)
        return None if entry is None else entry[1]

    def line(self, keys: Sequence[str]) -> int | None:
        """The line that sets a setting, or an item of a list; None if there is none."""
        entry = self._entry(keys)
        return None if entry is None else line_of(entry[0])

    def settings(self) -> Iterator[tuple[str, int, str | None]]:
        """Yield name, line and value of each setting, those of groups and lists too.

        The name is that in the whole config, where the header or the group puts the file; the value
        is None unless it is a text, a number or the like.
        """
        place = self.group if self.package is None else self.package.removeprefix("_global_")
        for keys, name, value in self._settings(self.root, []):
            text = value.value if isinstance(value, yaml.ScalarNode) else None
            # `<<` stands for the place that it is in.
            inner = [key for key in keys if key != "<<"]
            yield ".".join([*keys_of(place.replace("/", ".")), *inner]), line_of(name), text

    def _settings(
        self, node: yaml.Node | None, keys: list[str]
    ) -> Iterator[tuple[list[str], yaml.Node, yaml.Node]]:
        """Yield the keys and the nodes of each setting, those of a list too, below a node."""
        for key, (name, value) in _children(node).items():
            if [*keys, key] != ["defaults"]:
                yield [*keys, key], name, value
                yield from self._settings(value, [*keys, key])

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
            line = error.problem_mark.line + 1
            raise self.at(line, "not a value; put a text in quotes") from None
        except RecursionError:
            raise self.at(1, TOO_DEEP) from None
        except OmegaConfBaseException as error:
            at = self.line(keys_of(error.full_key or ""))
            text = "a value with ${ that is no ${NAME}; write \\${ where the text is meant"
            raise self.at(at, text) from None
        if self.defaults and not any(one.is_self for one in self.defaults):
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
    has_settings = file.root is not None and len(file.root.value) > 1
    yield from problems_of_order(file.defaults, has_settings)


def _children(node: yaml.Node | None) -> dict[str, tuple[yaml.Node, yaml.Node]]:
    """The nodes of name and value of each setting; an item of a list has its number as name."""
    if isinstance(node, yaml.MappingNode):
        return {str(name.value): (name, value) for name, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return {str(number): (item, item) for number, item in enumerate(node.value)}
    return {}
