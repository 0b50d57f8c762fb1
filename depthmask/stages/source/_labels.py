"""The label of a cut-out that no table names: by its folder, or by a pattern of its name."""

from __future__ import annotations

import re
from functools import cached_property

from depthmask.errors import SettingError

DEFAULT = "foreground"
_LABEL, _WILDCARDS = "LABEL", {"LABEL": "(?P<label>[^/]+?)", "NUMBER": r"\d+", "*": "[^/]*?"}
"""Word of a pattern -> regular expression; each is as short as it can be, from the left."""
_WORD = re.compile(r"(LABEL|NUMBER|\*)")
_MOST_WORDS, _LONGEST = 4, 100
"""So that no pattern takes long for any name."""


class LabelPattern:
    """A pattern such as `LABEL_NUMBER`, which says `chair` of `chair_12`.

    With a slash it stands for the whole key, `LABEL/*/*` for one of two folders, and else for the
    name of the file alone.
    """

    def __init__(self, text: str) -> None:
        """Raises `SettingError` for a text that says no label."""
        self._text = text
        words = _WORD.findall(text)
        if words.count(_LABEL) != 1 or len(words) > _MOST_WORDS or len(text) > _LONGEST:
            raise SettingError(
                "label_pattern",
                text,
                f"must have LABEL once, and at most {_MOST_WORDS} of LABEL, NUMBER and *, as in "
                "LABEL_NUMBER",
            )

    @property
    def has_folders(self) -> bool:
        """Whether it says something of folders."""
        return "/" in self._text

    def label_of(self, key: str) -> str | None:
        """The label that the pattern says of a key; None if the key is another one."""
        name = key if self.has_folders else key.rpartition("/")[2]
        match = self._expression.fullmatch(name)
        return (match["label"].strip() or None) if match else None

    @cached_property
    def _expression(self) -> re.Pattern[str]:
        pieces = _WORD.split(self._text)
        return re.compile("".join(_WILDCARDS.get(one, re.escape(one)) for one in pieces))


def label_of(key: str, pattern: LabelPattern | None) -> str:
    """The label of a cut-out by its key.

    A pattern with folders comes before the folder that holds the file, that before a pattern of the
    name.
    """
    folder = key.rpartition("/")[0].rpartition("/")[2]
    by_pattern = pattern.label_of(key) if pattern else None
    if pattern and pattern.has_folders:
        return by_pattern or folder or DEFAULT
    return folder or by_pattern or DEFAULT
