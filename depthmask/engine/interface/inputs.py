"""Makes datasets from existing samples for a caller in Python."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from typing import Any, TypeAlias

from depthmask.config.explain.names import names_of, require_accepted
from depthmask.engine.display import Display
from depthmask.engine.displays.choice import display_of
from depthmask.engine.inputs.settings import ACCEPTED
from depthmask.engine.inputs.task import input_job
from depthmask.engine.interface.result import dataset_of
from depthmask.engine.interface.root import Output, composed, words_of
from depthmask.engine.run import run_job
from depthmask.engine.run_lines import show_plugins
from depthmask.errors import UsageError
from depthmask.reading.dataset import Dataset
from depthmask.reading.samples import Samples
from depthmask.storage.location import path_text
from depthmask.storage.path import StorePath

Place: TypeAlias = str | PathLike[str] | StorePath
"""A path, a pattern such as `photos/*.jpg`, or the address of a dataset in an object store."""


def from_inputs(
    command: str,
    paths: Place | Sequence[Place],
    config: Sequence[str] | Mapping[str, Any],
    output: Output,
    progress: str | Display,
    *,
    skip_damaged: bool,
) -> Dataset:
    """Make the dataset of `annotate` or `convert`; see the functions in `depthmask`."""
    texts = [path_text(path) for path in _each(paths)]
    if not texts:
        raise UsageError(f"{command}([]): give the path of a dataset, or of photographs")
    words, mappings = words_of(command, config, output)
    require_accepted(command, words, ACCEPTED[command])
    root = composed(words, mappings)
    with display_of(progress, root.progress) as display:
        show_plugins(display)
        names = names_of(words)
        job = input_job(command, texts, root, names, display, skip_damaged=skip_damaged)
        return dataset_of(lambda: run_job(job, display), display)


def _each(paths: Any) -> Iterable[Place]:
    """The paths, if these are several. A dataset is no path, and to list it reads all samples."""
    is_one = isinstance(paths, str | bytes | PathLike | StorePath | Mapping | Samples)
    return paths if isinstance(paths, Iterable) and not is_one else [paths]
