"""Every use of private code of Hydra, for hydra-core 1.3.

`tests/config/test_hydra_internals.py` fails if another series of Hydra is installed, or if Hydra
lacks one of the names used here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from hydra import initialize_config_dir
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.global_hydra import GlobalHydra
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.plugin import Plugin
from hydra.plugins.sweeper import Sweeper
from hydra.types import RunMode
from omegaconf import DictConfig

from depthmask import forks
from depthmask.config import hydra_source
from depthmask.config.command_line import CommandLine
from depthmask.config.presets.code import refuse_in_config, refuse_in_plugin
from depthmask.config.presets.folders import config_folder, user_folder

HYDRA_SERIES = "1.3"
"""The supported series of hydra-core, which Hydra is given as `version_base`."""
_hydra = forks.Lock()
"""Hydra's state is that of the process, and several threads may compose configs."""
BASIC_LAUNCHER = "hydra._internal.core_plugins.basic_launcher.BasicLauncher"
"""`_target_` of the launcher that runs the jobs of a sweep one after the other."""


def compose_sweep(line: CommandLine) -> DictConfig:
    """The config that all jobs of a sweep share, with the swept settings at their defaults.

    The public `compose` refuses the values of a sweep, such as `placement=random,grid`.
    """
    return _composed(line, RunMode.MULTIRUN)


def compose_run(line: CommandLine) -> DictConfig:
    """The config of a run with Hydra's own settings, which the public `compose` leaves out."""
    return _composed(line, RunMode.RUN)


def _composed(line: CommandLine, mode: RunMode) -> DictConfig:
    with hydra_initialized(line):
        hydra = GlobalHydra.instance().hydra
        assert hydra is not None, "hydra_initialized has set it"
        return hydra.compose_config(
            config_name=line.config_name,
            overrides=list(line.overrides),
            run_mode=mode,
            with_log_configuration=False,
        )


def merge_order(line: CommandLine) -> list[tuple[str, str]]:
    """The path of each config that a command line chooses, and its place in the whole config.

    They are in the order in which Hydra merges them: the last that sets a value decides.
    """
    with hydra_initialized(line):
        chosen = (
            GlobalHydra.instance()
            .config_loader()
            .compute_defaults_list(line.config_name, list(line.overrides), RunMode.MULTIRUN)
        )
    return [(one.config_path, one.package or "") for one in chosen.defaults]


@contextmanager
def hydra_initialized(line: CommandLine) -> Iterator[None]:
    """Have Hydra ready to compose the configs of a command line inside the block."""
    hydra_source.register()
    with (
        _hydra,
        user_folder(line.folder),
        hydra_state_cleared(),
        initialize_config_dir(str(config_folder()), version_base=HYDRA_SERIES),
    ):
        yield


@contextmanager
def hydra_state_cleared() -> Iterator[None]:
    """Clear Hydra's global state inside the block, and restore it afterwards.

    So a program that runs under Hydra can compose a config: Hydra refuses a second initialisation.
    """
    instance = GlobalHydra.instance()
    before = instance.hydra
    instance.clear()
    try:
        yield
    finally:
        GlobalHydra.instance().hydra = before


@contextmanager
def job_errors_without_lines() -> Iterator[None]:
    """Inside the block Hydra raises the error of a job without a line of its own on stderr."""

    def value(self: JobReturn) -> Any:
        if self.status is JobStatus.FAILED:
            raise self._return_value
        return self._return_value

    setter = vars(JobReturn)["return_value"].fset
    with patch.object(JobReturn, "return_value", property(value, setter)):
        yield


@contextmanager
def no_code_of_configs(words: Sequence[str]) -> Iterator[None]:
    """Inside the block Hydra raises `CodeError` for a config, before it runs code named in it.

    words: those of the command line.
    """
    instantiate = Plugins._instantiate

    def checked(compose: Callable[..., DictConfig]) -> Callable[..., DictConfig]:
        def composed(self: ConfigLoaderImpl, *arguments: Any, **named: Any) -> DictConfig:
            config = compose(self, *arguments, **named)
            refuse_in_config(config, words)
            return config

        return composed

    def instantiated(self: Plugins, config: DictConfig) -> Plugin:
        refuse_in_plugin(config)
        return instantiate(self, config)

    run, job = ConfigLoaderImpl.load_configuration, ConfigLoaderImpl.load_sweep_config
    with (
        patch.object(ConfigLoaderImpl, "load_configuration", checked(run)),
        patch.object(ConfigLoaderImpl, "load_sweep_config", checked(job)),
        patch.object(Plugins, "_instantiate", instantiated),
    ):
        yield


@contextmanager
def planned_jobs() -> Iterator[list[list[str]]]:
    """Yield a list of the jobs' overrides; each batch is added once Hydra has validated it.

    Inside the block each job is composed once. Hydra would do so twice, to validate the job and to
    run it, at 0.08 s each. The config of the validation is used for the run, and only once, since
    jobs write into their configs. Launchers that compose in other processes, and sweepers that do
    not validate, are not affected.
    """
    jobs: list[list[str]] = []
    composed: defaultdict[tuple[str, ...], list[DictConfig]] = defaultdict(list)
    compose = ConfigLoaderImpl.load_sweep_config

    def validate(sweeper: Any, batch: Sequence[Sequence[str]]) -> None:
        composed.clear()
        loader = sweeper.hydra_context.config_loader
        for overrides in batch:
            # By its name, so that `no_code_of_configs` checks the config before other processes,
            # which a launcher may start, compose it.
            config = loader.load_sweep_config(sweeper.config, list(overrides))
            composed[tuple(overrides)].append(config)
        jobs.extend(list(overrides) for overrides in batch)

    def load(
        self: ConfigLoaderImpl, master_config: DictConfig, sweep_overrides: list[str]
    ) -> DictConfig:
        validated = composed[tuple(sweep_overrides)]
        return validated.pop() if validated else compose(self, master_config, sweep_overrides)

    with (
        patch.object(Sweeper, "validate_batch_is_legal", validate),
        patch.object(ConfigLoaderImpl, "load_sweep_config", load),
    ):
        yield jobs
