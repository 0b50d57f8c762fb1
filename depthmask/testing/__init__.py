"""Conformance suites: what the framework expects of a stage, as tests that three lines inherit.

    from depthmask.testing import PlacementSuite

    class TestGrid(PlacementSuite):
        stage_class = Grid

pytest runs them with the rest of a plugin's tests; the built-in stages pass them the same way.
`settings` is what the stage is made with, where its defaults do not do; a fixture `stage` of the
subclass, which returns a new one, where files are needed besides.
"""

from __future__ import annotations

import pytest

_SUITES = ("base", "blend", "depth", "geometry", "placement", "runner", "source", "writer")
pytest.register_assert_rewrite(*(f"{__name__}.{name}" for name in _SUITES))

# After that line, or the failures of these modules would not show their values.
from depthmask.testing.blend import BlendSuite  # noqa: E402
from depthmask.testing.depth import DepthSuite  # noqa: E402
from depthmask.testing.geometry import GeometrySuite  # noqa: E402
from depthmask.testing.placement import PlacementSuite  # noqa: E402
from depthmask.testing.runner import RunnerSuite  # noqa: E402
from depthmask.testing.source import SourceSuite  # noqa: E402
from depthmask.testing.writer import WriterSuite  # noqa: E402

__all__ = [
    "BlendSuite",
    "DepthSuite",
    "GeometrySuite",
    "PlacementSuite",
    "RunnerSuite",
    "SourceSuite",
    "WriterSuite",
]
