"""Which origin the paths on a command line are."""

from __future__ import annotations

from collections.abc import Sequence

from depthmask.engine.inputs.base import JobInput
from depthmask.engine.inputs.containers import files
from depthmask.engine.inputs.dataset import DatasetInput
from depthmask.engine.inputs.pictures import PictureInput
from depthmask.errors import UsageError
from depthmask.storage.location import location


def open_input(paths: Sequence[str]) -> JobInput:
    """What lies there; UsageError if it is nothing that can be read."""
    normal = [str(location(path)) for path in paths]
    ours = [path for path in normal if (location(path) / "plan.json").is_file()]
    if ours and len(normal) > 1:
        raise UsageError(f"{ours[0]}: one dataset at a time; several paths are for parts of a zip")
    if ours:
        return DatasetInput(ours[0])
    return PictureInput(normal, files(normal))
