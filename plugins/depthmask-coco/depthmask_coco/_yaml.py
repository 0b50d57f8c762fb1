"""Reads YAML of unknown origin: plain data, bounded, without anchors that could repeat for ever."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from depthmask import UsageError

MOST_BYTES = 1 << 20


class _PlainLoader(yaml.SafeLoader):  # type: ignore[misc]
    """Makes texts, numbers, lists and mappings, each once."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """The next node; refuses one that repeats another."""
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("it has an alias (*)")
        return super().compose_node(parent, index)


def load_yaml(path: Path, data: bytes) -> Any:
    """The value in a YAML file; raises `UsageError`, which names it."""
    try:
        return yaml.load(data, _PlainLoader)
    except (LookupError, AttributeError, TypeError):
        # What PyYAML's constructors raise for a text that is none of the tag's.
        raise UsageError(
            f"{path}: no YAML that can be used (a value does not fit its tag, such as !!bool); "
            "remove the tag"
        ) from None
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UsageError(f"{path}: no YAML that can be used ({reason}); replace it") from None
