"""Loads the built-in stages and what plugin packages add into the registry.

A plugin has an entry point in the group `depthmask`, whose value is a module or a stage class. A
plugin that cannot be loaded is left out with the reason, and the others still load: pluggy's own
`load_setuptools_entrypoints` would stop at the first ImportError.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import importlib
import importlib.metadata
import inspect
import re
import sys
import time
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pluggy

from depthmask.config.command import Command
from depthmask.config.entry_points import Package, read_entry_points, unmet_requirement
from depthmask.config.environment import (
    BLOCK,
    PREFER,
    canonical,
    listed_in,
    misspelt_packages,
    misspelt_variables,
)
from depthmask.config.hooks import PROJECT, Hooks
from depthmask.config.plugin_hooks import hooks_of, returned
from depthmask.config.presets.folders import config_folder, folders_of, preset_files
from depthmask.config.provider import BUILT_IN, Provider
from depthmask.config.registry import (
    KINDS,
    LISTS,
    ConfigPath,
    Preset,
    Problem,
    Registry,
    require_complete,
)
from depthmask.errors import UsageError
from depthmask.stage import Stage
from depthmask.stage.decorators import setting_types
from depthmask.statistics.added import Statistic

_BUILT_IN_STAGES = "depthmask.engine.built_in_stages"
"""Loaded by its name, like a plugin, since it lies in a higher layer."""
_BUILT_IN_COMMANDS = "depthmask.cli.usage.commands"


@functools.cache
def registry() -> Registry:
    """The registry of this process: the built-in stages, then plugins sorted by package."""
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(Hooks)
    known = Registry(manager, set(_built_in_names()))
    built_in = importlib.import_module(_BUILT_IN_STAGES)
    manager.register(built_in, BUILT_IN)
    for stage in built_in.depthmask_stages():
        known.add(stage, BUILT_IN, Provider(BUILT_IN))
    packages, misspelt_groups = read_entry_points()
    for package in packages:
        _load_package(known, package)
    for text in (*misspelt_groups, *_warnings(known, packages)):
        known.warn(text)
    return known


def _built_in_names() -> Iterator[str]:
    """The names of commands and presets of depthmask, as `Registry.names` has them."""
    for command in importlib.import_module(_BUILT_IN_COMMANDS).COMMANDS:
        yield f"command {command}"
    for path in preset_files(config_folder()):
        yield Preset(path, Provider(BUILT_IN)).choice


def _load_package(registry: Registry, package: Package) -> None:
    """Load the plugins of a package, or leave them out with the reason."""
    provider = package.provider
    registry.packages |= {_package_of(entry) for entry in package.entries}
    if reason := unmet_requirement(package):
        registry.leave_out(Problem(", ".join(package.names), provider, reason))
        return
    blocked = {canonical(name) for name in listed_in(BLOCK)}
    for entry in package.entries:
        if blocked & {canonical(entry.name), canonical(provider.name)}:
            reason = f"{BLOCK}={','.join(listed_in(BLOCK))} leaves it out"
            registry.blocked.append(Problem(entry.name, provider, reason))
            continue
        start = time.perf_counter()
        try:
            _load(registry, entry, provider)
        except (Exception, SystemExit) as error:  # a plugin that fails must not stop the others
            registry.leave_out(Problem(entry.name, provider, _reason(error)))
        registry.load_seconds[entry.name] = time.perf_counter() - start


def _package_of(entry: importlib.metadata.EntryPoint) -> str:
    """The package whose stages are those that it registers; the module if it is in none."""
    # Not `entry.module`, which raises for a value that names no module.
    module = entry.value.partition(":")[0].strip()
    return module.rpartition(".")[0] or module


def _warnings(registry: Registry, packages: list[Package]) -> Iterator[str]:
    """Yield what the user should know besides the plugins that are left out."""
    for collision in registry.names.collisions():
        if collision.meant is None:
            yield str(collision)
    names = {package.provider.name for package in packages}
    entries = {name for package in packages for name in package.names}
    yield from misspelt_packages(BLOCK, names | entries)
    yield from misspelt_packages(PREFER, names)
    yield from misspelt_variables()


def _load(registry: Registry, entry: importlib.metadata.EntryPoint, provider: Provider) -> None:
    plugin = _load_entry(entry)
    hooks = hooks_of(plugin) if isinstance(plugin, ModuleType) else {}
    commands = returned(hooks, "depthmask_commands", Command)
    statistics = returned(hooks, "depthmask_statistics", Statistic)
    paths = [ConfigPath(path, provider) for path in returned(hooks, "depthmask_config_paths", str)]
    stages = [_stage_class(stage) for stage in _stages_of(plugin, hooks)]
    if not stages and not hooks:
        raise UsageError(_without_stages(plugin, entry.value))
    if hooks:
        _register(registry, plugin, f"{provider.name}:{entry.name}", provider)
    for stage in stages:
        registry.add(stage, entry.name, provider)
    for command in commands:
        registry.add_command(command, entry.name, provider)
    for statistic in statistics:
        registry.add_statistic(statistic, entry.name, provider)
    for path in paths:
        _add_presets(registry, path, entry.name)


def _load_entry(entry: importlib.metadata.EntryPoint) -> Any:
    """What an entry point names; `UsageError` if its value names nothing."""
    module_name, _, attribute = entry.value.partition(":")
    if not re.fullmatch(r"\w+(\.\w+)*", module_name.strip()):
        raise UsageError(f"its entry point {entry.value!r} names no module; write PACKAGE.MODULE")
    module = importlib.import_module(module_name.strip())
    # Without extras, which stand in brackets and mean nothing any more.
    names = attribute.partition("[")[0].strip()
    try:
        return functools.reduce(getattr, names.split(".") if names else [], module)
    except AttributeError:
        raise UsageError(
            f"its entry point names {entry.value}, and {module_name} has no {attribute}"
        ) from None


def _add_presets(registry: Registry, path: ConfigPath, plugin: str) -> None:
    """Register a folder with presets; one that does not exist becomes a problem."""
    try:
        files = [file for folder in folders_of(path.path) for file in preset_files(folder)]
    except UsageError as error:
        name = f"the folder {path.path}"
        registry.leave_out(Problem(plugin, path.provider, str(error), name))
        return
    # As pluggy calls hooks: the plugin that is loaded last comes first.
    registry.config_paths.insert(0, path)
    for file in files:
        registry.add_preset(Preset(file, path.provider), plugin)


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


def _stages_of(plugin: Any, hooks: dict[str, Callable[..., Any]]) -> list[Any]:
    """What a plugin registers as stages.

    A module without the hook `depthmask_stages` registers all that it defines, and none that it
    imports.
    """
    if "depthmask_stages" in hooks:
        return returned(hooks, "depthmask_stages", object)
    if not isinstance(plugin, ModuleType):
        return [plugin] if inspect.isclass(plugin) else []
    return [value for value in _classes_of(plugin) if _is_stage(value)]


def _classes_of(module: ModuleType) -> list[type]:
    values = vars(module).values()
    return [one for one in values if inspect.isclass(one) and one.__module__ == module.__name__]


def _without_stages(plugin: Any, value: str) -> str:
    """Why a plugin adds nothing."""
    if not isinstance(plugin, ModuleType):
        return f"{value} is {plugin!r}; an entry point names a module or a stage class"
    for cls in _classes_of(plugin):
        if issubclass(cls, Stage):
            return f'{value}.{cls.__name__} lacks the decorator @depthmask.stage("NAME")'
    return f"{value} defines neither stage classes nor hooks"


def _is_stage(value: object) -> bool:
    return inspect.isclass(value) and issubclass(value, Stage) and "name" in vars(value)


def _stage_class(value: Any) -> type[Stage]:
    """Return the value if it is a usable stage class, or raise `UsageError`."""
    if not _is_stage(value):
        raise UsageError(f"{value!r} is not a stage; derive it from a stage class and add @stage")
    stage: type[Stage] = value
    if not _is_decorated(stage):
        raise UsageError(f"{value!r} has a name of its own; name it by @stage({stage.name!r})")
    require_complete(stage)
    if getattr(stage, "kind", None) not in KINDS:
        raise UsageError(f"stage {stage.name} has no known kind; available: {', '.join(KINDS)}")
    if stage.kind in LISTS and "." in stage.name:
        raise UsageError(f"stage {stage.name}: the name of a {stage.kind} stage cannot have a dot")
    return stage


def _is_decorated(stage: type) -> bool:
    """Whether `@stage` has made the class, or a base class to which it adds no setting."""
    has_settings = any(isinstance(value, dataclasses.Field) for value in vars(stage).values())
    if has_settings or not dataclasses.is_dataclass(stage):
        return False
    return {field.name for field in dataclasses.fields(stage)} <= {*setting_types(stage)}


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
