"""The cards of a dataset: a README for people and the Hugging Face hub, and Croissant."""

from __future__ import annotations

from depthmask.reports.card.about import About
from depthmask.reports.card.croissant import croissant
from depthmask.reports.card.readme import readme


def cards(about: About) -> dict[str, str]:
    """File name -> content of each card; the same dataset gives the same content."""
    return {"README.md": readme(about), "croissant.json": croissant(about)}
