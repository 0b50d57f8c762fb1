"""The output folder of a sweep.

It holds the datasets, `sweep.csv`, `sweep.html`, and `jobs/` with a JSON file for each job, the
results of all sweeps into the folder, and the files of launchers and sweepers. Reading a dataset
does not use them.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from depthmask.errors import UsageError
from depthmask.reports.sweep.earlier import write_results
from depthmask.reports.sweep.result import (
    JobResult,
    result_files,
)
from depthmask.storage.fence import give_up
from depthmask.storage.local import LocalPath
from depthmask.storage.location import location
from depthmask.storage.path import LOCK, StorePath

JOBS, TABLE, PAGE = "jobs", "sweep.csv", "sweep.html"
_MARKER = "sweep.json"
"""The file in `jobs/` that marks a folder as that of a sweep."""


def folder_of(config: DictConfig) -> StorePath:
    """The output folder of the sweep.

    Without `output=` it is named by a hash of the overrides, so that the same command resumes the
    same sweep.
    """
    if config.output is not None:
        return location(config.output)
    # Iterated, the list would resolve the interpolations in its words.
    all_words: Any = OmegaConf.to_container(config.hydra.overrides.task, resolve=False)
    words = [word for word in all_words if not word.startswith("progress=")]
    overrides = [OmegaConf.create(words), config.hydra.sweeper]
    text = "".join(OmegaConf.to_yaml(part, sort_keys=True) for part in overrides)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return location("outputs") / f"sweep-{digest[:8]}"


def refuse_other_content(folder: StorePath) -> None:
    """Raise `UsageError` if the folder holds anything but a sweep and its datasets."""
    if (folder / "plan.json").exists():
        raise UsageError(
            f"output={folder} is a dataset, but a sweep needs a folder for several; "
            "choose another output"
        )
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"output={folder} is a file; choose a folder")
    if folder.is_dir() and not (folder / JOBS / _MARKER).is_file():
        for path in folder.iterdir():
            is_ours = path.name in (LOCK, TABLE, PAGE) or (path / "plan.json").is_file()
            if not is_ours and path.has_name():
                raise UsageError(
                    f"output={folder} is not empty and holds no sweep; choose another output"
                )


@contextmanager
def open_job_folder(folder: StorePath, arguments: Sequence[str]) -> Iterator[Path]:
    """Yield a local folder for the results of the jobs.

    A new folder is removed if the sweep writes no table, so that a mistyped command leaves nothing.
    """
    marker = json.dumps({"arguments": list(arguments)}).encode() + b"\n"
    if isinstance(folder, LocalPath):
        with _local_job_folder(folder, marker) as job_folder:
            yield job_folder
        return
    with tempfile.TemporaryDirectory(prefix="depthmask-jobs-") as scratch:
        yield Path(scratch)
    (folder / JOBS / _MARKER).write_whole(marker)


@contextmanager
def _local_job_folder(folder: LocalPath, marker: bytes) -> Iterator[Path]:
    job_folder = folder / JOBS
    is_new = not job_folder.exists()
    job_folder.mkdir(exist_ok=True)
    (job_folder / _MARKER).write_whole(marker)
    try:
        yield job_folder
    finally:
        if is_new and not (folder / TABLE).exists():
            give_up(folder)
            shutil.rmtree(job_folder)
            (folder / LOCK).unlink()
            if not any(folder.iterdir()):
                folder.rmdir()


def clear_results(job_folder: Path, jobs: StorePath, earlier: Sequence[JobResult]) -> None:
    """Remove the results of the jobs of an earlier sweep, once they are kept in one file."""
    if paths := result_files(location(job_folder)):
        write_results(jobs, earlier)
    for path in paths:
        path.unlink()
