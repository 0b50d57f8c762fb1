"""Guards code that decodes files from unknown sources."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from depthmask.errors import DepthmaskError, UsageError

_MOST_CHARACTERS = 500
"""The most characters of an error message."""


@contextmanager
def untrusted(name: str) -> Iterator[None]:
    """Turn any error inside the block into a `DepthmaskError` in one line, after `name`."""
    try:
        yield
    except UsageError as error:
        raise UsageError(f"{name}: {_short(error)}") from None
    except DepthmaskError as error:
        raise DepthmaskError(f"{name}: {_short(error)}") from None
    except Exception as error:
        # Decoders raise many types: OSError, SyntaxError, KeyError, struct.error, ...
        reason = _short(error) or type(error).__name__
        raise DepthmaskError(f"{name}: cannot be read ({reason})") from None


def _short(error: Exception) -> str:
    """The message in one line, shortened since it may repeat the content of the file."""
    text = " ".join(str(error).split())
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]} ..."
