"""Which origin the paths on a command line are."""

from __future__ import annotations

from collections.abc import Sequence

from depthmask.errors import UsageError
from depthmask.jobs.files import files
from depthmask.jobs.foreign import Foreign
from depthmask.jobs.made import Made
from depthmask.jobs.origin import Origin
from depthmask.location import location


def origin(paths: Sequence[str]) -> Origin:
    """What lies there; UsageError if it is nothing that can be read."""
    normal = [str(location(path)) for path in paths]
    ours = [path for path in normal if (location(path) / "plan.json").is_file()]
    if ours and len(normal) > 1:
        raise UsageError(f"{ours[0]}: one dataset at a time; several paths are for parts of a zip")
    if ours:
        return Made(ours[0])
    return Foreign(normal, files(normal))
