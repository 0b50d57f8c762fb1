"""Calls the work behind a function of `import depthmask`, whose errors have one line."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from depthmask.engine.one_line import one_line_error
from depthmask.errors import for_caller
from depthmask.forks import refuse_worker_import

T = TypeVar("T")


def call(work: Callable[[], T]) -> T:
    """The result of the work; any error is a `DepthmaskError` with the line of the command."""
    try:
        # Also a page or a repair: a worker that imports a script is not to do what the script does.
        refuse_worker_import()
        return work()
    except KeyboardInterrupt as end:
        raise end.with_traceback(None)  # noqa: B904
    except Exception as error:
        raise for_caller(one_line_error(error))  # noqa: B904
