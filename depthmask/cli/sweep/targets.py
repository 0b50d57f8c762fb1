"""The numbers that a sweep optimises, and whether Optuna makes them small or large."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Sequence

from omegaconf import DictConfig, ListConfig

from depthmask.config.plugins import registry
from depthmask.errors import UsageError
from depthmask.reports.sweep.best import MAXIMIZE, MINIMIZE
from depthmask.reports.sweep.result import require_possible

OPTUNA = "optuna"


def targets_of(config: DictConfig) -> tuple[str, ...]:
    """The numbers that the sweep optimises; `Root` checks them for each job."""
    targets = config.target if isinstance(config.target, Sequence | ListConfig) else []
    return (targets,) if isinstance(targets, str) else tuple(map(str, targets))


def directions_of(config: DictConfig) -> dict[str, str]:
    """Target -> `minimize` or `maximize`, if Optuna searches; `UsageError` if they do not fit."""
    if config.hydra.runtime.choices["hydra/sweeper"] != OPTUNA:
        return {}
    _silence_optuna()
    targets, chosen = targets_of(config), config.hydra.sweeper.direction
    if not targets:
        raise UsageError(
            "hydra/sweeper=optuna needs a number in dataset.json to optimise; give target=NAME, "
            "such as target=statistics.mask.mean"
        )
    for target in targets:
        require_possible(target, registry().statistics)
    several = isinstance(chosen, ListConfig)
    directions = [getattr(one, "name", str(one)) for one in (chosen if several else [chosen])]
    if len(directions) != len(targets):
        raise UsageError(
            f"target names {len(targets)} numbers, and hydra.sweeper.direction has "
            f"{len(directions)}; give one for each, as in target=[{','.join(targets)}] "
            f"hydra.sweeper.direction=[{','.join([MINIMIZE] * len(targets))}]"
        )
    for direction in directions:
        if direction not in (MINIMIZE, MAXIMIZE):
            raise UsageError(
                f"hydra.sweeper.direction={direction}: must be {MINIMIZE} or {MAXIMIZE}"
            )
    return dict(zip(targets, directions, strict=True))


def _silence_optuna() -> None:
    """Silence the lines of Optuna and its sweeper, which the lines of the jobs and the table have.

    Optuna sets the level of its logger when it is imported, which Hydra would do later.
    """
    importlib.import_module("optuna").logging.set_verbosity(logging.CRITICAL)
    logging.getLogger("hydra_plugins.hydra_optuna_sweeper").setLevel(logging.CRITICAL)
