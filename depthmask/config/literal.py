"""Keeps OmegaConf from reading texts of users and files as interpolations."""

from __future__ import annotations

import re
from typing import Any

_INTERPOLATION = re.compile(r"(\\*)\$\{")


def literal(value: Any) -> Any:
    r"""The value with `\${` for `${` in all its texts, which OmegaConf reads as the text itself.

    value: JSON values. Without this, a text such as `${oc.env:HOME}` in a file of a stranger would
    be replaced by what it names on this machine.
    """
    if isinstance(value, str):
        return _INTERPOLATION.sub(lambda match: rf"{2 * match[1]}\${{", value)
    if isinstance(value, list):
        return [literal(item) for item in value]
    if isinstance(value, dict):
        return {key: literal(item) for key, item in value.items()}
    return value
