"""The defaults list of a YAML config: which other configs it chooses, and what is wrong with it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import yaml

from depthmask.config.presets.syntax import YamlError, line_of

SELF = "_self_"
_KEYWORDS = ("override", "optional")


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

    @property
    def is_self(self) -> bool:
        """Whether it is `_self_`, the place of the file's own settings."""
        return self.group is None and self.names == (SELF,)

    @property
    def is_like_self(self) -> bool:
        """Whether it is likely to be a misspelt `_self_`."""
        near = difflib.get_close_matches(self.names[0], [SELF], cutoff=0.75) if self.names else []
        return self.group is None and bool(near)

    @property
    def is_override(self) -> bool:
        """Whether it changes a choice, which another config has made."""
        return "override" in self.keywords

    def config_paths(self, folder: str) -> list[str]:
        """The paths of the chosen configs. folder: the group of the file with this entry."""
        base = "" if self.group is None else f"{self.group}/"
        return [] if self.is_self else [_absolute(f"{base}{name}", folder) for name in self.names]

    def group_path(self, folder: str) -> str:
        """The path of the group, empty if the entry only names a config."""
        return "" if self.group is None else _absolute(self.group, folder)


def read_defaults(node: yaml.Node) -> list[Default]:
    """The entries of a defaults list; raises `YamlError` for one that is malformed."""
    if not isinstance(node, yaml.SequenceNode):
        raise _error(node, "defaults must be a list, with lines like `- override /placement: grid`")
    return [_default(item) for item in node.value]


def problems_of_order(entries: Sequence[Default], has_settings: bool) -> Iterator[YamlError]:
    """Yield an error for each entry in a wrong place.

    has_settings: whether the file has settings beside the defaults list.
    """
    for number, entry in enumerate(entries):
        later = [one for one in entries[number + 1 :] if not one.is_override]
        if entry.is_override:
            yield from _problems_of_override(entry, [one for one in later if not one.is_self])
        elif entry.is_self:
            yield from _problems_of_self(later, has_settings)


def _problems_of_override(entry: Default, later: Sequence[Default]) -> Iterator[YamlError]:
    for one in later:
        if one.is_like_self:
            yield YamlError(one.line, f"{one.names[0]}: did you mean {SELF}?")
        yield YamlError(
            entry.line,
            "an entry with `override` stands before one without; move it to the end of the "
            "defaults list, before _self_",
        )


def _problems_of_self(later: Sequence[Default], has_settings: bool) -> Iterator[YamlError]:
    for one in later:
        if one.is_self:
            yield YamlError(one.line, "_self_ stands twice in the defaults list; remove one")
        elif has_settings and one.package == "_here_" and one.names[0].startswith("/schema/"):
            yield YamlError(
                one.line,
                f"{one.names[0]} stands after _self_, so its defaults would replace the settings "
                "of this file; move _self_ to the end",
            )


def _default(node: yaml.Node) -> Default:
    if isinstance(node, yaml.ScalarNode) and _is_text(node):
        return _named(node)
    if not isinstance(node, yaml.MappingNode) or not node.value:
        raise _error(node, "write NAME, or `override /GROUP: NAME`, after the dash")
    if len(node.value) > 1:
        raise _error(
            node.value[1][0], "begin each entry of the defaults list with a dash of its own"
        )
    return _chosen(*node.value[0])


def _named(node: yaml.ScalarNode) -> Default:
    """An entry that only names a config, such as `pairs` or `/schema/placement/grid@_here_`."""
    path, _, package = node.value.partition("@")
    if re.search("[=:]", path) or path.startswith(_KEYWORDS):
        written = re.fullmatch(r"(override|optional) (\S+?)[\s=:]+(\S+)", path)
        example = f"{written[1]} {written[2]}: {written[3]}" if written else "override /GROUP: NAME"
        raise _error(node, f"{node.value}: write `{example}`, with a space after the colon")
    if path == SELF and package:
        raise _error(node, "write _self_ alone; `# @package` at the top has the place")
    return Default(line_of(node), (), None, (path,), package or None)


def _chosen(key: yaml.Node, value: yaml.Node) -> Default:
    """An entry that chooses from a group, such as `override /placement: grid`."""
    *keywords, group = str(key.value).split() or [""]
    for word in keywords:
        if word not in _KEYWORDS:
            raise _error(key, f"{word}: no such keyword; write `override {group}: NAME`")
    if group in _KEYWORDS:
        raise _error(key, f"{group}: needs a group, as in `{group} /placement: grid`")
    names = list(value.value) if isinstance(value, yaml.SequenceNode) else [value]
    is_null = isinstance(value, yaml.ScalarNode) and value.tag.endswith(":null")
    if not is_null and not all(map(_is_text, names)):
        raise _error(value, f"{group}: choose by name, as in `{key.value}: NAME`")
    path, _, package = group.partition("@")
    texts = () if is_null else tuple(str(name.value) for name in names)
    return Default(line_of(key), tuple(keywords), path, texts, package or None)


def _is_text(node: yaml.Node) -> bool:
    """Whether a value is a text; OmegaConf reads `1e5`, too, as a number."""
    is_text = isinstance(node, yaml.ScalarNode) and node.tag.endswith(":str")
    return is_text and not re.fullmatch(r"[-+]?[\d.][\d_.]*(e[-+]?\d+)?", node.value.lower())


def _absolute(path: str, folder: str) -> str:
    return path[1:] if path.startswith("/") else f"{folder}/{path}".lstrip("/")


def _error(node: yaml.Node, text: str) -> YamlError:
    return YamlError(line_of(node), text)
