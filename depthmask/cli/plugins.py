"""`depthmask plugins`: list every stage, its settings, and the package that provides it."""

from __future__ import annotations

from collections.abc import Sequence

from depthmask.cli.listing import stage_listing
from depthmask.config.plugins import registry
from depthmask.errors import UsageError


def main(arguments: Sequence[str]) -> int:
    """Print the list; `-v` adds the time that each plugin took to load."""
    unknown = [word for word in arguments if word not in ("-v", "--verbose")]
    if unknown:
        raise UsageError(f"plugins does not accept {unknown[0]}; accepted: -v, --verbose")
    print(stage_listing())
    if arguments:
        print("\nplugin packages:")
        for name, seconds in registry().load_seconds.items():
            print(f"  {name}  loaded in {seconds * 1000:.0f} ms")
    return 0
