"""What a dataset says of itself: to people, to the Hugging Face hub, and to Croissant."""

from __future__ import annotations

from depthmask.reports.card.about import About
from depthmask.reports.card.croissant import croissant
from depthmask.reports.card.readme import readme


def cards(about: About) -> dict[str, str]:
    """The cards by file name. The same dataset gives the same text."""
    return {"README.md": readme(about), "croissant.json": croissant(about)}
