"""The registry: every stage by group and name, from the built-ins and from plugin packages.

A plugin announces itself by an entry point in the group `depthmask`; its value is a module or a
stage class. A broken one is left out, named with its reason, and disturbs nobody: pluggy's own
`load_setuptools_entrypoints` would stop at the first ImportError.
"""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import inspect
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import pluggy

from depthmask.config.hooks import PROJECT, Hooks
from depthmask.errors import DepthmaskError, UsageError
from depthmask.stage import Stage

ENTRY_POINTS = "depthmask"
BUILT_IN = "built-in"
BUILT_IN_STAGES = "depthmask.engine.builtin"
"""Loaded by its name, as the entry point of any plugin is."""
KINDS = ("source", "geometry", "placement", "blend", "depth", "writer", "runner")
"""The config groups, in the order of the data's way."""


@dataclass(frozen=True, slots=True)
class Provider:
    """Who brings a stage: `built-in`, or a distribution and its version."""

    name: str
    version: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.version}".strip()


@dataclass(frozen=True, slots=True)
class Registered:
    """A stage class and who brings it."""

    stage: type[Stage]
    provider: Provider


@dataclass(frozen=True, slots=True)
class Problem:
    """A plugin, or a stage of one, that was left out."""

    plugin: str
    provider: Provider
    reason: str

    def __str__(self) -> str:
        return f"plugin {self.plugin} ({self.provider}) disabled: {self.reason}"


@dataclass
class Registry:
    """What can be chosen."""

    plugins: pluggy.PluginManager
    stages: dict[str, dict[str, Registered]] = field(
        default_factory=lambda: {kind: {} for kind in KINDS}
    )
    problems: list[Problem] = field(default_factory=list)
    load_seconds: dict[str, float] = field(default_factory=dict)

    def stage(self, kind: str, name: str) -> type[Stage]:
        """The class behind `kind=name`; UsageError if there is none."""
        try:
            return self.stages[kind][name].stage
        except KeyError:
            raise UsageError(unknown(kind, name, list(self.stages[kind]))) from None

    def provider(self, stage: Stage) -> Provider:
        """Who brings a live stage."""
        for registered in self.stages[stage.kind].values():
            if registered.stage is type(stage):
                return registered.provider
        return Provider("unregistered")

    def config_paths(self) -> list[str]:
        """Where plugins keep their YAML presets."""
        return [path for paths in self.plugins.hook.depthmask_config_paths() for path in paths]

    def _add(self, stage: type[Stage], plugin: str, provider: Provider) -> None:
        for kind in _groups(stage):
            taken = self.stages[kind].get(stage.name)
            if taken is None:
                self.stages[kind][stage.name] = Registered(stage, provider)
            else:
                reason = f"{kind}={stage.name} is taken by {taken.provider}; give it another name"
                self._left_out(Problem(plugin, provider, reason))

    def _left_out(self, problem: Problem) -> None:
        if os.environ.get("DEPTHMASK_STRICT_PLUGINS") == "1":
            raise DepthmaskError(str(problem))
        self.problems.append(problem)


def unknown(kind: str, name: str, names: list[str]) -> str:
    """One line: what was not found, what may have been meant, what there is."""
    return f"{kind}={name}: no such {kind}{suggestion(name, sorted(names), f'{kind}=')}"


def suggestion(name: str, known: list[str], prefix: str = "") -> str:
    """The end of such a line."""
    import difflib

    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    meant = f"; did you mean {prefix}{near[0]}? There are: " if near else "; there are: "
    return meant + (", ".join(known) or "none")


@functools.cache
def registry() -> Registry:
    """The registry of this process; built-ins first, then plugins by distribution name."""
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(Hooks)
    found = Registry(manager)
    built_in = importlib.import_module(BUILT_IN_STAGES)
    manager.register(built_in, BUILT_IN)
    for stage in built_in.depthmask_stages():
        found._add(stage, BUILT_IN, Provider(BUILT_IN))
    blocked = set(filter(None, os.environ.get("DEPTHMASK_BLOCK", "").split(",")))
    for entry in _entry_points():
        provider = _provider(entry)
        if entry.name in blocked or provider.name in blocked:
            continue
        start = time.perf_counter()
        try:
            _load(found, entry, provider)
        except (Exception, SystemExit) as error:  # whatever a plugin does must not stop the others
            reason = str(error) if isinstance(error, UsageError) else _first_line(error)
            found._left_out(Problem(entry.name, provider, reason))
        found.load_seconds[entry.name] = time.perf_counter() - start
    return found


def _entry_points() -> list[importlib.metadata.EntryPoint]:
    entries = importlib.metadata.entry_points(group=ENTRY_POINTS)
    return sorted(entries, key=lambda entry: (_provider(entry).name, entry.name))


def _provider(entry: importlib.metadata.EntryPoint) -> Provider:
    if entry.dist is None:
        return Provider("unknown distribution")
    return Provider(entry.dist.name, entry.dist.version)


def _load(found: Registry, entry: importlib.metadata.EntryPoint, provider: Provider) -> None:
    plugin = entry.load()
    if inspect.isclass(plugin):
        stages = [_checked(plugin)]
    elif isinstance(plugin, ModuleType) and _hooks(plugin):
        _check_hooks(plugin)
        offered: Iterable[object] = getattr(plugin, "depthmask_stages", list)()
        stages = [_checked(stage) for stage in offered]
        found.plugins.register(plugin, f"{provider.name}:{entry.name}")
    else:
        stages = [_checked(stage) for stage in _stages_of(plugin)]
        if not stages:
            raise UsageError(f"{entry.value} has neither stage classes nor hooks")
    for stage in stages:
        found._add(stage, entry.name, provider)


def _hooks(module: ModuleType) -> list[str]:
    return [name for name in vars(module) if name.startswith(f"{PROJECT}_")]


def _check_hooks(module: ModuleType) -> None:
    for name in _hooks(module):
        if not hasattr(Hooks, name):
            known = ", ".join(sorted(hook for hook in vars(Hooks) if hook.startswith(PROJECT)))
            raise UsageError(f"there is no hook {name}; there are: {known}")
        if not hasattr(getattr(module, name), f"{PROJECT}_impl"):
            raise UsageError(f"{name} lacks the decorator @depthmask.hookimpl")


def _stages_of(plugin: object) -> list[type[Stage]]:
    """The stage classes that a module defines (not those that it imports)."""
    if not isinstance(plugin, ModuleType):
        return []
    values = vars(plugin).values()
    return [one for one in values if _is_stage(one) and one.__module__ == plugin.__name__]


def _is_stage(value: object) -> bool:
    return inspect.isclass(value) and issubclass(value, Stage) and "name" in vars(value)


def _checked(stage: Any) -> type[Stage]:
    if not _is_stage(stage):
        raise UsageError(f"{stage!r} is not a stage: derive from a stage class and add @stage")
    found: type[Stage] = stage
    if found.__abstractmethods__:
        raise UsageError(f"stage {found.name} lacks {', '.join(sorted(found.__abstractmethods__))}")
    if getattr(found, "kind", None) not in KINDS:
        raise UsageError(f"stage {found.name} is of no known kind; there are: {', '.join(KINDS)}")
    return found


def _groups(stage: type[Stage]) -> tuple[str, ...]:
    """The config groups that offer a stage: every estimator serves as geometry, too."""
    from depthmask.stages.depth.base import Estimator

    return (stage.kind, "geometry") if issubclass(stage, Estimator) else (stage.kind,)


def _first_line(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0] if text else ''}".rstrip(": ")
