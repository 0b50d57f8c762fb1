"""Calls of stages by the framework: whatever goes wrong in one is an error that names the stage."""

from __future__ import annotations

import inspect
import multiprocessing
import signal
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from depthmask.errors import DISK_FULL, DepthmaskError, NoPlaceError, comes_again, in_one_line
from depthmask.stage.base import Stage


class StageError(DepthmaskError):
    """A stage raised an unexpected error, or returned what it must not.

    The package of the stage is not in the message, since only the registry knows it;
    `Registry.message` adds it.
    """

    def __init__(
        self, stage: Stage | type[Stage], text: str, *, kind: str = "", final: bool = True
    ) -> None:
        """stage: its class if there is no stage yet. kind: the config group, if it is another."""
        self.stage = stage
        self.choice = f"{kind or stage.kind}={stage.name}"
        self.text = text
        self.final = final
        super().__init__(f"{self.choice}: {text}")


class StageCalls:
    """A context around calls of one method of a stage; unexpected errors become `StageError`.

    An object of its own and no generator, since each sample enters some of them: 0.15 us.
    """

    __slots__ = ("kind", "method", "stage")

    def __init__(self, stage: Stage | type[Stage], method: str, kind: str = "") -> None:
        """stage: its class if there is no stage yet. kind: the config group, if it is another."""
        self.stage = stage
        self.method = method
        self.kind = kind

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None or self._passes(error):
            return
        stage = self.stage
        text = in_one_line(error, source_folder(stage if inspect.isclass(stage) else type(stage)))
        raise StageError(stage, text, kind=self.kind, final=comes_again(error)) from error

    def _passes(self, error: BaseException) -> bool:
        """Whether an error is meant for the framework, or for the user as it is."""
        if isinstance(error, NoPlaceError):
            return self.stage.kind == "placement"
        if isinstance(error, KeyboardInterrupt):
            # Workers ignore Ctrl-C, so the stage itself has raised it there. The processes of a
            # launcher, as joblib's, do not.
            ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
            return multiprocessing.parent_process() is None or not ignored
        return isinstance(error, DepthmaskError | GeneratorExit) or _means_disk_full(error)

    def returned(self, value: object, expected: str) -> StageError:
        """The error for a value that the method must not return."""
        return self.fault(f"returned {described(value)}; expected {expected}")

    def fault(self, text: str) -> StageError:
        """The error for something that the method did; text: without the name of the method."""
        return StageError(self.stage, f"{self.method} {text}", kind=self.kind)


def described(value: object) -> str:
    """A value that a stage returned, in a few words for an error message."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {list(value.shape)}"
    if value is None or isinstance(value, bool | int | float):
        return str(value)
    if isinstance(value, str):
        return repr(value if len(value) <= 100 else f"{value[:97]}...")
    if inspect.isclass(value):
        return f"the class {value.__name__}"
    article = "an" if type(value).__name__[0] in "AEIOUaeiou" else "a"
    return f"{article} {type(value).__name__}"


def is_array(value: Any, dtype: type[np.generic], shape: tuple[int, ...]) -> bool:
    """Whether a value is an array of this dtype and shape; -1 stands for any length."""
    return (
        isinstance(value, np.ndarray)
        and value.dtype == dtype
        and value.ndim == len(shape)
        and all(want in (-1, have) for want, have in zip(shape, value.shape, strict=True))
    )


def source_folder(code: Any) -> str:
    """The folder of the package with a class or function, or its module's file; "" if unknown."""
    try:
        file = Path(inspect.getfile(code))
    except (TypeError, OSError):
        return ""
    depth = str(code.__module__).count(".")
    return str(file.parents[depth - 1]) if depth else str(file)


def _means_disk_full(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno in DISK_FULL
