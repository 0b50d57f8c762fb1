"""Bytes that somebody else may have made, given to decoders that expect their own kind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from depthmask.errors import DepthmaskError, UsageError


@contextmanager
def untrusted(name: str) -> Iterator[None]:
    """Whatever goes wrong inside becomes one line that begins with `name`."""
    try:
        yield
    except UsageError as error:
        raise UsageError(f"{name}: {error}") from None
    except DepthmaskError as error:
        raise DepthmaskError(f"{name}: {error}") from None
    except Exception as error:
        # Decoders raise what they come upon: OSError, SyntaxError, KeyError, struct.error, ...
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise DepthmaskError(f"{name}: cannot be read ({reason})") from None
