"""Says in one line how many files were left out, and why."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from depthmask.data import LeftOut

_MOST_REASONS = 5
"""The most reasons in a line; `dataset.json` has all."""


def left_out_in_one_line(left_out: Iterable[LeftOut]) -> str:
    """`3 files not used: 2 HEIC (save as JPEG or PNG), 1 in a sub-folder (move into bg/)`.

    Empty if no file was left out.
    """
    counts, kinds = Counter[str](), Counter[str]()
    remedies = defaultdict[str, set[str]](set)
    for asset in left_out:
        what, _, remedy = asset.reason.partition("; ")
        counts[what] += asset.files
        kinds[asset.kind] += asset.files
        remedies[what].add(remedy)
    if not counts:
        return ""
    most_common = counts.most_common(_MOST_REASONS)
    reasons = [f"{count:,} {what}{_in_brackets(remedies[what])}" for what, count in most_common]
    if rest := counts.total() - sum(count for _, count in most_common):
        reasons.append(f"{rest:,} for other reasons")
    numbers = [f"{count:,} {kind}{'' if count == 1 else 's'}" for kind, count in kinds.items()]
    return f"{' and '.join(numbers)} not used: {', '.join(reasons)}"


def _in_brackets(remedies: set[str]) -> str:
    """What to do about a reason, if it is the same for all of its files, in brackets."""
    remedy = next(iter(remedies)) if len(remedies) == 1 else ""
    return f" ({remedy})" if remedy else ""
