"""Has the worker processes of the joblib launcher end with the sweep that started them."""

from __future__ import annotations

from typing import Any

from omegaconf import DictConfig

from depthmask.engine.runner.orphans import end_with_parent

_JOBLIB = "hydra_plugins.hydra_joblib_launcher.joblib_launcher.JoblibLauncher"
"""`_target_` of the launcher that runs several jobs at a time on this machine."""


def end_workers_with_sweep(config: DictConfig) -> None:
    """Have the workers of the config's launcher end when this process is killed.

    Those of joblib would go on, and wait for half an hour afterwards.
    """
    if config.hydra.launcher._target_ == _JOBLIB:
        _end_those_of_joblib()


def _end_those_of_joblib() -> None:
    # Imported here, since only this launcher needs it.
    from joblib.parallel import LokyBackend, register_parallel_backend

    class EndingWithParent(LokyBackend):
        """joblib's own processes; only a backend can have them begin with a function."""

        def configure(self, *args: Any, **settings: Any) -> Any:
            return super().configure(*args, **{**settings, "initializer": end_with_parent})

    register_parallel_backend("loky", EndingWithParent)
