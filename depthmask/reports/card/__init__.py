"""The cards of a dataset: a README, which the Hugging Face hub also reads, and Croissant."""

from __future__ import annotations

from depthmask.reports.card.croissant import croissant
from depthmask.reports.card.facts import CardFacts
from depthmask.reports.card.readme import readme
from depthmask.storage.derived import CARD, CROISSANT, with_seal


def cards(facts: CardFacts) -> dict[str, str]:
    """File name -> content of the card; the same dataset always has the same cards."""
    return {CARD: with_seal(readme(facts)), CROISSANT: croissant(facts)}
