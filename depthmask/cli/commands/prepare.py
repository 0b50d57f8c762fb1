"""`depthmask prepare source.root=DIR output=OUT`: save prepared backgrounds, cut-outs and masks."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from depthmask.cli import dry_run
from depthmask.cli.lines import show_path
from depthmask.cli.screen import Screen
from depthmask.config.compose import compose_root
from depthmask.config.resources import check_resources
from depthmask.config.root import Root
from depthmask.data import AssetCatalogue
from depthmask.engine.display import checking_assets
from depthmask.engine.from_config import keep_apart
from depthmask.engine.prepared_assets import write_prepared
from depthmask.engine.run_lines import assets_in_one_line
from depthmask.errors import UsageError
from depthmask.stages.source.base import catalogue_of
from depthmask.storage.location import location
from depthmask.storage.publish import disk_error

_MOST_NAMED = 20


def main(arguments: Sequence[str]) -> int:
    """Write the prepared assets as files with matching names, at the size that a run uses."""
    names_source = any(word.lstrip("+").startswith(("source=", "preset=")) for word in arguments)
    root = compose_root([*([] if names_source else ["source=assets"]), *arguments])
    if root.output is None:
        raise UsageError("prepare needs output=FOLDER, the folder for the files")
    output = location(root.output)
    if not isinstance(output, Path):
        raise UsageError(f"output={output}: prepare can write only to a local folder")
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise UsageError(f"output={output} is not empty; choose a new folder")
    with Screen(root.progress) as screen:
        check_resources([("source", root.source)])
        with checking_assets(screen):
            catalogue = catalogue_of(root.source, root.canvas)
        keep_apart(catalogue, output)
        if dry_run.is_used():
            _show_forecast(root, output, screen)
        else:
            try:
                lost = _write(root, catalogue, output, screen)
            except OSError as error:
                raise disk_error(error, output) from error
            _show_lost(lost, screen)
        _show_assets(catalogue, root.source.name, screen)
    show_path(output)
    return 0


def _show_forecast(root: Root, output: Path, screen: Screen) -> None:
    """Show what would be written."""
    height, width = root.canvas
    screen.line(f"output    {output}, a new folder, with PNG for a canvas of {height}x{width}")
    screen.line("nothing was written (--dry-run)", "dry-run", output=str(output))


def _show_assets(catalogue: AssetCatalogue, source: str, screen: Screen) -> None:
    """Show how many assets there are, and which files are left out."""
    screen.line(assets_in_one_line(catalogue, source))
    for note in catalogue.notes:
        screen.line(note, "note")
    for asset in catalogue.left_out[:_MOST_NAMED]:
        screen.line(f"left out: {asset.file}: {asset.reason}")
    if (more := len(catalogue.left_out) - _MOST_NAMED) > 0:
        screen.line(f"left out: {more:,} more")


def _show_lost(instances: int, screen: Screen) -> None:
    """Say how many instances of backgrounds the files do not have."""
    if instances:
        of = "instance" if instances == 1 else "instances"
        are = "is" if instances == 1 else "are"
        screen.line(
            f"{instances:,} {of} of backgrounds {are} not written; assets.csv has no masks", "note"
        )


def _write(root: Root, catalogue: AssetCatalogue, output: Path, screen: Screen) -> int:
    """Write into a temporary folder and rename it at the end, so that the output is complete.

    Returns as `write_prepared`.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    count = len(catalogue.backgrounds) + len(catalogue.foregrounds)
    with tempfile.TemporaryDirectory(prefix=f".{output.name}-", dir=output.parent) as scratch:
        draft = Path(scratch) / output.name
        draft.mkdir()
        with screen.bar("assets", count, "assets") as advance:
            lost = write_prepared(root.source, catalogue, root.canvas, draft, advance)
        if output.exists():
            output.rmdir()
        shutil.move(draft, output)
    return lost
