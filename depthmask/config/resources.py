"""Has the stages of a run check what they need of this machine, before anything is written."""

from __future__ import annotations

from collections.abc import Iterable

from depthmask.config.plugins import registry
from depthmask.config.registry import place_of
from depthmask.config.versions import inner_stages_of
from depthmask.errors import DepthmaskError, SettingError, UsageError, in_one_line
from depthmask.stage import Stage


def check_resources(chosen: Iterable[tuple[str, Stage]]) -> None:
    """Raise `UsageError` for the first stage that cannot run on this machine; the line names it.

    chosen: the stages that are about to run, with their config groups; their inner stages are
    checked as well.
    """
    for kind, stage in chosen:
        check_stage(kind, stage)
        check_inner_stages(kind, stage)


def check_stage(kind: str, stage: Stage) -> None:
    """Raise `UsageError` if the stage itself cannot run on this machine."""
    _check(place_of(kind, stage.name), f"{kind}={stage.name}", stage)


def check_inner_stages(kind: str, stage: Stage) -> None:
    """Raise `UsageError` if a stage that this one uses cannot run on this machine."""
    for inner in inner_stages_of(stage):
        # The settings of an inner stage have no name on the command line.
        _check("", f"{kind}={stage.name}: {inner.kind}={inner.name}", inner)


def _check(place: str, choice: str, stage: Stage) -> None:
    """Check one stage. place: where its settings are in the config, "" if they are not there."""
    provider = registry().provider(stage)
    named = f"{choice} ({provider})" if provider.version else choice
    try:
        stage.check_resources()
    except SettingError as error:
        if place:
            raise SettingError(f"{place}.{error.name}", error.value, error.expected) from error
        raise UsageError(f"{named}: {error}") from error
    except DepthmaskError as error:
        raise UsageError(f"{named}: {error}") from error
    except (Exception, SystemExit) as error:
        raise UsageError(f"{named}: {in_one_line(error)}") from error
