"""Draws of photographs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.usefulness import (
    sets,
)
from benchmarks.usefulness.composites import Workshop


def _people(count: int) -> list[sets.Picture]:
    blank = np.zeros((2, 2, 3), np.uint8)
    names = [f"PennPed{n:05d}" for n in range(1, count + 1)]
    return [
        sets.Picture("people", name, sets.block_of(name), blank, blank, blank) for name in names
    ]


def test_a_contact_sheet_has_a_picture_of_each_scene(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    from benchmarks.usefulness.experiment import SHOWN, kept_sheet, shown_of

    shown = shown_of(_people(300))
    assert len({picture.scene for picture in shown}) == len(shown) == SHOWN
    assert all(sets.part_of("people", picture.scene) == sets.CHOOSING for picture in shown)
    assert shown_of(shown) == shown
    few = [picture for picture in shown_of(_people(300)) if picture.scene == shown[2].scene]
    assert shown_of(few) == few
    assert shown_of([]) == []
    kept = tmp_path / "sheet.npz"
    assert kept_sheet(kept, shown) is None
    maps = np.arange(SHOWN * 4, dtype=np.float16).reshape(SHOWN, 2, 2)
    np.savez_compressed(kept, keys=np.array([picture.key for picture in shown]), maps=maps)
    again = kept_sheet(kept, shown)
    assert again is not None
    assert np.array_equal(again, maps)
    assert kept_sheet(kept, shown[1:]) is None, "of other photographs"


def test_draws_are_of_the_pool(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    from benchmarks.usefulness.experiment import Experiment

    pictures = _people(96)
    experiment = Experiment({"people": pictures}, Workshop(tmp_path, tmp_path), tmp_path)
    draws = [experiment.draw(12, number) for number in range(4)]
    for draw in draws:
        assert all(sets.part_of("people", picture.scene) == "pool" for picture in draw)
        assert len({picture.name for picture in draw}) == 12
        assert len({picture.scene for picture in draw}) > 2
    assert len({draw[0].name for draw in draws}) > 1
    assert experiment.draw(10, 3) == draws[3][:10], "larger draws have the smaller ones"
