"""Runs a block of Python, and compares what it says about its values.

A block states the value of an expression in a comment at the end of its line, as an array's type
and shape (`sample.image  # uint8 [160, 160, 3]`), or as Python writes it (`len(ds)  # 400`). The
comment may go on after a comma, a colon or a semicolon. Other comments state nothing.
"""

from __future__ import annotations

import ast
import re
from typing import Any

import numpy as np

ARRAY = re.compile(r"(bool|u?int\d+|float\d+) \[([\d, ]*)\]")
_END = r"\s*(?:$|[,:;] )"


def run_block(text: str, names: dict[str, Any]) -> int:
    """Run the statements; returns how many values were compared, AssertionError for a wrong one."""
    compared = 0
    lines = text.splitlines()
    for statement in ast.parse(text).body:
        if not isinstance(statement, ast.Expr):
            exec(compile(ast.Module([statement], []), "<block>", "exec"), names)
            continue
        value = eval(compile(ast.Expression(statement.value), "<block>", "eval"), names)
        rest = lines[(statement.end_lineno or 1) - 1].encode()[statement.end_col_offset :].decode()
        compared += says(rest.strip().removeprefix("#").strip(), value)
    return compared


def says(comment: str, value: object) -> bool:
    """Whether a comment states a value; AssertionError if it is another one."""
    if array := re.match(ARRAY.pattern + _END, comment):
        assert isinstance(value, np.ndarray), f"{type(value).__name__} is no {comment}"
        assert f"{value.dtype} {list(value.shape)}" == f"{array[1]} [{array[2]}]"
        return True
    stated = _literal(comment)
    if stated is None:
        return False
    assert value == stated, f"{value!r} is not {comment}"
    return True


def _literal(comment: str) -> object:
    """The value that a comment begins with; None if there is none."""
    for end in [*re.finditer(r"[,:;] ", comment), None][::-1]:
        try:
            return ast.literal_eval(comment[: end.start()] if end else comment)
        except (ValueError, SyntaxError):
            continue
    return None
