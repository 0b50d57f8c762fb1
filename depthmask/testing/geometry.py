"""What is expected of a geometry."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from depthmask.contract import check_depth
from depthmask.data import Background, Float32
from depthmask.errors import UsageError
from depthmask.stages.geometry.base import Geometry
from depthmask.testing.base import StageSuite
from depthmask.testing.job import CANVAS, frozen, rooms


class GeometrySuite(StageSuite):
    """Completes backgrounds with depth that keeps the contract, and leaves their pictures alone."""

    def test_measures_what_needs_it(self, stage: Any) -> None:
        """Each background comes back, in its place, with depth if a contract promises it."""
        for known in (0, 1):
            given = _backgrounds(known=bool(known))
            contract = stage.contract(CANVAS, float(known))
            assert type(stage.needs_measuring(bool(known))) is bool
            measured = _measured(stage, given)
            if measured is None:
                continue
            assert [one.key for one in measured] == [one.key for one in given]
            for before, after in zip(given, measured, strict=True):
                assert np.array_equal(before.image, after.image)
                if contract is not None and (known or stage.needs_measuring(False)):
                    check_depth(after.depth_m, contract, after.key)

    def test_gives_the_same_every_time(self, stage: Any) -> None:
        """Alone and among others: answers are kept, and must not depend on who asked first."""
        given = _backgrounds(known=False)
        together = _measured(stage, given)
        alone = [_measured(stage, [one]) for one in given]
        for number, others in enumerate(alone):
            if together is None or others is None:
                assert together is others, "refused alone or among others only"
            else:
                assert _equal(together[number].depth_m, others[0].depth_m)

    def test_names_what_its_numbers_depend_on(self, stage: Any) -> None:
        """The cache keeps its answers by this key."""
        assert stage.cache_key
        assert type(stage.cache_key) is str


def _backgrounds(*, known: bool) -> list[Background]:
    source = rooms()
    made = [source.background(key, CANVAS) for key in source.backgrounds()]
    return [frozen(one if known else replace(one, depth_m=None, plane=None)) for one in made]


def _measured(stage: Geometry, backgrounds: list[Background]) -> list[Background] | None:
    """None where the stage refuses backgrounds without depth of their own, in one clear line."""
    try:
        return stage.measure(backgrounds)
    except UsageError:
        if backgrounds[0].depth_m is not None:
            raise
        return None


def _equal(one: Float32 | None, other: Float32 | None) -> bool:
    if one is None or other is None:
        return one is other
    return np.array_equal(one, other)
