"""The cards of a dataset: a README, which the Hugging Face hub also reads, and Croissant."""

from __future__ import annotations

from depthmask.reports.card.croissant import croissant
from depthmask.reports.card.facts import CardFacts
from depthmask.reports.card.readme import readme


def cards(facts: CardFacts) -> dict[str, str]:
    """File name -> content of the card; the same dataset always has the same cards."""
    return {"README.md": readme(facts), "croissant.json": croissant(facts)}
