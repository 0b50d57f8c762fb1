"""Formats numbers as text."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """The count with its noun: `1 sample`, `1,234 samples`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def share(count: int, total: int) -> str:
    """The share as text: `3 of 400 (0.75%)`."""
    return f"{count:,} of {total:,} ({count / total:.2%})"
