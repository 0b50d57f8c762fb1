"""Calls the hooks of a run, and remembers in its folder which of them have not succeeded yet."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from depthmask.config.plugins import registry
from depthmask.config.registry import HookOfPlugin
from depthmask.engine.job import Job
from depthmask.errors import DepthmaskError, in_one_line
from depthmask.storage.path import PENDING_HOOKS
from depthmask.storage.publish import read_sealed, write_sealed
from depthmask.storage.record import Record
from depthmask.untrusted import untrusted

_STARTED, _FAILED = "depthmask_run_started", "depthmask_run_failed"
_PUBLISHED, _FINISHED = "depthmask_shard_published", "depthmask_run_finished"
_log = logging.getLogger(__name__)


class RunHooks:
    """Calls the hooks of plugins for one run, those of each plugin alone.

    A hook that fails is named with its package, its traceback is logged, and those of other plugins
    are still called. Make it while the lock of the dataset is held.
    """

    def __init__(self, job: Job) -> None:
        self._arguments = {"root": job.root, "output": job.output}
        self._log_file = job.output / "run.log"
        self._file = job.output / PENDING_HOOKS
        self._pending = self._read_pending()
        self._shard_hooks = registry().hooks(_PUBLISHED)
        self._finish_hooks = registry().hooks(_FINISHED)
        self._shard_failures: dict[str, str] = {}
        """Plugin -> its first failure, in one line."""

    @contextmanager
    def around(self) -> Iterator[None]:
        """Call `depthmask_run_started` before the block, and `depthmask_run_failed` if it fails.

        Raises `DepthmaskError` instead of entering the block if a hook fails.
        """
        try:
            for hook in registry().hooks(_STARTED):
                if failure := self._failure(_STARTED, hook):
                    raise DepthmaskError(f"{failure}; see {self._log_file}")
            yield
        except BaseException as error:
            for hook in registry().hooks(_FAILED):
                if failure := self._failure(_FAILED, hook, error=error):
                    _log.warning("%s", failure)
            raise

    def shard_published(self, record: Record) -> None:
        """Call `depthmask_shard_published`; the first failure of a plugin is shown at once."""
        for hook in self._shard_hooks:
            failure = self._failure(_PUBLISHED, hook, record=record)
            if failure and hook.plugin not in self._shard_failures:
                self._shard_failures[hook.plugin] = failure
                _log.warning("%s", failure)

    def expect_finished(self) -> None:
        """Note durably that `depthmask_run_finished` is to be called, before `dataset.json`.

        So a run that is killed before the call leaves it to the next one.
        """
        if self._finish_hooks:
            self._pending |= {hook.plugin for hook in self._finish_hooks}
            self._write_pending()

    def finished(self) -> None:
        """Call `depthmask_run_finished` where that is still to be done.

        Raises `DepthmaskError` if a hook has failed in this run, although the dataset is complete.
        """
        failures = []
        for hook in self._finish_hooks:
            if hook.plugin not in self._pending:
                continue
            if failure := self._failure(_FINISHED, hook):
                failures.append(f"{failure}; the same command calls it again")
            else:
                self._pending.remove(hook.plugin)
                self._write_pending()
        for plugin in sorted(self._pending - {hook.plugin for hook in self._finish_hooks}):
            _log.warning(
                "%s of %s is still to be called, but the plugin is not loaded; install it and run "
                "the same command again", _FINISHED, plugin,
            )  # fmt: skip
        if failures := [*self._shard_failures.values(), *failures]:
            raise DepthmaskError(
                f"{'; '.join(failures)}; the dataset is complete, {self._log_file} has tracebacks"
            )

    def _failure(self, name: str, hook: HookOfPlugin, **more: object) -> str | None:
        """Call a hook; returns its failure in one line, None if it succeeds."""
        try:
            hook.call(**self._arguments, **more)
        except (Exception, SystemExit) as error:
            reason = str(error) if isinstance(error, DepthmaskError) else in_one_line(error)
            failure = f"{name} of {hook.provider} failed: {reason}"
            _log.info("%s", failure, exc_info=True)
            return failure
        return None

    def _read_pending(self) -> set[str]:
        data = read_sealed(self._file) or {"pending": []}
        with untrusted(str(self._file)):
            return {plugin for plugin in data["pending"] if plugin.isprintable()}

    def _write_pending(self) -> None:
        if self._pending:
            write_sealed(self._file, {"pending": sorted(self._pending)})
        else:
            self._file.unlink(missing_ok=True)
