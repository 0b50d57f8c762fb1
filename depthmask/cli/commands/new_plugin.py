"""`depthmask new-plugin KIND NAME`: create a plugin package with a stage of your own."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from depthmask.cli.lines import show
from depthmask.cli.scaffold.package import choice_of, new_package
from depthmask.cli.usage.parser import parse


def main(arguments: Sequence[str]) -> int:
    """Create the package, and print the next steps."""
    options = parse("new-plugin", arguments)
    package = new_package(options["KIND"], options["NAME"], Path(options["into"] or ""))
    choice = choice_of(options["KIND"], options["NAME"])
    show(f"created {package}; next:")
    show(f"  pip install -e '{package}[test]' && pytest {package}")
    show(f"  python -m depthmask {shlex.quote(choice)}")
    return 0
