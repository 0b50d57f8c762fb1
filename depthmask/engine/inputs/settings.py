"""The settings that jobs over existing samples accept."""

from __future__ import annotations

_SHARED = (
    *("output", "overwrite", "size", "shard_size", "labels", "writer", "encode", "runner"),
    "progress",
)
ACCEPTED = {"annotate": (*_SHARED, "depth", "geometry"), "convert": _SHARED}
"""Command -> the names of the settings and config groups that it accepts."""
