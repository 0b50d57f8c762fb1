"""The tables of docs/usefulness.md."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from benchmarks.usefulness import docs_tables
from benchmarks.usefulness.scoring import MAIN

PLACES = f"""# Title

{docs_tables.START}
old
{docs_tables.END}

{docs_tables.TRIED}
old
{docs_tables.END}

The end.
"""
NOTHING = {"made": "--full, the choosing half", "rows": []}


def row(recipe: str, task: str, others: dict[str, float], photographs: int = 0) -> dict[str, Any]:
    metrics = MAIN[task]
    plain = {"runs": 3, "means": dict.fromkeys(metrics, 0.25), "spread": {metrics[0]: 0.013}}
    against = {
        other: {metrics[0]: {"mean": mean, "low": mean - 0.01, "high": mean + 0.01}}
        for other, mean in others.items()
    }
    return {
        "recipe": recipe, "task": task, "photographs": photographs, "against": against, **plain
    }  # fmt: skip


def test_a_table_for_each_task_and_number_of_photographs(tmp_path: Path) -> None:
    rows = [
        row("rooms-500", "depth", {"seed-style": 0.05, "untouched-224": -0.005}),
        row("seed-style", "depth", {"untouched-224": -0.005}),
        row("ground", "masks", {"random": -0.02}),
        row("photographs", "masks", {}, 10),
        row("over-photographs", "masks", {"photographs": 0.05}, 10),
        row("over-photographs-crowded", "masks", {"photographs": 0.05}, 10),
    ]
    page = tmp_path / "page.md"
    page.write_text(PLACES)
    docs_tables.write(page, {"made": "--full, the final half", "rows": rows}, NOTHING)
    text = page.read_text()
    assert text.startswith("# Title\n\n")
    assert text.endswith("\n\nThe end.\n")
    assert "old" not in text
    titles = [line for line in text.splitlines() if line.startswith(("| depth", "| masks"))]
    assert [title.strip("| ").split(" | ")[0] for title in titles] == [
        "depth", "depth, against seed-style", "depth, against untouched-224", "masks",
        "masks, n = 10",
    ]  # fmt: skip
    means, seed_style, untouched = (
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines() if line.startswith("| `rooms-500`")
    )  # fmt: skip
    assert means[1:] == ["3", "0.250 ± 0.013", "0.250", "0.250"]
    assert seed_style[1] == "**worse:** +0.050 [+0.040, +0.060]"
    assert untouched[1] == "-0.005 [-0.015, +0.005]", "it is not clear"
    assert text.count("| `seed-style` |") == 2, "it is not compared with itself"
    shown = re.findall(r"!\[[^]]+]\(images/([^)]+)\)", text)
    assert shown == [
        "usefulness-depth-abs_rel.svg", "usefulness-depth-detail_r.svg",
        "usefulness-depth-edge_f1.svg",
        "usefulness-masks-iou.svg", "usefulness-masks-boundary_f1.svg",
        "usefulness-few-iou.svg", "usefulness-few-boundary_f1.svg",
    ]  # fmt: skip
    for name in shown:
        picture = (tmp_path / "images" / name).read_text()
        assert "0.250" in picture or "few" in name
        assert ">over-photographs<" in picture or "few" not in name
        assert "crowded" not in picture, "what was dropped is in the table alone"
    assert "| `over-photographs-crowded` |" in text
    assert "\n- `over-photographs` (masks): Composites of" in text
    assert "| **worse:** -0.020 [-0.030, -0.010] |" in text
    assert "| **better:** +0.050 [+0.040, +0.060] |" in text


def test_the_page_is_made_from_the_result(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(docs_tables.PAGE.read_text())
    results = (json.loads(path.read_text()) for path in (docs_tables.RESULT, docs_tables.CHOOSING))
    docs_tables.write(page, *results)
    assert page.read_text() == docs_tables.PAGE.read_text()
    for picture in (tmp_path / "images").iterdir():
        kept = docs_tables.PAGE.parent / "images" / picture.name
        assert picture.read_text() == kept.read_text(), picture.name


def test_what_was_expected_and_what_came(tmp_path: Path) -> None:
    rows = [
        row("rooms-500-crowded", "depth", {"rooms-500": -0.02, "seed-style": 0.5}),
        row("seed-style", "depth", {"rooms-500": 0.1}),
        row("over-photographs-several", "masks", {"over-photographs-added": 0.004}, 25),
    ]
    page = tmp_path / "page.md"
    page.write_text(PLACES)
    docs_tables.write(page, NOTHING, {"made": "--full, the choosing half", "rows": rows})
    _, _, text = page.read_text().partition(docs_tables.TRIED)
    assert text.endswith("\n\nThe end.\n")
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert [line[0] for line in cells] == [
        "depth", "`rooms-500-crowded`", "masks", "`over-photographs-several`, n = 25",
    ]  # fmt: skip
    assert cells[1][1] == "`rooms-500`"
    assert cells[1][2].endswith(".")
    assert cells[1][3:] == ["**better:** -0.020 [-0.030, -0.010]", "", ""]
    assert cells[3][3] == "+0.004 [-0.006, +0.014]"


@pytest.mark.parametrize("place", [docs_tables.START, docs_tables.TRIED])
def test_a_page_without_the_place_of_a_table(tmp_path: Path, place: str) -> None:
    page = tmp_path / "page.md"
    text = PLACES.replace(place + "\n", "")
    page.write_text(text)
    with pytest.raises(ValueError, match=rf"page\.md: no line {place}"):
        docs_tables.write(page, NOTHING, NOTHING)
    assert page.read_text() == text
