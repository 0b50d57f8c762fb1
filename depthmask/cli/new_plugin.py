"""`depthmask new-plugin KIND NAME`: create a plugin package with a stage of your own."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from depthmask.cli.parser import Parser
from depthmask.cli.scaffold.package import choice_of, new_package
from depthmask.config.registry import KINDS


def main(arguments: Sequence[str]) -> int:
    """Create the package, and print the next steps."""
    parser = Parser(prog="depthmask new-plugin", description=__doc__)
    parser.add_argument("kind", metavar="KIND", help=", ".join(KINDS))
    parser.add_argument("name", metavar="NAME", help="name of the stage, such as my_stage")
    parser.add_argument(
        "--into", type=Path, default=Path(), metavar="FOLDER", help="parent folder of the package"
    )
    options = parser.parse_args(arguments)
    package = new_package(options.kind, options.name, options.into)
    print(f"created {package}; next:")
    print(f"  pip install -e '{package}[test]' && pytest {package}")
    print(f"  python -m depthmask {shlex.quote(choice_of(options.kind, options.name))}")
    return 0
