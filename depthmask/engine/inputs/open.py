"""Opens the input at the paths of a command line."""

from __future__ import annotations

from collections.abc import Sequence

from depthmask.engine.inputs.base import JobInput
from depthmask.engine.inputs.containers import files
from depthmask.engine.inputs.dataset import DatasetInput
from depthmask.engine.inputs.pictures import PictureInput
from depthmask.errors import UsageError
from depthmask.storage.location import location


def open_input(paths: Sequence[str]) -> JobInput:
    """The dataset or the pictures at these paths; raises `UsageError` if they are neither."""
    locations = [str(location(path)) for path in paths]
    datasets = [path for path in locations if (location(path) / "plan.json").is_file()]
    if datasets and len(locations) > 1:
        raise UsageError(
            f"{datasets[0]}: one dataset at a time; only pictures may be in several archives"
        )
    if datasets:
        return DatasetInput(datasets[0])
    return PictureInput(locations, files(locations))
