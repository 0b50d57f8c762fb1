"""The registry of stages: each stage by config group and name, and the package that provides it.

`depthmask.config.plugins` fills it.
"""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass, field

import pluggy

from depthmask.config.local_stages import local_stages, source_file
from depthmask.errors import DepthmaskError, UsageError
from depthmask.networks.weight_file import sha256
from depthmask.stage import Stage
from depthmask.stages.depth.base import Estimator

BUILT_IN = "built-in"
KINDS = ("source", "geometry", "placement", "blend", "depth", "writer", "runner")
"""The config groups, in the order in which a sample passes them."""


@dataclass(frozen=True, slots=True)
class Provider:
    """What provides a stage: `built-in`, a distribution and its version, or a file and its hash."""

    name: str
    version: str = ""
    is_package: bool = True

    def __str__(self) -> str:
        return f"{self.name} {self.version}".strip()


@dataclass(frozen=True, slots=True)
class Registered:
    """A stage class and its provider."""

    stage: type[Stage]
    provider: Provider

    def __str__(self) -> str:
        return f"{self.stage.__module__}.{self.stage.__qualname__} ({self.provider})"


@dataclass(frozen=True, slots=True)
class Problem:
    """A plugin, or a stage of it, that is not in the registry, and the reason."""

    plugin: str
    provider: Provider
    reason: str

    def __str__(self) -> str:
        return f"plugin {self.plugin} ({self.provider}) is disabled: {self.reason}"


@dataclass
class Registry:
    """The stages that this process can use.

    Those are the stages of packages, and the stage classes of scripts, notebooks and other modules
    that are loaded. packages: the packages that register their stages. problems: the plugins that
    are left out. load_seconds: entry point -> seconds of its import.
    """

    plugins: pluggy.PluginManager
    packages: set[str] = field(default_factory=lambda: {"depthmask"})
    stages: dict[str, dict[str, Registered]] = field(
        default_factory=lambda: {kind: {} for kind in KINDS}
    )
    problems: list[Problem] = field(default_factory=list)
    load_seconds: dict[str, float] = field(default_factory=dict)

    def stage(self, kind: str, name: str) -> type[Stage]:
        """The class of `kind=name`; raises `UsageError` if there is none, or more than one."""
        registered = self.find(kind, name)
        if registered is None:
            names = [one.stage.name for one in self.offered(kind)]
            raise UsageError(no_such_name(kind, name, names))
        return registered.stage

    def find(self, kind: str, name: str) -> Registered | None:
        """The stage of `kind=name`, None if there is none; `UsageError` if there are several."""
        offered = [one for one in self.offered(kind) if one.stage.name == name]
        if len(offered) > 1:
            raise UsageError(
                f"{kind}={name} is the name of {offered[0]} and of {offered[1]}; give the class "
                "another name in @stage"
            )
        for one in offered:
            require_complete(one.stage)
        return offered[0] if offered else None

    def offered(self, kind: str) -> list[Registered]:
        """The stages of a config group, those without a package at the end."""
        local = (cls for cls in local_stages(self.packages) if kind in _groups(cls))
        return [
            *self.stages.get(kind, {}).values(),
            *(Registered(cls, _local_provider(cls)) for cls in local),
        ]

    def provider(self, stage: Stage) -> Provider:
        """The provider of a live stage."""
        for offered in self.offered(stage.kind):
            if offered.stage is type(stage):
                return offered.provider
        return Provider("unregistered", is_package=False)

    def config_paths(self) -> list[str]:
        """The search paths of the YAML presets of plugins."""
        return [path for paths in self.plugins.hook.depthmask_config_paths() for path in paths]

    def add(self, stage: type[Stage], plugin: str, provider: Provider) -> None:
        """Register a stage in its config groups; a name that is already taken becomes a problem."""
        for kind in _groups(stage):
            existing = self.stages[kind].get(stage.name)
            if existing is None:
                self.stages[kind][stage.name] = Registered(stage, provider)
            else:
                reason = (
                    f"{kind}={stage.name} is taken by {existing.provider}; give it another name"
                )
                self.leave_out(Problem(plugin, provider, reason))

    def leave_out(self, problem: Problem) -> None:
        """Add a problem; with `DEPTHMASK_STRICT_PLUGINS=1` raise it as `DepthmaskError`."""
        if os.environ.get("DEPTHMASK_STRICT_PLUGINS") == "1":
            raise DepthmaskError(str(problem))
        self.problems.append(problem)


def require_complete(stage: type[Stage]) -> None:
    """Raise `UsageError` if a stage class lacks a method that is abstract in its base class."""
    if stage.__abstractmethods__:
        raise UsageError(f"stage {stage.name} lacks {', '.join(sorted(stage.__abstractmethods__))}")


def no_such_name(kind: str, name: str, names: list[str]) -> str:
    """The error message for a name that does not exist, with the names that exist."""
    return f"{kind}={name}: no such {kind}{suggestion(name, sorted(names), f'{kind}=')}"


def suggestion(name: str, known: list[str], prefix: str = "") -> str:
    """The end of an error message: the most similar name, and all names."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    meant = f"; did you mean {prefix}{near[0]}? Available: " if near else "; available: "
    return meant + (", ".join(known) or "none")


def _local_provider(stage: type[Stage]) -> Provider:
    """The file of a stage without a package, with a hash: another content is another version."""
    file = source_file(stage)
    if file is None:
        return Provider(stage.__module__, is_package=False)
    return Provider(file.name, f"sha256:{sha256(file)[:16]}", is_package=False)


def _groups(stage: type[Stage]) -> tuple[str, ...]:
    """The config groups of a stage: an estimator is also a geometry."""
    kind = getattr(stage, "kind", "")
    return (kind, "geometry") if issubclass(stage, Estimator) else (kind,)
