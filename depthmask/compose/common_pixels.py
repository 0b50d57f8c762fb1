"""Where the windows of two layers on a canvas overlap."""

from __future__ import annotations

from typing import TypeAlias

from depthmask.data import LayerPixels

Window: TypeAlias = tuple[slice, slice]
"""Rows and columns."""


def common_pixels(first: LayerPixels, second: LayerPixels) -> tuple[Window, Window] | None:
    """The rows and columns that two layers share, in the arrays of each; None without any."""
    (rows, columns), (other_rows, other_columns) = first.window, second.window
    top, bottom = max(rows.start, other_rows.start), min(rows.stop, other_rows.stop)
    left, right = max(columns.start, other_columns.start), min(columns.stop, other_columns.stop)
    if top >= bottom or left >= right:
        return None
    return (
        (slice(top - first.top, bottom - first.top), slice(left - first.left, right - first.left)),
        (
            slice(top - second.top, bottom - second.top),
            slice(left - second.left, right - second.left),
        ),
    )
