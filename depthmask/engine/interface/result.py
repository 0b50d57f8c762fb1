"""Shows how a run ends that a caller in Python has started."""

from __future__ import annotations

from collections.abc import Callable

from depthmask.engine.display import Display
from depthmask.engine.run import Result
from depthmask.engine.summary import show_result
from depthmask.reading.dataset import Dataset


def dataset_of(work: Callable[[], Result], display: Display) -> Dataset:
    """The dataset that the work makes; shows its result, or how to go on after an interruption."""
    try:
        result = work()
    except KeyboardInterrupt:
        display.line("interrupted; the same call again resumes", "interrupted")
        raise
    show_result(result, display)
    return result.dataset
