"""Pages that are read one after another, in one folder: each finds what it expects there."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from tests.support.pages import blocks
from tests.support.paths import ROOT

START = ROOT / "docs" / "index.md"
MADE = re.compile(r"\boutput=\"?([A-Z][A-Z_0-9]*)\b(?!-)|\bcp -r \S+ (\S+)")
CHANGED = re.compile(r"\bextend (\S+) samples=")


def pages() -> list[Path]:
    """The README, and the pages that the start has in an order."""
    _, _, rest = START.read_text(encoding="utf-8").partition("## In this order")
    names = re.findall(r"\]\(([\w-]+\.md)\)", rest.partition("## To look up")[0])
    return [ROOT / "README.md", *(START.parent / name for name in dict.fromkeys(names))]


def names(pattern: re.Pattern[str]) -> dict[str, set[str]]:
    """The folders of the pages' lines, each with the pages that name it."""
    result = defaultdict(set)
    for page in pages():
        for line in "\n".join(block.text for block in blocks(page)).splitlines():
            match = pattern.search(line)
            if match and "--dry-run" not in line:
                result[match[match.lastindex or 0]].add(page.name)
    return result


def test_all_pages_have_a_place_in_the_order() -> None:
    assert len(pages()) >= 13
    assert {"README.md", "first-dataset.md", "assets.md", "training.md"} <= {
        page.name for page in pages()
    }


def test_no_two_pages_make_the_same_folder() -> None:
    """The second one would be refused, since a folder holds one dataset."""
    made = names(MADE)
    assert len(made) >= 30
    assert {name: found for name, found in made.items() if len(found) > 1} == {}
    assert made["OUT"] == {"first-dataset.md"}


def test_the_dataset_of_the_first_page_keeps_its_length() -> None:
    """Later pages state what is in OUT."""
    assert "LONGER" in names(CHANGED)
    assert "OUT" not in names(CHANGED)
