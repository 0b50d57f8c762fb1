"""The registry of stages: each stage by config group and name, and the package that provides it.

`depthmask.config.plugins` fills it.
"""

from __future__ import annotations

import difflib
import os
import re
from dataclasses import dataclass, field

import pluggy

from depthmask.errors import DepthmaskError, UsageError
from depthmask.stage import Stage
from depthmask.stages.depth.base import Estimator

BUILT_IN = "built-in"
KINDS = ("source", "geometry", "placement", "blend", "depth", "writer", "runner")
"""The config groups, in the order in which a sample passes them."""


@dataclass(frozen=True, slots=True)
class Provider:
    """The package that provides a stage: `built-in`, or a distribution and its version."""

    name: str
    version: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.version}".strip()


@dataclass(frozen=True, slots=True)
class Registered:
    """A stage class and its provider."""

    stage: type[Stage]
    provider: Provider


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

    problems: the plugins that are left out. blocked: those that the user left out. load_seconds:
    entry point -> seconds of its import.
    """

    plugins: pluggy.PluginManager
    stages: dict[str, dict[str, Registered]] = field(
        default_factory=lambda: {kind: {} for kind in KINDS}
    )
    problems: list[Problem] = field(default_factory=list)
    blocked: list[Problem] = field(default_factory=list)
    load_seconds: dict[str, float] = field(default_factory=dict)

    def stage(self, kind: str, name: str) -> type[Stage]:
        """The class of `kind=name`; raises `UsageError` if there is none."""
        try:
            return self.stages[kind][name].stage
        except KeyError:
            raise UsageError(self.no_such_stage(kind, name, list(self.stages[kind]))) from None

    def no_such_stage(self, kind: str, name: str, names: list[str]) -> str:
        """The error message for a stage that does not exist; its plugin may be left out.

        names: those that exist.
        """
        for problem in (*self.problems, *self.blocked):
            if name in (problem.plugin, *_short_names(problem.provider.name)):
                return f"{kind}={name}: no such {kind}; {problem}"
        return no_such_name(kind, name, names)

    def provider(self, stage: Stage) -> Provider:
        """The provider of a live stage."""
        for registered in self.stages[stage.kind].values():
            if registered.stage is type(stage):
                return registered.provider
        return Provider("unregistered")

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


def no_such_name(kind: str, name: str, names: list[str]) -> str:
    """The error message for a name that does not exist, with the names that exist."""
    return f"{kind}={name}: no such {kind}{suggestion(name, sorted(names), f'{kind}=')}"


def suggestion(name: str, known: list[str], prefix: str = "") -> str:
    """The end of an error message: the most similar name, and all names."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    meant = f"; did you mean {prefix}{near[0]}? Available: " if near else "; available: "
    return meant + (", ".join(known) or "none")


def _short_names(package: str) -> tuple[str, str]:
    """A package's name as that of a stage: `depthmask-my-thing` is likely to have `my_thing`."""
    name = re.sub(r"[-_.]+", "_", package).lower()
    return name, name.removeprefix("depthmask_")


def _groups(stage: type[Stage]) -> tuple[str, ...]:
    """The config groups of a stage: an estimator is also a geometry."""
    return (stage.kind, "geometry") if issubclass(stage, Estimator) else (stage.kind,)
