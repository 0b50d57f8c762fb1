"""`depthmask prepare source.root=DIR output=OUT`: save prepared backgrounds, cut-outs and masks."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from depthmask.cli.screen import Screen
from depthmask.config.compose import compose_root
from depthmask.config.resources import check_resources
from depthmask.config.root import Root
from depthmask.data import AssetCatalogue
from depthmask.engine.prepared_assets import write_prepared
from depthmask.engine.run import assets_in_one_line
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
    screen = Screen()
    try:
        check_resources([("source", root.source)])
        catalogue = catalogue_of(root.source, root.canvas)
        try:
            _write(root, catalogue, output, screen)
        except OSError as error:
            raise disk_error(error, output) from error
    finally:
        screen.close()
    print(assets_in_one_line(catalogue, root.source.name), file=sys.stderr)
    for note in catalogue.notes:
        print(f"note: {note}", file=sys.stderr)
    for asset in catalogue.left_out[:_MOST_NAMED]:
        print(f"left out: {asset.file}: {asset.reason}", file=sys.stderr)
    if (more := len(catalogue.left_out) - _MOST_NAMED) > 0:
        print(f"left out: {more:,} more", file=sys.stderr)
    print(output)
    return 0


def _write(root: Root, catalogue: AssetCatalogue, output: Path, screen: Screen) -> None:
    """Write into a temporary folder and rename it at the end, so that the output is complete."""
    output.parent.mkdir(parents=True, exist_ok=True)
    count = len(catalogue.backgrounds) + len(catalogue.foregrounds)
    with tempfile.TemporaryDirectory(prefix=f".{output.name}-", dir=output.parent) as scratch:
        draft = Path(scratch) / output.name
        draft.mkdir()
        with screen.bar("assets", count, "assets") as advance:
            write_prepared(root.source, catalogue, root.canvas, draft, advance)
        if output.exists():
            output.rmdir()
        shutil.move(draft, output)
