"""Loads the built-in stages and those of plugin packages into the registry.

A plugin has an entry point in the group `depthmask`, whose value is a module or a stage class. A
plugin that cannot be loaded is left out with the reason, and the others still load: pluggy's own
`load_setuptools_entrypoints` would stop at the first ImportError.
"""

from __future__ import annotations

import difflib
import functools
import importlib
import importlib.metadata
import inspect
import os
import re
import sys
import time
from collections.abc import Iterable
from types import ModuleType
from typing import Any

import pluggy

from depthmask.config.hooks import PROJECT, Hooks
from depthmask.config.registry import BUILT_IN, KINDS, Problem, Provider, Registry
from depthmask.errors import UsageError
from depthmask.stage import Stage

_BUILT_IN_STAGES = "depthmask.engine.built_in_stages"
"""Loaded by its name, like a plugin, since it lies in a higher layer."""
_ENTRY_POINTS = PROJECT
_BLOCK = "DEPTHMASK_BLOCK"
"""The environment variable that names entry points or packages to leave out."""


@functools.cache
def registry() -> Registry:
    """The registry of this process: the built-in stages, then plugins sorted by package."""
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(Hooks)
    stages = Registry(manager)
    built_in = importlib.import_module(_BUILT_IN_STAGES)
    manager.register(built_in, BUILT_IN)
    for stage in built_in.depthmask_stages():
        stages.add(stage, BUILT_IN, Provider(BUILT_IN))
    blocked = set(filter(None, os.environ.get(_BLOCK, "").split(",")))
    for entry in _entry_points():
        provider = _provider(entry)
        if entry.name in blocked or provider.name in blocked:
            reason = f"{_BLOCK}={os.environ[_BLOCK]} leaves it out"
            stages.blocked.append(Problem(entry.name, provider, reason))
            continue
        start = time.perf_counter()
        try:
            _load(stages, entry, provider)
        except (Exception, SystemExit) as error:  # a plugin that fails must not stop the others
            stages.leave_out(Problem(entry.name, provider, _reason(error)))
        stages.load_seconds[entry.name] = time.perf_counter() - start
    return stages


def _entry_points() -> list[importlib.metadata.EntryPoint]:
    entries = importlib.metadata.entry_points(group=_ENTRY_POINTS)
    return sorted(entries, key=lambda entry: (_provider(entry).name, entry.name))


def _provider(entry: importlib.metadata.EntryPoint) -> Provider:
    if entry.dist is None:
        return Provider("unknown distribution")
    return Provider(entry.dist.name, entry.dist.version)


def _load(registry: Registry, entry: importlib.metadata.EntryPoint, provider: Provider) -> None:
    plugin = entry.load()
    if inspect.isclass(plugin):
        stages = [_stage_class(plugin)]
    elif isinstance(plugin, ModuleType) and _hooks(plugin):
        _check_hooks(plugin)
        returned: Iterable[object] = getattr(plugin, "depthmask_stages", list)()
        stages = [_stage_class(stage) for stage in returned]
        registry.plugins.register(plugin, f"{provider.name}:{entry.name}")
    else:
        stages = [_stage_class(stage) for stage in _stages_of(plugin)]
        if not stages:
            raise UsageError(f"{entry.value} defines neither stage classes nor hooks")
    for stage in stages:
        registry.add(stage, entry.name, provider)


def _hooks(module: ModuleType) -> list[str]:
    return [name for name in vars(module) if name.startswith(f"{PROJECT}_")]


def _check_hooks(module: ModuleType) -> None:
    for name in _hooks(module):
        if not hasattr(Hooks, name):
            known = ", ".join(sorted(hook for hook in vars(Hooks) if hook.startswith(PROJECT)))
            raise UsageError(f"no such hook {name}; available: {known}")
        if not hasattr(getattr(module, name), f"{PROJECT}_impl"):
            raise UsageError(f"{name} lacks the decorator @depthmask.hookimpl")


def _stages_of(plugin: object) -> list[type[Stage]]:
    """The stage classes that a module defines, without those that it imports."""
    if not isinstance(plugin, ModuleType):
        return []
    values = vars(plugin).values()
    return [cls for cls in values if _is_stage(cls) and cls.__module__ == plugin.__name__]


def _is_stage(value: object) -> bool:
    return inspect.isclass(value) and issubclass(value, Stage) and "name" in vars(value)


def _stage_class(value: Any) -> type[Stage]:
    """Return the value if it is a usable stage class, or raise `UsageError`."""
    if not _is_stage(value):
        raise UsageError(f"{value!r} is not a stage; derive it from a stage class and add @stage")
    stage: type[Stage] = value
    if stage.__abstractmethods__:
        raise UsageError(f"stage {stage.name} lacks {', '.join(sorted(stage.__abstractmethods__))}")
    if getattr(stage, "kind", None) not in KINDS:
        raise UsageError(f"stage {stage.name} has no known kind; available: {', '.join(KINDS)}")
    return stage


def _reason(error: BaseException) -> str:
    """Why a plugin is left out, in one line."""
    if isinstance(error, UsageError):
        return str(error)
    missing = _missing_import(error)
    if missing is None:
        return _first_line(error)
    return f"{missing}; import names from depthmask itself, as in `from depthmask import stage`"


def _missing_import(error: BaseException) -> str | None:
    """What a plugin for an earlier version cannot find, as text; None for any other error."""
    if isinstance(error, ModuleNotFoundError):
        if (error.name or "").startswith(f"{PROJECT}."):
            return f"there is no module {error.name}"
    elif isinstance(error, ImportError):
        name = re.match(r"cannot import name '(\w+)'", str(error))
        if name and (error.name or "").partition(".")[0] == PROJECT:
            return f"{error.name} has no name {name[1]}{_did_you_mean(name[1])}"
    elif isinstance(error, AttributeError) and getattr(error.obj, "__name__", "") == PROJECT:
        return f"{PROJECT} has no name {error.name}{_did_you_mean(str(error.name))}"
    return None


def _did_you_mean(name: str) -> str:
    # The package is above this module in the layers, and is always loaded before it.
    public = sys.modules[PROJECT].__all__
    near = difflib.get_close_matches(name, public, n=1, cutoff=0.6)
    return f" (did you mean {near[0]}?)" if near else ""


def _first_line(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0] if text else ''}".rstrip(": ")
