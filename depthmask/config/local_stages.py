"""Looks for stage classes without a package: of a script, a notebook, or any imported module."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator
from pathlib import Path

from depthmask.errors import UsageError
from depthmask.stage import Stage


def local_stages(packages: Collection[str]) -> Iterator[type[Stage]]:
    """Yield the stage classes at the top of modules that are in none of these packages.

    A class that was defined again, as in a notebook, has lost its name to the new one, and is left
    out; so is one that `stage` has not decorated.
    """
    for cls in _subclasses(Stage):
        is_stage = "name" in vars(cls) and "__dataclass_fields__" in vars(cls)
        if is_stage and is_importable(cls) and not _is_in(cls.__module__, packages):
            yield cls


def is_importable(cls: type) -> bool:
    """Whether the class is the one that its module has under its name, as pickle requires."""
    module = sys.modules.get(cls.__module__)
    return getattr(module, cls.__qualname__, None) is cls


def source_file(cls: type) -> Path | None:
    """The file that defines a class; None for a notebook or a prompt."""
    file = getattr(sys.modules.get(cls.__module__), "__file__", None)
    return Path(file) if file is not None and Path(file).is_file() else None


def require_file(stage: Stage) -> None:
    """Raise `UsageError` for a class of a notebook or a prompt, whose version nobody can tell."""
    cls = type(stage)
    if cls.__module__ == "__main__" and source_file(cls) is None:
        raise UsageError(
            f"{cls.kind}={cls.name}: a run needs the class {cls.__qualname__} in a file, and it is "
            "in a notebook or at a prompt; move it into a module and import it from there"
        )


def require_importable(stage: Stage) -> None:
    """Raise `UsageError` for a class that other processes could not import."""
    cls = type(stage)
    if not is_importable(cls):
        raise UsageError(
            f"{cls.kind}={cls.name}: workers cannot import the class {cls.__qualname__}; move it "
            "to the top of its module, or set runner.workers=1"
        )


def _subclasses(cls: type[Stage]) -> Iterator[type[Stage]]:
    for subclass in cls.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


def _is_in(module: str, packages: Collection[str]) -> bool:
    return any(f"{module}.".startswith(f"{package}.") for package in packages)
