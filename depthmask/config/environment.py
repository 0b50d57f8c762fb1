"""The environment variables of depthmask, and which of them are misspelt."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Collection, Iterator

from depthmask.errors import TRACEBACK
from depthmask.kernels.compiled import SWITCH

BLOCK = "DEPTHMASK_BLOCK"
PREFER = "DEPTHMASK_PREFER"
STRICT = "DEPTHMASK_STRICT_PLUGINS"
VARIABLES = {
    BLOCK: "plugins to leave out: names of packages or entry points, separated by commas",
    PREFER: "packages that have a name where several have it, the first of them before the others",
    STRICT: "1: whatever would be a warning about a plugin is an error",
    "DEPTHMASK_CACHE": "folder of prepared assets, downloaded weights and copied assets",
    SWITCH: "python: loops over pixels run without compiled code, to the same bytes",
    TRACEBACK: "1: the traceback of the error that ends a command is shown",
}
"""Every environment variable that depthmask reads, and what it is for."""
_OURS = re.compile("depth_?mask_?(.+)", re.IGNORECASE)


def listed_in(variable: str) -> list[str]:
    """The names in an environment variable, which are separated by commas."""
    names = (name.strip() for name in os.environ.get(variable, "").split(","))
    return [name for name in names if name]


def canonical(package: str) -> str:
    """The name of a package as pip compares names: `Depthmask_X` and `depthmask-x` are the same."""
    return re.sub(r"[-_.]+", "-", package).lower()


def misspelt_variables() -> Iterator[str]:
    """Yield a warning for each environment variable that looks like one of depthmask's.

    Plugins may have variables of their own, such as `DEPTHMASK_NOTIFY`, so only names that are
    similar to a known one count.
    """
    suffixes = {name.removeprefix("DEPTHMASK_"): name for name in VARIABLES}
    for name in os.environ:
        ours = _OURS.fullmatch(name)
        if ours is not None and name not in VARIABLES:
            suffix = ours[1].upper()
            longer = (known for known in suffixes if known.startswith(f"{suffix}_"))
            near = difflib.get_close_matches(suffix, suffixes, n=1, cutoff=0.7) or [*longer]
            if near:
                yield f"{name}: no such environment variable; did you mean {suffixes[near[0]]}?"


def misspelt_packages(variable: str, known: Collection[str]) -> Iterator[str]:
    """Yield a warning for each name in a variable that no plugin has.

    known: the names of all plugins.
    """
    by_canonical = {canonical(name): name for name in known}
    for name in listed_in(variable):
        if canonical(name) not in by_canonical:
            near = difflib.get_close_matches(canonical(name), by_canonical, n=1, cutoff=0.6)
            meant = f"did you mean {by_canonical[near[0]]}? " if near else ""
            names = ", ".join(sorted(by_canonical.values())) or "none"
            yield f"{variable}={name}: no plugin has this name; {meant}installed: {names}"
