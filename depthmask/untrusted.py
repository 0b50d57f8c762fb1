"""Bytes that somebody else may have made, given to decoders that expect their own kind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from depthmask.errors import DepthmaskError, UsageError

_LONGEST = 500


@contextmanager
def untrusted(name: str) -> Iterator[None]:
    """Whatever goes wrong inside becomes one line that begins with `name`."""
    try:
        yield
    except UsageError as error:
        raise UsageError(f"{name}: {_short(error)}") from None
    except DepthmaskError as error:
        raise DepthmaskError(f"{name}: {_short(error)}") from None
    except Exception as error:
        # Decoders raise what they come upon: OSError, SyntaxError, KeyError, struct.error, ...
        reason = _short(error) or type(error).__name__
        raise DepthmaskError(f"{name}: cannot be read ({reason})") from None


def _short(error: Exception) -> str:
    """Its message as one line; what the bytes made it repeat may be long."""
    text = " ".join(str(error).split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."
