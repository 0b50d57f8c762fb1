"""Offers the config of an existing dataset to Hydra, as what a command line starts from.

Each stage stands in its group, so that a word such as `placement=grid` or a preset replaces it with
all its settings.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from hydra.core.object_type import ObjectType
from hydra.errors import MissingConfigException
from hydra.plugins.config_source import ConfigResult, ConfigSource
from omegaconf import DictConfig, OmegaConf

from depthmask.config.build import DEFAULT_STAGES, STAGE, open_mappings, stage_config
from depthmask.config.command_line import CONFIG
from depthmask.config.literal import literal
from depthmask.config.presets.folders import config_folder
from depthmask.config.registry import KINDS, LISTS, place_of

SCHEME = "plan"
PLAN = "_plan_"
"""The name of the config to start from, and of each stage in its group; no stage has it."""
_PLAIN: ContextVar[dict[str, Any] | None] = ContextVar("_PLAIN", default=None)


@contextmanager
def plan_offered(plain: dict[str, Any]) -> Iterator[None]:
    """Let a command line start from a config inside the block, by `--config-name _plan_`.

    plain: a result of `to_plain` that `from_plain` accepts.
    """
    stages = {kind: {STAGE: name} for kind, name in DEFAULT_STAGES.items()}
    token = _PLAIN.set({**stages, **plain})
    try:
        yield
    finally:
        _PLAIN.reset(token)


def is_offered() -> bool:
    """Whether the code runs inside a block of `plan_offered`."""
    return _PLAIN.get() is not None


class PlanSource(ConfigSource):
    """A config source of Hydra with the config that `plan_offered` was given."""

    def __init__(self, provider: str, path: str) -> None:
        super().__init__(provider=provider, path=path)
        self._configs = _configs(_PLAIN.get() or {})

    @staticmethod
    def scheme() -> str:
        """The scheme of this source in the search path."""
        return SCHEME

    def available(self) -> bool:
        """Whether the source can be used: always."""
        return True

    def load_config(self, config_path: str) -> ConfigResult:
        """The config of a stage as the dataset has it, or the one to start from."""
        path = config_path.removesuffix(".yaml")
        if path not in self._configs:
            raise MissingConfigException(f"no {config_path}", config_path)
        package, config = self._configs[path]
        return ConfigResult(
            provider=self.provider,
            path=f"{SCHEME}://",
            config=config.copy(),
            header={"package": package},
        )

    def is_group(self, config_path: str) -> bool:
        """Whether a config stands in the group."""
        return any(path.startswith(f"{config_path.strip('/')}/") for path in self._configs)

    def is_config(self, config_path: str) -> bool:
        """Whether the path is that of a config."""
        return config_path.removesuffix(".yaml") in self._configs

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:
        """Nothing: error messages list what a user can choose."""
        return []


def _configs(plain: dict[str, Any]) -> dict[str, tuple[str | None, DictConfig]]:
    """Path -> the place of a config, None for that of its group, and its content."""
    if not plain:
        return {}
    start = OmegaConf.load(config_folder() / f"{CONFIG}.yaml")
    assert isinstance(start, DictConfig)
    for entry in start.defaults:
        # Not by `override`: a preset of the user could not override that.
        if not isinstance(entry, str):
            entry.update({kind: _choice(kind, plain) for kind in entry if kind in KINDS})
    start.update({name: literal(value) for name, value in plain.items() if name not in KINDS})
    return {PLAN: (None, start), **dict(_stages(plain))}


def _choice(kind: str, plain: dict[str, Any]) -> str | list[str]:
    return [f"{PLAN}{name}" for name in plain.get(kind, {})] if kind in LISTS else PLAN


def _stages(plain: dict[str, Any]) -> Iterator[tuple[str, tuple[str | None, DictConfig]]]:
    """Yield the path of each stage, and its place and config."""
    for kind in KINDS:
        if kind not in LISTS:
            yield f"{kind}/{PLAN}", (None, open_mappings(stage_config(kind, plain[kind])))
            continue
        for name, one in plain.get(kind, {}).items():
            config = open_mappings(stage_config(kind, one))
            yield f"{kind}/{PLAN}{name}", (place_of(kind, name), config)
