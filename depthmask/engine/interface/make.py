"""Makes a dataset for a caller in Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from depthmask.config.root import Root
from depthmask.engine.display import Display
from depthmask.engine.displays.choice import display_of
from depthmask.engine.interface.result import dataset_of
from depthmask.engine.interface.root import Output, root_of
from depthmask.engine.run import run
from depthmask.engine.run_lines import show_plugins
from depthmask.reading.dataset import Dataset


def make(
    config: Sequence[str] | Mapping[str, Any] | Root, output: Output, progress: str | Display
) -> Dataset:
    """Make, complete or extend a dataset, as the command does; see `depthmask.make`."""
    root = root_of("make", config, output)
    with display_of(progress, root.progress) as display:
        show_plugins(display)
        return dataset_of(lambda: run(root, display), display)
