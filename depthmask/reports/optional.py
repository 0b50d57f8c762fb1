"""Makes what is only for looking at, such as a preview: a dataset is complete without it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from depthmask.errors import in_one_line

T = TypeVar("T")
_log = logging.getLogger(__name__)


def optional(name: str, make: Callable[[], T]) -> T | None:
    """The result of `make`; None, with a warning that names the file, if that raises an error."""
    try:
        return make()
    except Exception as error:
        _log.warning("%s is left out: %s", name, in_one_line(error))
        return None
