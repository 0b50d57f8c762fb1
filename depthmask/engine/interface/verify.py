"""Checks a dataset for a caller in Python, and repairs it."""

from __future__ import annotations

import os
from os import PathLike

from depthmask.engine.display import Display
from depthmask.engine.displays.choice import display_of
from depthmask.engine.repair import findings_in, of_unknown_shards
from depthmask.engine.repair import repair as repair_dataset
from depthmask.storage.location import location
from depthmask.storage.path import StorePath
from depthmask.storage.verify import Problem


def verify(
    path: str | PathLike[str] | StorePath,
    progress: str | Display,
    *,
    repair: bool,
    assets: str | PathLike[str] | None,
) -> list[Problem]:
    """The problems of a dataset, after the repair if there is one; see `depthmask.verify`."""
    dataset = location(path)
    with display_of(progress) as display:
        findings = findings_in(dataset, display)
        if repair and (findings.problems or findings.left_out):
            not_compared = repair_dataset(
                dataset,
                findings.problems,
                display,
                assets=None if assets is None else os.fspath(assets),
            )
            if not_compared:
                display.line(of_unknown_shards(dataset, not_compared))
            findings = findings_in(dataset, display)
        for note in findings.notes:
            display.line(note)
        return findings.problems
