"""Offers the stages of the registry to Hydra as configs.

Each stage is offered as `placement/grid`, to be chosen, and as `schema/placement/grid`, so that a
YAML file can extend it: `defaults: [/schema/placement/grid@_here_, _self_]`. A stage of a group of
which several can be chosen has a place of its own in the config, such as `labels.coco`. Hydra's own
ConfigStore is slower: it is copied at each look-up, which takes 0.4 s with 60 stages.
"""

from __future__ import annotations

from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.object_type import ObjectType
from hydra.core.plugins import Plugins
from hydra.errors import MissingConfigException
from hydra.plugins.config_source import ConfigResult, ConfigSource
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import OmegaConf

from depthmask.config import plan_source
from depthmask.config.build import open_mappings
from depthmask.config.plan_source import PlanSource
from depthmask.config.plugins import registry
from depthmask.config.presets.folders import current_user_folder, folders_of
from depthmask.config.presets.source import SCHEME as YAML
from depthmask.config.presets.source import USER, YamlSource
from depthmask.config.registry import KINDS, LISTS, place_of
from depthmask.config.root import Root

SCHEME = "depthmask"
ROOT = "schema/root"


class StageSource(ConfigSource):
    """A config source of Hydra with all registered stages and the root schema."""

    @staticmethod
    def scheme() -> str:
        """The scheme of this source in the search path."""
        return SCHEME

    def available(self) -> bool:
        """Whether the source can be used: always."""
        return True

    def load_config(self, config_path: str) -> ConfigResult:
        """The structured config of a stage, or of the root."""
        schema = _schema(_path(config_path))
        if schema is None:
            raise MissingConfigException(f"no {config_path}", config_path)
        return ConfigResult(
            provider=self.provider,
            path=f"{SCHEME}://",
            config=open_mappings(OmegaConf.structured(schema)),
            header={"package": _package(_path(config_path))},
        )

    def is_group(self, config_path: str) -> bool:
        """Whether the path is a config group, alone or under `schema`."""
        return _path(config_path) in {"", "schema", *KINDS, *(f"schema/{kind}" for kind in KINDS)}

    def is_config(self, config_path: str) -> bool:
        """Whether the path is a stage or the root schema."""
        return _schema(_path(config_path)) is not None

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:
        """The groups and configs below a path, sorted."""
        path = _path(config_path)
        groups = {"": ["schema", *KINDS], "schema": list(KINDS)}.get(path, [])
        kind = path.removeprefix("schema/")
        configs = sorted(one.stage.name for one in registry().offered(kind))
        if path == "schema":
            configs = ["root"]
        if results_filter is ObjectType.GROUP:
            return sorted(groups)
        if results_filter is ObjectType.CONFIG:
            return configs
        return sorted({*groups, *configs})


class StageSearchPath(SearchPathPlugin):
    """Adds the stages, the config of a plan, and YAML folders to Hydra's search path."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Add the stages before `conf/`, so that no name hides another; the folders after it.

        The folder of the user stands before all of them: see `USER`.
        """
        search_path.prepend(provider=SCHEME, path=f"{SCHEME}://", anchor="main")
        if plan_source.is_offered():
            path = f"{plan_source.SCHEME}://"
            search_path.append(provider=plan_source.SCHEME, path=path)
        for one in registry().names.by_preference(registry().config_paths):
            folders = [f"{YAML}://{folder}" for folder in folders_of(one.path) if folder.is_dir()]
            # A path that is no folder, such as one in a zip file, is left to Hydra.
            for path in folders or [one.path]:
                search_path.append(provider="depthmask-plugin", path=path)
        if folder := current_user_folder():
            search_path.prepend(provider=USER, path=f"{YAML}://{folder}", anchor=SCHEME)


def register() -> None:
    """Register the classes with Hydra; call it before `hydra.main` or `initialize`."""
    for plugin in (StageSearchPath, StageSource, YamlSource, PlanSource):
        Plugins.instance().register(plugin)


def _path(config_path: str) -> str:
    return config_path.strip("/").removesuffix(".yaml")


def _package(path: str) -> str | None:
    """The place of a stage in the config; None for that of its group."""
    kind, _, name = path.partition("/")
    return place_of(kind, name) if kind in LISTS else None


def _schema(path: str) -> type | None:
    if path == ROOT:
        return Root
    kind, _, name = path.removeprefix("schema/").rpartition("/")
    if kind not in KINDS:
        registry().require_decided(kind, name)  # It may be a preset.
        return None
    registered = registry().find(kind, name)
    return registered.stage if registered else None
