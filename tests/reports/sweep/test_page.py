"""The page: what users and errors say is text and never markup; sheets fit its size."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from depthmask.reports.sweep import page as page_module
from depthmask.reports.sweep.page import page
from depthmask.reports.sweep.result import JobResult, Status
from depthmask.reports.sweep.table import Table
from depthmask.storage.location import location

STATISTICS = {
    "image": {"mean": [0.25, 0.5, 0.75], "std": [0.1, 0.2, 0.3]},
    "mask": {"mean": [0.125], "std": [0.25]},
}


def result(number: int, *overrides: str, folder: Path | None = None) -> JobResult:
    return JobResult(
        number, overrides, Status.made, dataset=str(folder or ""), samples=1234, bytes=2_500_000,
        made=1234, seconds=2.0, statistics=STATISTICS,
    )  # fmt: skip


def preview(folder: Path, width: int) -> Path:
    folder.mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (width // 2, width, 3), dtype=np.uint8)
    Image.fromarray(noise).save(folder / "preview.jpg", quality=92)
    return folder


def rendered(*results: JobResult) -> str:
    return page(Table.of(results), location("out"), "depthmask -m", 61.0)


def test_everything_is_escaped() -> None:
    evil = "<script>alert('x')"
    failed = JobResult(1, (f"writer={evil}",), Status.failed, reason=f"no {evil} & co")
    text = page(Table.of([result(0, "writer=zip"), failed], [evil]), location(evil), evil, 1.0)
    assert "<script" not in text
    # Title, heading, command, table head, cell, words and reason.
    assert text.count("&lt;script&gt;") >= 7
    assert "&amp; co" in text


def test_figures_are_readable() -> None:
    text = rendered(result(0, "seed=1"), result(1, "seed=2"))
    for figure in ("<td>1,234</td>", "<td>617</td>", "<td>2.50 MB</td>", "<td>12.50%</td>",
                   "<td>0.500</td>", "<td>0.200</td>", "<td>-</td>"):  # fmt: skip
        assert text.count(figure) == 2
    assert "2 jobs, 2,468 samples, 5.00 MB" in text
    assert "after 1 min 1 s" in text


def test_sheets_are_embedded_as_they_are(tmp_path: Path) -> None:
    folder = preview(tmp_path / "one", 300)
    text = rendered(result(0, "seed=1", folder=folder))
    (sheet,) = re.findall(r'<img src="data:image/jpeg;base64,(.*?)" width="300" height="150"', text)
    assert base64.b64decode(sheet) == (folder / "preview.jpg").read_bytes()


def test_many_large_sheets_become_smaller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = preview(tmp_path / "one", 1200)
    size = (folder / "preview.jpg").stat().st_size
    monkeypatch.setattr(page_module, "_SHEETS_BYTES", 2 * size // 4)
    text = rendered(*(result(number, f"seed={number}", folder=folder) for number in range(2)))
    sheets = [base64.b64decode(one) for one in re.findall(r'base64,(.*?)"', text)]
    assert len(sheets) == 2
    for sheet in sheets:
        assert len(sheet) < size / 3
        with Image.open(io.BytesIO(sheet)) as image:
            assert image.size == (600, 300)


@pytest.mark.parametrize("content", [None, b"", b"no picture", b"GIF89a"])
def test_a_sheet_that_cannot_be_read_is_left_out(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "preview.jpg").write_bytes(content)
    assert "<img" not in rendered(result(0, "seed=1", folder=tmp_path))


@pytest.mark.parametrize(
    ("jobs", "abreast"),
    [
        ([("a=1", "b=1"), ("a=1", "b=2"), ("a=2", "b=1"), ("a=2", "b=2")], 2),
        ([("a=1", "b=1"), ("a=1", "b=2"), ("a=1", "b=3")], 3),
        ([(f"a={number}",) for number in range(40)], 2),
        ([("a=1",)], 1),
    ],
)
def test_the_setting_that_changes_fastest_has_columns(
    jobs: list[tuple[str, ...]], abreast: int
) -> None:
    text = rendered(*(result(number, *words) for number, words in enumerate(jobs)))
    assert f"grid-template-columns: repeat({abreast}, " in text
