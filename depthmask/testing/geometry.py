"""The requirements on a geometry."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from depthmask.compose.depth_check import check_depth
from depthmask.data import Background, Float32
from depthmask.engine.generate import Generate
from depthmask.errors import UsageError
from depthmask.stages.depth.layered import Layered
from depthmask.stages.depth.none import NoDepth
from depthmask.stages.geometry.base import Geometry
from depthmask.testing.base import StageSuite
from depthmask.testing.job import CANVAS, frozen, rooms, small_job


class GeometrySuite(StageSuite):
    """A geometry adds depth by its contract to backgrounds and keeps their images."""

    stage_class: ClassVar[type[Geometry]]

    def job_with(self, stage: Any, output: Path) -> Generate:
        """A small job that reads the geometry, if there is any."""
        depth = NoDepth() if stage.contract(CANVAS, 1.0) is None else Layered()
        return small_job(output, geometry=stage, depth=depth)

    def use(self, stage: Any, folder: Path) -> None:
        """Measure backgrounds without depth as well."""
        super().use(stage, folder)
        _measured(stage, _backgrounds(known=False))

    def test_measures_what_needs_it(self, stage: Any) -> None:
        """All backgrounds are returned in order, with depth if there is a contract."""
        for known in (0, 1):
            backgrounds = _backgrounds(known=bool(known))
            contract = stage.contract(CANVAS, float(known))
            assert type(stage.needs_measuring(bool(known))) is bool
            measured = _measured(stage, backgrounds)
            if measured is None:
                continue
            assert [one.key for one in measured] == [one.key for one in backgrounds]
            for before, after in zip(backgrounds, measured, strict=True):
                assert np.array_equal(before.image, after.image)
                if contract is not None and (known or stage.needs_measuring(False)):
                    check_depth(after.depth_m, contract, after.key)

    def test_gives_the_same_every_time(self, stage: Any) -> None:
        """Depth is cached, so it must not depend on the other backgrounds of a batch."""
        backgrounds = _backgrounds(known=False)
        batched = _measured(stage, backgrounds)
        alone = [_measured(stage, [one]) for one in backgrounds]
        for number, others in enumerate(alone):
            if batched is None or others is None:
                assert batched is others, "refused either alone or in a batch, but not both"
            else:
                assert _equal(batched[number].depth_m, others[0].depth_m)

    def test_names_what_its_numbers_depend_on(self, stage: Any) -> None:
        """A geometry has a `cache_key`, under which depth is cached."""
        assert stage.cache_key
        assert type(stage.cache_key) is str


def _backgrounds(*, known: bool) -> list[Background]:
    source = rooms()
    full = [source.background(key, CANVAS) for key in source.backgrounds()]
    return [frozen(one if known else replace(one, depth_m=None, plane=None)) for one in full]


def _measured(stage: Geometry, backgrounds: list[Background]) -> list[Background] | None:
    """The measured backgrounds; None if the stage refuses those without depth."""
    try:
        measured = stage.measure(backgrounds)
    except UsageError:
        if backgrounds[0].depth_m is not None:
            raise
        return None
    assert len(measured) == len(backgrounds)
    return measured


def _equal(one: Float32 | None, other: Float32 | None) -> bool:
    if one is None or other is None:
        return one is other
    return np.array_equal(one, other)
