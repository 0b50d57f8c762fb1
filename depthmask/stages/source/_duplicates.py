"""Names pictures that are in a folder twice, by the hashes of their contents."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

_MOST_NAMED = 3
"""The most groups of pictures that a note names."""


def duplicates(contents: Mapping[str, Sequence[str]], kind: str) -> Iterator[str]:
    """Yield a note about pictures with the same content, if there are any.

    contents: name of a picture -> the hashes of its files, such as those of a cut-out and its mask.
    kind: what the pictures are, in the plural.
    """
    by_content: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for name, hashes in contents.items():
        by_content[tuple(hashes)].append(name)
    groups = [names for names in by_content.values() if len(names) > 1]
    if groups:
        surplus = sum(map(len, groups)) - len(groups)
        named = "; ".join(" = ".join(names[:_MOST_NAMED]) for names in groups[:_MOST_NAMED])
        is_all = len(groups) <= _MOST_NAMED and max(map(len, groups)) <= _MOST_NAMED
        verb = "is a copy" if surplus == 1 else "are copies"
        more = "" if is_all else "; ..."
        yield f"{surplus:,} of the {kind} {verb} of others, and drawn as often: {named}{more}"
