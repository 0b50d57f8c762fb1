"""What new users ask has an answer below a heading that they recognise, two clicks away."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.paths import ROOT

LINK = re.compile(r"\]\(([^)#:\s]+\.md)(?:#[^)]*)?\)")
ANSWERS = {
    "how do I make it quicker": ("performance.md", "# How to make it quicker"),
    "my cut-outs float": ("troubleshooting.md", "## Cut-outs float"),
    "which placement": ("choosing.md", "## Which placement"),
    "how do I load this in torch": ("training.md", "## PyTorch"),
    "what does this depth mean": ("depth.md", "# What depth means"),
    "how do I stop and go on": ("first-dataset.md", "## Stop and go on"),
    "how do I make a test split": ("training.md", "## Make a test split"),
    "what does it cost on disk": ("scale.md", "## What it costs on disk"),
    "my own depth network": ("depth.md", "## Your own depth network"),
    "can I use this commercially": ("cards.md", "## Can I use this commercially?"),
}


def linked(page: Path) -> set[Path]:
    """The pages that a page links to."""
    links = LINK.findall(page.read_text(encoding="utf-8"))
    return {path for link in links if (path := (page.parent / link).resolve()).exists()}


@pytest.mark.parametrize("question", ANSWERS)
def test_the_answer_is_two_clicks_away(question: str) -> None:
    name, heading = ANSWERS[question]
    page = ROOT / "docs" / name
    assert heading in page.read_text(encoding="utf-8").splitlines()
    first = linked(ROOT / "README.md")
    assert page in first.union(*map(linked, first))
