"""Tells which packages an existing dataset needs, and how to get them."""

from __future__ import annotations

import dataclasses
import importlib.metadata
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from depthmask.config.build import STAGE
from depthmask.config.plugins import registry
from depthmask.config.registry import KINDS, LISTS, Problem
from depthmask.config.root import BLOCKS, Root
from depthmask.config.versions import NOT_PLUGINS
from depthmask.errors import UsageError
from depthmask.storage.packages import FILE_HASH, OWN, PACKAGES, install_command, package_of


def require_stages(plan: dict[str, Any], kinds: Collection[str] = KINDS) -> None:
    """Raise `UsageError` if a stage of a plan is not installed, with the package that has it.

    kinds: the config groups to check. Call it in `untrusted`.
    """
    for kind in kinds:
        if kind in plan["config"]:
            chosen = plan["config"][kind]
            for plain in chosen.values() if kind in LISTS else [chosen]:
                if registry().find(kind, plain[STAGE]) is None:
                    raise UsageError(_missing(plan, kind, plain[STAGE]))


def require_settings(plan: dict[str, Any]) -> None:
    """Raise `UsageError` for a setting in a plan that this version does not have.

    It names the package of the version that has it. Call it in `untrusted`, after `require_stages`.
    """
    config = plan["config"]
    _require_known(plan, "", config, Root, OWN)
    for name, values in config.items():
        if name in BLOCKS:
            _require_known(plan, f"{name}.", values, BLOCKS[name], OWN)
        elif name in KINDS:
            chosen = values.items() if name in LISTS else [("", values)]
            for key, plain in chosen:
                place = f"{name}.{key}." if key else f"{name}."
                stage = f"{name}={plain[STAGE]}"
                package, _ = package_of(plan, stage) or (OWN, "")
                schema = registry().stage(name, plain[STAGE])
                _require_known(plan, place, plain, schema, package, of=f" of {stage}")


def _require_known(
    plan: dict[str, Any],
    place: str,
    values: Mapping[str, Any],
    schema: type,
    package: str,
    of: str = "",
) -> None:
    """Raise `UsageError` for a value that is no setting of a class. place: before its name."""
    known = {item.name for item in dataclasses.fields(schema)}
    for name in values:
        if name not in known and name != STAGE:
            version = plan["versions"][package]
            command = install_command(package, version)
            advice = f": `{command}`" if command else ""
            raise UsageError(
                f"{place}{name}={values[name]} is no setting{of} here; the dataset was made by "
                f"{package} {version}{advice}"
            )


def _missing(plan: dict[str, Any], kind: str, name: str) -> str:
    """The error message for a stage that is not installed."""
    stage = f"{kind}={name}"
    package = package_of(plan, stage)
    if package is not None:
        return f"{stage} is in the package {_state(*package, stage)}"
    candidates = list(_candidates(plan))
    if len(candidates) == 1:
        return f"{stage} is in the package {candidates[0]}"
    if candidates:
        return f"{stage} is in one of these packages: {'; '.join(candidates)}"
    files = [file for file, version in plan["versions"].items() if version.startswith(FILE_HASH)]
    if files:
        return (
            f"{stage} is in the file {' or '.join(map(repr, files))}; give the command to that "
            "script, `python SCRIPT ...`, or import the file first"
        )
    return registry().no_such_stage(kind, name, list(registry().stages[kind]))


def _candidates(plan: dict[str, Any]) -> Iterator[str]:
    """The states of the packages that may have a stage, in a plan without a field for packages."""
    if PACKAGES not in plan:
        for package, version in plan["versions"].items():
            is_file = version.startswith(FILE_HASH)
            if not is_file and package not in NOT_PLUGINS and not _is_loaded(package):
                yield _state(package, version)


def _state(package: str, version: str, stage: str = "") -> str:
    """A package, why it is of no use here, and what to do. stage: `kind=name` if it is known."""
    command = install_command(package, version)
    if not command:
        return f"{package!r}, which is no name of a package with a version"
    for problem in _of_package(registry().blocked, package):
        return f"{package} {version}, but {problem.reason}"
    for problem in _of_package(registry().problems, package):
        if problem.name in ("", stage):
            return f"{problem.provider}, which cannot be loaded: {problem.reason}"
    try:
        installed = importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return f"{package} {version}, which is not installed: `{command}`"
    return f"{package} {version}; {installed} is installed and does not have it: `{command}`"


def _of_package(problems: Iterable[Problem], package: str) -> Iterator[Problem]:
    return (problem for problem in problems if problem.provider.name == package)


def _is_loaded(package: str) -> bool:
    """Whether a stage of the package is registered."""
    names = {one.provider.name for kind in KINDS for one in registry().stages[kind].values()}
    return package in names
