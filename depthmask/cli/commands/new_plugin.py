"""`depthmask new-plugin KIND NAME`: create a plugin package with a stage of your own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from depthmask.cli.lines import show
from depthmask.cli.scaffold.package import choice_of, new_package
from depthmask.cli.usage.parser import parse
from depthmask.storage.location import with_home
from depthmask.storage.shell import command, path_word, word


def main(arguments: Sequence[str]) -> int:
    """Create the package, and print the next steps."""
    options = parse("new-plugin", arguments)
    package = new_package(options["KIND"], options["NAME"], Path(with_home(options["into"] or "")))
    choice = choice_of(options["KIND"], options["NAME"])
    show(f"created {package}; next:")
    folder = path_word(package)
    show(f"  pip install -e {word(f'{folder}[test]')} && pytest {word(folder)}")
    show(f"  {command(choice)}")
    return 0
