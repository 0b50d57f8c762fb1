"""Checks the hooks of a plugin, and what those return that are called when it is loaded."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import Any, TypeVar

from depthmask.config.hooks import PROJECT, Hooks
from depthmask.config.registry import suggestion
from depthmask.errors import UsageError

T = TypeVar("T")


def hooks_of(module: ModuleType) -> dict[str, Callable[..., Any]]:
    """The functions of a module that implement hooks, by the name of the hook, all checked."""
    hooks: dict[str, Callable[..., Any]] = {}
    for name, value in vars(module).items():
        # `functools.cache` makes a routine that is no function.
        options = getattr(value, f"{PROJECT}_impl", None) if inspect.isroutine(value) else None
        hook = (options and options["specname"]) or name
        if options or (inspect.isfunction(value) and hook.startswith(f"{PROJECT}_")):
            _check_hook(hook, value, options)
            hooks[hook] = value
    return hooks


def returned(hooks: Mapping[str, Callable[..., Any]], name: str, cls: type[T]) -> list[T]:
    """What a hook returns; none without the hook. `UsageError` unless it is a list of `cls`."""
    if name not in hooks:
        return []
    value = hooks[name]()
    if isinstance(value, str) or inspect.isclass(value) or not isinstance(value, Iterable):
        raise UsageError(f"{name} returned {value!r}; it has to return a list")
    values = list(value)
    for one in values:
        if not isinstance(one, cls):
            raise UsageError(f"{one!r} is not a {cls.__name__}, which the hook has to return")
    return values


def _check_hook(name: str, function: Callable[..., Any], options: Mapping[str, Any] | None) -> None:
    """Raise `UsageError` for an unknown hook or argument. options: of pluggy's decorator."""
    known = sorted(hook for hook in vars(Hooks) if hook.startswith(PROJECT))
    if name not in known:
        if options and options["optionalhook"]:
            return
        raise UsageError(f"no such hook {name}{suggestion(name, known)}")
    if options is None:
        raise UsageError(f"{name} lacks the decorator @depthmask.hookimpl")
    _check_kind(name, function, options)
    _, *accepted = inspect.signature(getattr(Hooks, name)).parameters
    for argument in inspect.signature(function).parameters.values():
        if argument.default is argument.empty and argument.name not in accepted:
            raise UsageError(
                f"hook {name} has no argument {argument.name}; "
                f"available: {', '.join(accepted) or 'none'}"
            )


def _check_kind(name: str, function: Callable[..., Any], options: Mapping[str, Any]) -> None:
    """Raise `UsageError` for a function whose body would not run when it is called."""
    plain = inspect.unwrap(function)
    is_async = inspect.iscoroutinefunction(plain) or inspect.isasyncgenfunction(plain)
    is_wrapper = options["wrapper"] or options["hookwrapper"]
    # A hook of runs returns nothing; those that return a list may yield its items.
    is_run_hook = inspect.signature(getattr(Hooks, name)).return_annotation in (None, "None")
    if is_async or (inspect.isgeneratorfunction(plain) and is_run_hook and not is_wrapper):
        kind = "async" if is_async else "a generator"
        raise UsageError(f"hook {name} is {kind}, so its body would never run; make it a function")
