"""The jobs that a sweeper announces, and their configs, which are composed once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.plugins.sweeper import Sweeper
from omegaconf import DictConfig


@contextmanager
def announced() -> Iterator[list[list[str]]]:
    """Yield a list that grows with the overrides of each batch, once all of it can be composed.

    Hydra composes every job twice, to look whether it can be, and to run it: 0.08 s each time, as
    long as the room of a small job takes. What the first gave is kept for the second; it is given
    away only once, since jobs write into their configs. Launchers that compose elsewhere, and
    sweepers that do not look, work as ever.
    """
    jobs: list[list[str]] = []
    kept: defaultdict[tuple[str, ...], list[DictConfig]] = defaultdict(list)
    compose = ConfigLoaderImpl.load_sweep_config

    def look(sweeper: Any, batch: Sequence[Sequence[str]]) -> None:
        kept.clear()
        loader = sweeper.hydra_context.config_loader
        for overrides in batch:
            kept[tuple(overrides)].append(compose(loader, sweeper.config, list(overrides)))
        jobs.extend(list(overrides) for overrides in batch)

    def load(
        self: ConfigLoaderImpl, master_config: DictConfig, sweep_overrides: list[str]
    ) -> DictConfig:
        ready = kept[tuple(sweep_overrides)]
        return ready.pop() if ready else compose(self, master_config, sweep_overrides)

    with (
        patch.object(Sweeper, "validate_batch_is_legal", look),
        patch.object(ConfigLoaderImpl, "load_sweep_config", load),
    ):
        yield jobs
