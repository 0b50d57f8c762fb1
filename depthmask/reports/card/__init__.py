"""The cards of a dataset: a README for people and the Hugging Face hub, and Croissant."""

from __future__ import annotations

from depthmask.reports.card.croissant import croissant
from depthmask.reports.card.facts import CardFacts
from depthmask.reports.card.readme import readme


def cards(facts: CardFacts) -> dict[str, str]:
    """File name -> content of each card; the same dataset gives the same content."""
    return {"README.md": readme(facts), "croissant.json": croissant(facts)}
