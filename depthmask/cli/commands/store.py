"""`depthmask store`: show the size of the asset store, or clear it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from depthmask.asset_store.folder import StoredFile, clear, store_folder, stored_files
from depthmask.cli import lines
from depthmask.cli.usage.parser import parse
from depthmask.reports.dataset.formatting import counted
from depthmask.reports.units import size

_TITLES = {
    "backgrounds": "prepared backgrounds",
    "foregrounds": "prepared cut-outs",
    "jpegs": "coded backgrounds",
    "checks": "what looking at files has told",
    "depth": "measured depth of backgrounds",
    "floors": "floors of backgrounds",
    "looks": "how pictures look, for splits",
}
"""The last word of a group -> what its entries are."""


def main(arguments: Sequence[str]) -> int:
    """Print a line for each group of entries; with `--clear`, remove all."""
    options = parse("store", arguments)
    files = list(stored_files())
    total = sum(one.bytes for one in files)
    if options["clear"]:
        clear()
        lines.show(f"{store_folder()}: {counted(len(files), 'file')} removed, {size(total)}")
        return 0
    lines.show(f"{store_folder()}: {counted(len(files), 'file')}, {size(total)}")
    for row in _rows(files):
        lines.show(row)
    return 0


def _rows(files: Iterable[StoredFile]) -> Iterable[str]:
    """Yield a line for each group, the largest first."""
    by_group: dict[str, list[int]] = {}
    for one in files:
        by_group.setdefault(one.group, []).append(one.bytes)
    for group in sorted(by_group, key=lambda one: -sum(by_group[one])):
        sizes = by_group[group]
        yield f"{_title(group):<44} {counted(len(sizes), 'file'):>13} {size(sum(sizes)):>9}"


def _title(group: str) -> str:
    """What the entries of a group are, and of which source."""
    source, dash, kind = group.rpartition("-")
    title = _TITLES.get(kind, group)
    return f"{title} of source={source}" if dash else title
