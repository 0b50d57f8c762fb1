"""Loads the built-in stages and what plugin packages add into the registry.

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
from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import Any, TypeVar

import pluggy

from depthmask.config.command import Command
from depthmask.config.hooks import PROJECT, Hooks
from depthmask.config.registry import (
    BUILT_IN,
    KINDS,
    LISTS,
    Problem,
    Provider,
    Registry,
    require_complete,
)
from depthmask.errors import UsageError
from depthmask.stage import Stage
from depthmask.statistics.added import Statistic

T = TypeVar("T")
_BUILT_IN_STAGES = "depthmask.engine.built_in_stages"
"""Loaded by its name, like a plugin, since it lies in a higher layer."""
_BUILT_IN_COMMANDS = "depthmask.cli.commands"
_ENTRY_POINTS = PROJECT
_BLOCK = "DEPTHMASK_BLOCK"
"""The environment variable that names entry points or packages to leave out."""


@functools.cache
def registry() -> Registry:
    """The registry of this process: the built-in stages, then plugins sorted by package."""
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(Hooks)
    stages = Registry(manager, importlib.import_module(_BUILT_IN_COMMANDS).COMMANDS)
    built_in = importlib.import_module(_BUILT_IN_STAGES)
    manager.register(built_in, BUILT_IN)
    for stage in built_in.depthmask_stages():
        stages.add(stage, BUILT_IN, Provider(BUILT_IN))
    blocked = set(filter(None, os.environ.get(_BLOCK, "").split(",")))
    for entry in _entry_points():
        provider = _provider(entry)
        stages.packages.add(entry.module.rpartition(".")[0] or entry.module)
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
    hooks = _hooks(plugin) if isinstance(plugin, ModuleType) else {}
    commands: list[Command] = []
    statistics: list[Statistic] = []
    if inspect.isclass(plugin):
        stages = [_stage_class(plugin)]
    elif hooks:
        stages = [_stage_class(stage) for stage in _returned(hooks, "depthmask_stages")]
        commands = [_of_class(Command, one) for one in _returned(hooks, "depthmask_commands")]
        statistics = [_of_class(Statistic, one) for one in _returned(hooks, "depthmask_statistics")]
        paths = [_of_class(str, one) for one in _returned(hooks, "depthmask_config_paths")]
        _register(registry, plugin, f"{provider.name}:{entry.name}", provider)
        # As pluggy calls hooks: the plugin that is loaded last comes first.
        registry.config_paths[:0] = paths
    else:
        stages = [_stage_class(stage) for stage in _stages_of(plugin)]
        if not stages:
            raise UsageError(f"{entry.value} defines neither stage classes nor hooks")
    for stage in stages:
        registry.add(stage, entry.name, provider)
    for command in commands:
        registry.add_command(command, entry.name, provider)
    for statistic in statistics:
        registry.add_statistic(statistic, entry.name, provider)


def _hooks(module: ModuleType) -> dict[str, Callable[..., Any]]:
    """The functions of a module that implement hooks, by the name of the hook, all checked."""
    hooks: dict[str, Callable[..., Any]] = {}
    for name, value in vars(module).items():
        options = getattr(value, f"{PROJECT}_impl", None) if inspect.isfunction(value) else None
        hook = (options and options["specname"]) or name
        if inspect.isfunction(value) and hook.startswith(f"{PROJECT}_"):
            _check_hook(hook, value, options)
            hooks[hook] = value
    return hooks


def _check_hook(name: str, function: Callable[..., Any], options: Mapping[str, Any] | None) -> None:
    """Raise `UsageError` for an unknown hook or argument. options: of pluggy's decorator."""
    known = sorted(hook for hook in vars(Hooks) if hook.startswith(PROJECT))
    if name not in known:
        if options and options["optionalhook"]:
            return
        raise UsageError(f"no such hook {name}; available: {', '.join(known)}")
    if options is None:
        raise UsageError(f"{name} lacks the decorator @depthmask.hookimpl")
    _, *accepted = inspect.signature(getattr(Hooks, name)).parameters
    for argument in inspect.signature(function).parameters.values():
        if argument.default is argument.empty and argument.name not in accepted:
            raise UsageError(
                f"hook {name} has no argument {argument.name}; "
                f"available: {', '.join(accepted) or 'none'}"
            )


def _returned(hooks: Mapping[str, Callable[..., Any]], name: str) -> Iterable[Any]:
    return hooks[name]() if name in hooks else ()


def _of_class(cls: type[T], value: Any) -> T:
    if not isinstance(value, cls):
        raise UsageError(f"{value!r} is not a {cls.__name__}, which the hook has to return")
    return value


def _register(registry: Registry, module: ModuleType, plugin: str, provider: Provider) -> None:
    """Register the hooks of a module; raises `UsageError` if pluggy refuses them."""
    try:
        registry.plugins.register(module, plugin)
    except pluggy.PluginValidationError as error:
        # Some versions of pluggy have registered the hooks before the refused one.
        if registry.plugins.is_registered(module):
            registry.plugins.unregister(module)
        raise UsageError(" ".join(str(error).split())) from error
    registry.providers[plugin] = provider


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
    require_complete(stage)
    if getattr(stage, "kind", None) not in KINDS:
        raise UsageError(f"stage {stage.name} has no known kind; available: {', '.join(KINDS)}")
    if stage.kind in LISTS and "." in stage.name:
        raise UsageError(f"stage {stage.name}: the name of a {stage.kind} stage cannot have a dot")
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
