"""Says in one line how many files were left out, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from depthmask.data import LeftOut

_MOST_REASONS = 5
"""The most reasons in a line; `dataset.json` has all."""


def left_out_in_one_line(left_out: Iterable[LeftOut]) -> str:
    """`3 files not used: 2 HEIC (save as JPEG or PNG), 1 in a sub-folder (move into bg/)`.

    Empty if no file was left out.
    """
    counts: Counter[str] = Counter()
    for asset in left_out:
        counts[asset.reason] += asset.files
    if not counts:
        return ""
    reasons = [f"{count:,} {_in_brackets(one)}" for one, count in counts.most_common(_MOST_REASONS)]
    if rest := counts.total() - sum(count for _, count in counts.most_common(_MOST_REASONS)):
        reasons.append(f"{rest:,} for other reasons")
    files = "1 file" if counts.total() == 1 else f"{counts.total():,} files"
    return f"{files} not used: {', '.join(reasons)}"


def _in_brackets(reason: str) -> str:
    """The reason with what to do about it in brackets, so that reasons can stand in a list."""
    what, _, remedy = reason.partition("; ")
    return f"{what} ({remedy})" if remedy else what
