"""Conformance suites: the framework's requirements on a stage, as tests to inherit in three lines.

    from depthmask.testing import PlacementSuite

    class TestGrid(PlacementSuite):
        stage_class = Grid

pytest runs them with the other tests of a plugin; the built-in stages pass them as well. A class
attribute `settings` holds the settings of the stage, if its defaults are not enough; a fixture
`stage` in the subclass returns a new stage, if it needs files.
"""

from __future__ import annotations

import pytest

_SUITES = (
    *("base", "blend", "depth", "geometry", "labels", "placement", "runner", "source", "writer"),
)
pytest.register_assert_rewrite(*(f"{__name__}.{name}" for name in _SUITES))

# Imported after that line, so that failures in these modules show values.
from depthmask.testing.blend import BlendSuite  # noqa: E402
from depthmask.testing.depth import DepthSuite  # noqa: E402
from depthmask.testing.geometry import GeometrySuite  # noqa: E402
from depthmask.testing.labels import LabelsSuite  # noqa: E402
from depthmask.testing.placement import PlacementSuite  # noqa: E402
from depthmask.testing.runner import RunnerSuite  # noqa: E402
from depthmask.testing.source import SourceSuite  # noqa: E402
from depthmask.testing.writer import WriterSuite  # noqa: E402

__all__ = [
    "BlendSuite",
    "DepthSuite",
    "GeometrySuite",
    "LabelsSuite",
    "PlacementSuite",
    "RunnerSuite",
    "SourceSuite",
    "WriterSuite",
]
