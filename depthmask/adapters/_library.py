"""Names the package to install where the library of an adapter is missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def installed(package: str) -> Iterator[None]:
    """Raise `ImportError` in one line if an import of the context fails for a missing module."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise ImportError(f"this adapter needs {package}: pip install {package}") from error
