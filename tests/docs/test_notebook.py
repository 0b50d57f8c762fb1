"""The notebook of the docs, from its top to its end; its cells compare values themselves."""

from __future__ import annotations

from pathlib import Path

import nbformat

from tests.support.notebooks import run_notebook
from tests.support.paths import ROOT
from tools.docs_pages import NOTEBOOK, links_of_site, notebook_page


def test_the_notebook_runs_from_its_top_to_its_end(tmp_path: Path) -> None:
    """With TensorFlow imported before its last run, which has spawned workers."""
    notebook = nbformat.read(ROOT / "docs" / NOTEBOOK, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    # Committed without outputs: they would be those of some other version.
    assert not any(cell.outputs for cell in code)
    run_notebook(notebook, tmp_path)
    assert "60 of 60 samples (100 %)" in code[0].outputs[0].data["text/plain"]
    pictures = [one for cell in code for one in cell.outputs if "image/png" in one.get("data", {})]
    assert len(pictures) == 2


def test_its_page_has_all_cells() -> None:
    page = notebook_page()
    for cell in nbformat.read(ROOT / "docs" / NOTEBOOK, as_version=4).cells:
        assert cell.source in page
    assert links_of_site(f"[it]({NOTEBOOK})", "python.md") == "[it](notebook.md)"
