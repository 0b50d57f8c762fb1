"""The input that the paths on a command line name."""

from __future__ import annotations

from collections.abc import Sequence

from depthmask.engine.inputs.base import JobInput
from depthmask.engine.inputs.containers import files
from depthmask.engine.inputs.dataset import DatasetInput
from depthmask.engine.inputs.pictures import PictureInput
from depthmask.errors import UsageError
from depthmask.storage.location import location


def open_input(paths: Sequence[str]) -> JobInput:
    """The dataset or the pictures at these paths; UsageError if they are neither."""
    normal = [str(location(path)) for path in paths]
    datasets = [path for path in normal if (location(path) / "plan.json").is_file()]
    if datasets and len(normal) > 1:
        raise UsageError(
            f"{datasets[0]}: one dataset at a time; several paths are for a zip in several files"
        )
    if datasets:
        return DatasetInput(datasets[0])
    return PictureInput(normal, files(normal))
