"""Tells files that file managers hide, or that a system adds, from those that people put there."""

from __future__ import annotations

_OF_SYSTEMS = frozenset(
    {
        *("__macosx", "thumbs.db", "desktop.ini", "$recycle.bin", "system volume information"),
        *("recycler", "lost+found", "network trash folder", "temporary items"),
        # Thumbnails, deleted files and earlier states on network storage of Synology, QNAP, NetApp.
        *("@eadir", "#recycle", "@recycle", "@recently-snapshot", "#snapshot", "~snapshot", "@tmp"),
    }
)
"""In lower case; other names of this kind begin with a dot, or, of files that are open in an office
program, with `~$`."""
_BEGINNINGS = (".", "~$")


def is_hidden(path: str) -> bool:
    """Whether a file, or a folder above it, is hidden or made by a system. path: with slashes."""
    return any(
        part.casefold() in _OF_SYSTEMS or (part.startswith(_BEGINNINGS) and part not in (".", ".."))
        for part in path.split("/")
    )
