"""`depthmask --version`: print the version."""

from __future__ import annotations

from collections.abc import Sequence

from depthmask._version import __version__
from depthmask.cli.lines import show


def main(arguments: Sequence[str]) -> int:
    """Print the version."""
    show(f"depthmask {__version__}")
    return 0
