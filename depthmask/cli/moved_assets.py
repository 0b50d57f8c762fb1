"""Reads `source.root=FOLDER`, which says where the assets of a dataset are now."""

from __future__ import annotations

from collections.abc import Sequence

from depthmask.errors import UsageError

SETTING = "source.root"


def assets_and_words(arguments: Sequence[str]) -> tuple[str | None, list[str]]:
    """The present folder or URL of the assets, None without one, and the other words."""
    settings = [word for word in arguments if word.startswith(f"{SETTING}=")]
    if not settings:
        return None, list(arguments)
    if len(settings) > 1:
        raise UsageError(f"{' '.join(settings)}: give {SETTING} once")
    # Imported here: most commands have no such word, and composing takes Hydra.
    from depthmask.config.compose import compose_root

    root = compose_root(["source=assets", *settings]).source.root
    return root, [word for word in arguments if word not in settings]
