"""Where a dataset or a file of it lies."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TypeAlias

Location: TypeAlias = Path


def location(text: str | PathLike[str]) -> Location:
    """The place that a user names."""
    return Path(text)
