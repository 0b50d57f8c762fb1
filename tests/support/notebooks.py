"""Runs cells of a notebook in a kernel of its own."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

from tests.support.paths import ROOT


def execute(folder: Path, *cells: str) -> list[list[Any]]:
    """The outputs of each cell; errors are among them. The kernel works in `folder`."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(one) for one in cells])
    run_notebook(notebook, folder, allow_errors=True)
    return [cell.outputs for cell in notebook.cells]


def run_notebook(notebook: Any, folder: Path, *, allow_errors: bool = False) -> None:
    """Run a notebook, which gets its outputs; raises for a cell that fails, unless allowed."""
    client = NotebookClient(
        notebook,
        timeout=120,
        allow_errors=allow_errors,
        resources={"metadata": {"path": str(folder)}},
    )
    path = os.pathsep.join([str(ROOT), *sys.path])
    client.execute(env={**os.environ, "PYTHONPATH": path})
