"""Draws of photographs."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.usefulness import (
    sets,
)
from benchmarks.usefulness.composites import Workshop
from tests.support.usefulness import people


def test_draws_are_of_the_pool(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    from benchmarks.usefulness.experiment import Experiment

    pictures = people(96)
    experiment = Experiment({"people": pictures}, Workshop(tmp_path, tmp_path), tmp_path)
    draws = [experiment.draw(12, number) for number in range(4)]
    for draw in draws:
        assert all(sets.part_of("people", picture.scene) == "pool" for picture in draw)
        assert len({picture.name for picture in draw}) == 12
        assert len({picture.scene for picture in draw}) > 2
    assert len({draw[0].name for draw in draws}) > 1
    assert experiment.draw(10, 3) == draws[3][:10], "larger draws have the smaller ones"
