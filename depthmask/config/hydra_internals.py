"""All that uses or replaces private code of Hydra, written for hydra-core 1.3.

`tests/config/test_hydra_internals.py` fails where the installed Hydra is of another series or lacks
one of the names used here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from hydra import initialize_config_dir
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.utils import get_args_parser
from hydra.core.global_hydra import GlobalHydra
from hydra.plugins.sweeper import Sweeper
from hydra.types import RunMode
from omegaconf import DictConfig

from depthmask.config.yaml_folders import config_folder

HYDRA_SERIES = "1.3"
"""The series of hydra-core, also given to Hydra as `version_base`."""
BASIC_LAUNCHER = "hydra._internal.core_plugins.basic_launcher.BasicLauncher"
"""`_target_` of the launcher that runs the jobs of a sweep one after the other."""


def compose_sweep(words: Sequence[str]) -> DictConfig:
    """The config that all jobs of a sweep share, with the swept settings at their defaults.

    words: a command line that Hydra's parser accepts. The public `compose` would refuse the values
    of a sweep, as `placement=random,grid`.
    """
    options = get_args_parser().parse_args(words)
    more = [f"hydra.searchpath=[file://{options.config_dir}]"] if options.config_dir else []
    with initialize_config_dir(str(config_folder()), version_base=HYDRA_SERIES):
        hydra = GlobalHydra.instance().hydra
        assert hydra is not None, "initialize_config_dir has set it"
        return hydra.compose_config(
            config_name=options.config_name or "config",
            overrides=[*options.overrides, *more],
            run_mode=RunMode.MULTIRUN,
            with_log_configuration=False,
        )


@contextmanager
def hydra_state_set_aside() -> Iterator[None]:
    """Put Hydra's global state aside, so that a program that Hydra runs can compose a config.

    Hydra would refuse to be initialised a second time.
    """
    instance = GlobalHydra.instance()
    before = instance.hydra
    instance.clear()
    try:
        yield
    finally:
        GlobalHydra.instance().hydra = before


@contextmanager
def planned_jobs() -> Iterator[list[list[str]]]:
    """Yield a list that grows by the overrides of each batch of jobs, once all of it composes.

    Hydra composes every job twice, once to validate it and once to run it: 0.08 s each time, as
    long as a small job needs to render its room. This keeps the config of the validation for the
    run, and hands it out only once, since jobs write into their configs. Launchers that compose
    elsewhere, and sweepers that do not validate, are not affected.
    """
    jobs: list[list[str]] = []
    composed: defaultdict[tuple[str, ...], list[DictConfig]] = defaultdict(list)
    compose = ConfigLoaderImpl.load_sweep_config

    def validate(sweeper: Any, batch: Sequence[Sequence[str]]) -> None:
        composed.clear()
        loader = sweeper.hydra_context.config_loader
        for overrides in batch:
            composed[tuple(overrides)].append(compose(loader, sweeper.config, list(overrides)))
        jobs.extend(list(overrides) for overrides in batch)

    def load(
        self: ConfigLoaderImpl, master_config: DictConfig, sweep_overrides: list[str]
    ) -> DictConfig:
        ready = composed[tuple(sweep_overrides)]
        return ready.pop() if ready else compose(self, master_config, sweep_overrides)

    with (
        patch.object(Sweeper, "validate_batch_is_legal", validate),
        patch.object(ConfigLoaderImpl, "load_sweep_config", load),
    ):
        yield jobs
