"""Names what provides a stage, a preset, a command or a statistic."""

from __future__ import annotations

from dataclasses import dataclass

BUILT_IN = "built-in"


@dataclass(frozen=True, slots=True)
class Provider:
    """What provides a stage: `built-in`, a distribution and its version, or a file and its hash."""

    name: str
    version: str = ""
    is_package: bool = True

    def __str__(self) -> str:
        return f"{self.name} {self.version}".strip()
