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
    )
)


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
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise YamlError(line, f"the character U+{error.character:04X} is not allowed") from None
    except yaml.MarkedYAMLError as error:
        raise YamlError(_line(error), _words(error, text)) from None
    if node is not None:
        for problem in _problems(node):
            raise problem
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


def _problems(node: yaml.Node) -> Iterator[YamlError]:
    """Yield what is valid YAML, and what a config cannot be."""
    if node.tag not in _TAGS:
        yield YamlError(line_of(node), f"the tag {node.tag} has no meaning here; remove it")
    if isinstance(node, yaml.MappingNode):
        yield from _problems_of_keys(node)
        for _, value in node.value:
            yield from _problems(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _problems(item)


def _problems_of_keys(node: yaml.MappingNode) -> Iterator[YamlError]:
    lines: dict[str, int] = {}
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode) or key.tag.endswith(":null"):
            yield YamlError(line_of(key), "the name of a setting must be a text, as in NAME: VALUE")
        elif key.value in lines:
            before = lines[key.value]
            yield YamlError(line_of(key), f"{key.value} stands here twice, first in line {before}")
        else:
            lines[key.value] = line_of(key)
