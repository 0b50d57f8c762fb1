"""The hooks that a plugin may implement, each marked with `@depthmask.hookimpl`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pluggy

from depthmask.config.command import Command
from depthmask.statistics.added import Statistic
from depthmask.storage.path import StorePath
from depthmask.storage.record import Record

if TYPE_CHECKING:
    from depthmask.config.root import Root
    from depthmask.stage import Stage

PROJECT = "depthmask"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
"""Marks a function of a plugin as the hook of its name: `@depthmask.hookimpl`."""


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
    def depthmask_commands(self) -> Sequence[Command]:
        """Return commands; each is called by `python -m depthmask NAME`."""
        raise AssertionError("a specification is never called")

    @hookspec
    def depthmask_statistics(self) -> Sequence[Statistic]:
        """Return statistics; each is measured in every sample that a run makes."""
        raise AssertionError("a specification is never called")

    @hookspec
    def depthmask_run_started(self, root: Root, output: StorePath) -> None:
        """Called before a run makes its first shard; an error ends the run."""

    @hookspec
    def depthmask_shard_published(self, root: Root, output: StorePath, record: Record) -> None:
        """Called once for each shard that the run has published, after its record is written."""

    @hookspec
    def depthmask_run_failed(self, root: Root, output: StorePath, error: BaseException) -> None:
        """Called when a run that has started ends without `dataset.json`."""

    @hookspec
    def depthmask_run_finished(self, root: Root, output: StorePath) -> None:
        """Called after a run has written `dataset.json`, until it succeeds once."""
