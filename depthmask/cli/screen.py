"""The display of a command, on stderr."""

from __future__ import annotations

from depthmask.cli import lines
from depthmask.config.root import ProgressStyle
from depthmask.engine.displays import screen


class Screen(screen.Screen):
    """Shows lines and progress on stderr; errors come in the same style afterwards."""

    def __init__(self, style: ProgressStyle = ProgressStyle.auto) -> None:
        super().__init__(style)
        lines.use(self.style.name)
