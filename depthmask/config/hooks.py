"""The hooks that a plugin may implement, each marked with `@depthmask.hookimpl`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pluggy

from depthmask.storage.path import StorePath

if TYPE_CHECKING:
    from depthmask.config.root import Root
    from depthmask.stage import Stage

PROJECT = "depthmask"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class Hooks:
    """The hook specifications."""

    @hookspec
    def depthmask_stages(self) -> Sequence[type[Stage]]:
        """Return stage classes; each becomes a choice in its config group."""
        raise AssertionError("a specification is never called")

    @hookspec
    def depthmask_config_paths(self) -> Sequence[str]:
        """Return search paths of YAML presets, such as `pkg://my_plugin.conf`."""
        raise AssertionError("a specification is never called")

    @hookspec
    def depthmask_run_started(self, root: Root, output: StorePath) -> None:
        """Called before a run makes its first shard."""

    @hookspec
    def depthmask_run_finished(self, root: Root, output: StorePath) -> None:
        """Called after a run has written `dataset.json`."""
