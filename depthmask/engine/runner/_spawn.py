"""Starts worker processes that import the caller's main module only if their work needs it.

multiprocessing imports it in every spawned process, in which a script without a main guard would
run once more.
"""

from __future__ import annotations

from multiprocessing import popen_spawn_posix, spawn
from multiprocessing.context import SpawnProcess
from multiprocessing.reduction import ForkingPickler
from types import FunctionType
from typing import Any

from depthmask import forks
from depthmask.config.local_stages import local_stages
from depthmask.errors import UsageError, in_one_line

_MAIN = "init_main"
"""How the names of the entries begin that tell a process which main module to import."""


class _SpawnWithoutMain:
    """`multiprocessing.spawn`, except that processes are not told of the main module."""

    def __getattr__(self, name: str) -> Any:
        return getattr(spawn, name)

    def get_preparation_data(self, name: str) -> dict[str, Any]:
        """What a process is told before it receives its work."""
        data = spawn.get_preparation_data(name).items()
        return {key: value for key, value in data if not key.startswith(_MAIN)}


class _Popen(popen_spawn_posix.Popen):
    """Starts a process with the code of multiprocessing, in which `spawn` has another meaning.

    To patch the module would change the processes that the rest of the program starts.
    """

    _launch = FunctionType(
        popen_spawn_posix.Popen._launch.__code__,  # type: ignore[attr-defined]
        {**vars(popen_spawn_posix), "spawn": _SpawnWithoutMain()},
    )


class Process(SpawnProcess):
    """A spawned process that does not import the caller's main module by itself."""

    @staticmethod
    def _Popen(process_obj: Any) -> _Popen:  # noqa: N802 (the name of multiprocessing)
        return _Popen(process_obj)


class Parcel:
    """An object for a spawned process, with the main module if it needs that."""

    def __init__(self, content: object) -> None:
        self._pickled = bytes(ForkingPickler.dumps(content))
        data = spawn.get_preparation_data("").items() if _needs_main(self._pickled) else ()
        self._main = {key: value for key, value in data if key.startswith(_MAIN)}

    def open(self) -> Any:
        """The object; raises `UsageError` if the main module cannot be imported."""
        if self._main:
            _import(self._main)
        return ForkingPickler.loads(self._pickled)


def _needs_main(pickled: bytes) -> bool:
    """Whether pickled data names the main module, or perhaps a stage that it defines."""
    stages = [cls for cls in local_stages(()) if cls.__module__ in ("__main__", "__mp_main__")]
    names = ["__main__", "__mp_main__", *(cls.name for cls in stages)]
    return any(name.encode() in pickled for name in names)


def _import(main: dict[str, str]) -> None:
    try:
        with forks.runs_refused():
            spawn.prepare(main)
    except (Exception, SystemExit) as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(
            f"a worker cannot import {', '.join(main.values())}: {in_one_line(error)}; write what "
            'the script runs below `if __name__ == "__main__":`'
        ) from error
