"""Derived files: those about a whole dataset, beside its shards, such as cards and label tables."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import partial
from math import inf

from depthmask.concurrency import parallel_map
from depthmask.errors import MOST_LISTED, refuse_machine_errors
from depthmask.storage.path import PREVIEW, StorePath
from depthmask.storage.record import ShardFile

CARD = "README.md"
"""Name of the card, which owners edit; it ends with its own hash, so that this is seen."""
CROISSANT = "croissant.json"
_OF_EVERY_RUN = (CARD, CROISSANT, PREVIEW)
"""The derived files of every dataset, unless making them failed."""
_SEAL = "\n<!-- depthmask made this card; sha256 of the text above: {} -->\n"
_SEALED = re.compile(_SEAL.format("([0-9a-f]{64})").encode() + rb"\Z")
_MOST_SEALED = 1 << 24
"""The most bytes of a card that is read; one with all licences of a source may be long."""


def with_seal(text: str) -> str:
    """The text of a card with a comment at its end that has its hash."""
    return text + _SEAL.format(hashlib.sha256(text.encode()).hexdigest())


def listed(name: str, content: bytes) -> ShardFile:
    """What `dataset.json` says about a file with this content."""
    return ShardFile(name, len(content), hashlib.sha256(content).hexdigest())


def is_edited_card(output: StorePath) -> bool:
    """Whether there is a card that depthmask did not write as it is, or an earlier version did."""
    path = output / CARD
    try:
        content = path.read_whole(_MOST_SEALED)
    except FileNotFoundError:
        return False
    except (OSError, ValueError) as error:
        refuse_machine_errors(path, error)
        return True
    seal = _SEALED.search(content)
    return seal is None or hashlib.sha256(content[: seal.start()]).hexdigest().encode() != seal[1]


def not_intact(output: StorePath, files: Iterable[ShardFile]) -> list[str]:
    """The names of the derived files that are missing or differ, apart from an edited card.

    files: those that are listed. Those that every run makes are missing if they are not listed.
    """
    listed = list(files)
    checks = parallel_map(output.parallel_checks(inf), partial(_is_intact, output), listed)
    damaged = [file.name for file, is_intact in zip(listed, checks, strict=True) if not is_intact]
    return [*damaged, *left_out(listed)]


def _is_intact(output: StorePath, file: ShardFile) -> bool:
    return output.is_intact(file) or (file.name == CARD and is_edited_card(output))


def left_out(files: Iterable[ShardFile]) -> list[str]:
    """The names of the files that every run makes, of which a run could not make these."""
    return sorted({*_OF_EVERY_RUN} - {file.name for file in files})


def other_files(output: StorePath, files: Iterable[ShardFile]) -> Iterator[str]:
    """Yield a line for each file beside the shards that no run wrote, or for a folder of them."""
    names = {file.name for file in files}
    folders = {name.partition("/")[0] for name in names if "/" in name}
    others: dict[str, int] = {}
    for name in output.derived_names():
        if name not in names:
            top, _, below = name.partition("/")
            shown = f"{top}/" if below and top not in folders else name
            others[shown] = others.get(shown, 0) + 1
    for shown in sorted(others)[:MOST_LISTED]:
        count = f" ({others[shown]:,} files)" if shown.endswith("/") else ""
        yield f"{shown}{count}: foreign, not written by the run, and not checked"
    if len(others) > MOST_LISTED:
        yield f"and {len(others) - MOST_LISTED:,} more that are foreign"
