"""Private names of Hydra: all exist, in the series of hydra-core that the code is written for."""

from __future__ import annotations

import importlib.metadata
import inspect
import pkgutil

import pytest

from depthmask.config.hydra_internals import BASIC_LAUNCHER, HYDRA_SERIES, planned_jobs


def test_installed_series() -> None:
    assert importlib.metadata.version("hydra-core").startswith(f"{HYDRA_SERIES}.")


@pytest.mark.parametrize(
    ("owner", "name", "parameters"),
    [
        (
            "hydra._internal.config_loader_impl.ConfigLoaderImpl",
            "load_sweep_config",
            ["self", "master_config", "sweep_overrides"],
        ),
        ("hydra.plugins.sweeper.Sweeper", "validate_batch_is_legal", ["self", "batch"]),
        (
            "hydra._internal.hydra.Hydra",
            "compose_config",
            ["self", "config_name", "overrides", "run_mode", "with_log_configuration"],
        ),
        ("hydra._internal.config_loader_impl.ConfigLoaderImpl", "load_configuration", ["self"]),
        ("hydra.core.plugins.Plugins", "_instantiate", ["self", "config"]),
        ("hydra.core.global_hydra.GlobalHydra", "clear", ["self"]),
        (BASIC_LAUNCHER, "launch", ["self", "job_overrides", "initial_job_idx"]),
    ],
)
def test_names_and_parameters(owner: str, name: str, parameters: list[str]) -> None:
    function = getattr(pkgutil.resolve_name(owner), name)
    assert list(inspect.signature(function).parameters)[: len(parameters)] == parameters


def test_patches_end_with_the_block() -> None:
    from hydra._internal.config_loader_impl import ConfigLoaderImpl
    from hydra.plugins.sweeper import Sweeper

    before = ConfigLoaderImpl.load_sweep_config, Sweeper.validate_batch_is_legal
    with planned_jobs():
        assert ConfigLoaderImpl.load_sweep_config is not before[0]
        assert Sweeper.validate_batch_is_legal is not before[1]
    assert (ConfigLoaderImpl.load_sweep_config, Sweeper.validate_batch_is_legal) == before
