"""`depthmask --version`."""

from __future__ import annotations

from collections.abc import Sequence

import depthmask


def main(arguments: Sequence[str]) -> int:
    """Print the version."""
    print(f"depthmask {depthmask.__version__}")
    return 0
