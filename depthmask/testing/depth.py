"""The requirements on a depth stage."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from depthmask.codec.sample import DepthFormat, Encode
from depthmask.compose.depth_check import check_depth
from depthmask.data import Composite, DepthKind
from depthmask.engine.generate import Generate
from depthmask.stages.depth.base import Depth, Estimator
from depthmask.testing.base import StageSuite
from depthmask.testing.job import CANVAS, SAMPLES, own_cache, same, small_job
from depthmask.timing import Laps


class DepthSuite(StageSuite):
    """Depth maps keep their contract and do not depend on the other composites of a batch."""

    stage_class: ClassVar[type[Depth]]

    @pytest.fixture
    def job(self, stage: Any, tmp_path: Path) -> Any:
        """A small job with this depth stage."""
        with own_cache(tmp_path / "cache"):
            yield self.job_with(stage, tmp_path / "out")

    def job_with(self, stage: Any, output: Path) -> Generate:
        """A small job with this depth stage."""
        # A 16-bit PNG holds metres only; npz holds the values of any contract.
        return small_job(output, depth=stage, encode=Encode(depth=DepthFormat.npz))

    def test_keeps_its_contract(self, stage: Any, job: Generate) -> None:
        """Maps are float32 with the resolution and range of the contract, if there is one."""
        composites = _composites(job)
        maps = list(stage.annotate(composites))
        assert len(maps) == len(composites)
        for composite, depth in zip(composites, maps, strict=True):
            check_depth(depth, job.contract, composite.recipe.key)
            assert depth is None or depth.dtype == np.float32

    def test_the_same_alone_and_among_others(self, stage: Any, job: Generate) -> None:
        """A composite has the same depth alone and in a batch, so that samples are reproducible."""
        composites = _composites(job)
        batched = list(stage.annotate(composites))
        alone = [next(iter(stage.annotate([one]))) for one in composites]
        for one, other in zip(batched, alone, strict=True):
            assert np.array_equal(one, other) if one is not None else other is None

    def test_leaves_the_composites_as_they_are(self, stage: Any, job: Generate) -> None:
        """The shared composites are not changed."""
        composites = _composites(job)
        before = [one.image.copy() for one in composites]
        stage.annotate(composites)
        assert all(map(np.array_equal, before, (one.image for one in composites)))

    def test_makes_samples(self, job: Generate, stage: Any) -> None:
        """The framework makes the same samples each time."""
        first = [job.sample(index) for index in range(3)]
        assert all(map(same, first, map(job.sample, range(3))))

    def test_an_estimator_names_what_its_numbers_depend_on(self, stage: Any) -> None:
        """An estimator has a `cache_key`, under which geometry is cached."""
        if isinstance(stage, Estimator):
            assert stage.cache_key
            assert type(stage.cache_key) is str

    def test_geometry_has_metres(self, stage: Any) -> None:
        """An estimator of metres can be chosen as geometry, and any other cannot.

        Where settings decide, test the stage with those that give metres.
        """
        contract = stage.contract(CANVAS, None) if isinstance(stage, Estimator) else None
        if contract is not None:
            assert stage.serves_as_geometry is (contract.kind is DepthKind.metric_z), (
                f"{stage.name} gives {contract.kind.name}, and its class says "
                f"serves_as_geometry = {stage.serves_as_geometry}"
            )


def _composites(job: Generate) -> list[Composite]:
    recipes = job.plan.recipes(range(SAMPLES))
    composer = job._composer
    return [composer.blend(composer.place(recipe, Laps())) for recipe in recipes]
