"""`depthmask new-plugin KIND NAME`: a package with a stage of your own."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from depthmask.cli.scaffold.package import new_package
from depthmask.config.registry import KINDS


def main(arguments: Sequence[str]) -> int:
    """Make the package, and say what to do with it."""
    parser = argparse.ArgumentParser(prog="depthmask new-plugin", description=__doc__)
    parser.add_argument("kind", metavar="KIND", help=", ".join(KINDS))
    parser.add_argument("name", metavar="NAME", help="of the stage, as my_thing")
    parser.add_argument("--into", type=Path, default=Path(), help="folder for the package")
    options = parser.parse_args(arguments)
    made = new_package(options.kind, options.name, options.into)
    print(f"{made} is made; next:")
    print(f"  pip install -e '{made}[test]' && pytest {made}")
    print(f"  python -m depthmask {options.kind}={options.name}")
    return 0
