"""Reads YAML as nodes with line numbers, and says in plain English what is not valid."""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml

from depthmask.errors import UsageError

_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}"
    for name in (
        *("map", "seq", "str", "int", "float", "bool", "null", "timestamp", "merge", "value"),
        # What OmegaConf writes for a Path.
        *(f"python/object/apply:pathlib.{name}" for name in ("Path", "PosixPath", "WindowsPath")),
    )
)


TOO_DEEP = "lists or groups are nested too deeply"
_MOST_VALUES = 100_000
"""With aliases of aliases, a file of 500 bytes can have more values than fit into memory."""


class YamlError(UsageError):
    """A text is not valid YAML, or not what a config can be. line: from 1."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.line = line


def decode(content: bytes) -> str:
    """The text of a file in UTF-8, with or without a mark at its beginning; or `YamlError`."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise YamlError(line, "not in UTF-8; save the file in this encoding") from None


def parse(text: str) -> yaml.Node | None:
    """The node of a YAML document, None if it is empty; raises `YamlError`."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        values = 0 if node is None else _count(node, {})
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise YamlError(line, f"the character U+{error.character:04X} is not allowed") from None
    except yaml.MarkedYAMLError as error:
        raise YamlError(_line(error), _words(error, text)) from None
    except RecursionError:
        raise YamlError(1, TOO_DEEP) from None
    if values > _MOST_VALUES:
        raise YamlError(1, f"aliases like *NAME repeat more than {_MOST_VALUES:,} values")
    return node


def line_of(node: yaml.Node) -> int:
    """The line where a node begins, from 1."""
    return int(node.start_mark.line) + 1


def _line(error: yaml.MarkedYAMLError) -> int:
    return int((error.problem_mark or error.context_mark).line) + 1


def _words(error: yaml.MarkedYAMLError, text: str) -> str:
    """What is wrong, in words that need no knowledge of parsers."""
    line = [*text.split("\n"), ""][_line(error) - 1]
    opened = error.context_mark.line + 1 if error.context_mark else 0
    problem = str(error.problem)
    if line[: len(line) - len(line.lstrip())].count("\t") or "'\\t'" in problem:
        return "a tab, which YAML does not allow; indent with spaces"
    if "flow node" in str(error.context):
        return "a bracket is not closed, or a value lacks before a comma or bracket"
    if "flow" in str(error.context):
        return f"the bracket that line {opened} opens is not closed, or lacks a comma"
    if "quoted scalar" in str(error.context):
        return f"the quote that line {opened} opens is not closed, or has an unknown escape"
    if "single document" in str(error.context):
        return "a second document begins here; a config is one, so remove the line ---"
    if alias := re.search(r"undefined alias '(.*)'", problem):
        return f"*{alias[1]} refers to an anchor that does not exist; quote a text that begins so"
    if "cannot start any token" in problem:
        character = line[error.problem_mark.column : error.problem_mark.column + 1]
        return f"a value cannot begin with {character}; put it in quotes"
    return (
        "not valid YAML; write NAME: VALUE, with a space after the colon, and indent the settings "
        "of a group alike"
    )


def _count(node: yaml.Node, counts: dict[int, int]) -> int:
    """The number of values below a node, where each alias counts as what it repeats.

    Raises `YamlError` for the first node that no config can have. counts: of the nodes before.
    """
    if id(node) not in counts:
        _check(node)
        counts[id(node)] = 0
        counts[id(node)] = 1 + sum(_count(inner, counts) for inner in _inner_nodes(node))
    elif not counts[id(node)]:
        raise YamlError(line_of(node), "an alias like *NAME stands inside of what it repeats")
    return counts[id(node)]


def _inner_nodes(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.CollectionNode):
        for value in node.value:
            yield from value if isinstance(value, tuple) else [value]


def _check(node: yaml.Node) -> None:
    """Raise `YamlError` for what is valid YAML, and what a config cannot be."""
    if node.tag not in _TAGS:
        raise YamlError(line_of(node), f"the tag {node.tag} has no meaning here; remove it")
    lines: dict[str, int] = {}
    for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
        if not isinstance(key, yaml.ScalarNode) or key.tag.endswith(":null"):
            raise YamlError(line_of(key), "the name of a setting must be a text, as in NAME: VALUE")
        if key.value in lines and not key.tag.endswith(":merge"):
            before = lines[key.value]
            raise YamlError(line_of(key), f"{key.value} stands here twice, first in line {before}")
        lines[key.value] = line_of(key)
