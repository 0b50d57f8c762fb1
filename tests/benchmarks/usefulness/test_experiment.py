"""Draws of photographs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.usefulness import (
    sets,
)
from benchmarks.usefulness.composites import Workshop


def test_draws_are_of_the_pool(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    from benchmarks.usefulness.experiment import Experiment

    blank = np.zeros((2, 2, 3), np.uint8)
    names = [f"PennPed{n:05d}" for n in range(1, 97)]
    pictures = [
        sets.Picture("people", name, sets.block_of(name), blank, blank, blank) for name in names
    ]
    experiment = Experiment({"people": pictures}, Workshop(tmp_path, tmp_path), tmp_path)
    draws = [experiment.draw(12, number) for number in range(4)]
    for draw in draws:
        assert all(sets.part_of("people", picture.scene) == "pool" for picture in draw)
        assert len({picture.name for picture in draw}) == 12
        assert len({picture.scene for picture in draw}) > 2
    assert len({draw[0].name for draw in draws}) > 1
    assert experiment.draw(10, 3) == draws[3][:10], "larger draws have the smaller ones"
