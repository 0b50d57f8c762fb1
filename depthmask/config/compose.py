"""One live config from overrides, for the verbs that need stages but make no dataset."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra

from depthmask.config import hydra_source
from depthmask.config.build import from_config
from depthmask.config.explain import explain
from depthmask.config.location import config_folder
from depthmask.config.root import Root


def compose_root(overrides: Sequence[str]) -> Root:
    """The root that a run with these overrides would have; UsageError for a bad one."""
    hydra_source.register()
    try:
        with _put_aside(), initialize_config_dir(str(config_folder()), version_base="1.3"):
            config = compose("config", list(overrides))
    except Exception as error:
        raise explain(error, overrides) from error
    return from_config(config)


@contextmanager
def _put_aside() -> Iterator[None]:
    """The Hydra of a program that is itself run by it, which would refuse a second one."""
    instance = GlobalHydra.instance()
    before = instance.hydra
    instance.clear()
    try:
        yield
    finally:
        GlobalHydra.instance().hydra = before
