"""Photographs are placed where the harness reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.usefulness import (
    place,
    repositories,
    sets,
)
from tests.support.usefulness import write_person


def test_places_say_what_is_absent(tmp_path: Path) -> None:
    folder = tmp_path / "clones" / "PennFudan" / "data" / "PennFudanPed"
    write_person(folder, "a")
    (folder / "images").rename(folder / "PNGImages")
    (folder / "masks").rename(folder / "PedMasks")
    (folder / "PedMasks" / "a.png").rename(folder / "PedMasks" / "a_mask.png")
    lines = place.place(tmp_path / "clones", tmp_path / "data")
    assert lines[0] == "people: 1 photographs from github gmguarino/PennFudan"
    assert lines[1].startswith("seed-assets: nothing from github genigarus/DepthMaskDataset")
    assert lines[2].startswith("rgbd: nothing from github andyzeng/tsdf-fusion-python")
    assert lines[-1] == "cluttered: 0 photographs of 0 scenes of the pool of rgbd"
    assert len(sets.people(tmp_path / "data" / "people")) == 1


def test_frames_are_placed_in_millimetres(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frames = repositories.Frames("s", "me/mine", "a/{}.png", "z/{}.png", (1, 2, 3), 0.5, far=3)
    monkeypatch.setattr(place, "FRAMES", (frames,))
    monkeypatch.setattr(place, "SOURCES", (place.Source("rgbd", "me/mine", place._frames),))
    for folder in ("a", "z"):
        (tmp_path / "mine" / folder).mkdir(parents=True)
    depth = np.array([[0, 2000], [6001, 65535]], np.uint16)
    for name in (1, 3):
        cv2.imwrite(str(tmp_path / "mine" / "a" / f"{name}.png"), np.zeros((4, 4, 3), np.uint8))
        cv2.imwrite(str(tmp_path / "mine" / "z" / f"{name}.png"), depth)
    assert place.place(tmp_path, tmp_path)[0] == "rgbd: 2 photographs from github me/mine"
    placed = sets.rgbd(tmp_path / "rgbd")
    assert [(picture.scene, picture.name) for picture in placed] == [
        ("s", "s__mine-a-1"), ("s", "s__mine-a-3"),
    ]  # fmt: skip
    assert (
        _read(tmp_path / "rgbd" / "s__mine-a-1.depth_mm.png").tolist()
        == [[0, 0, 1000, 1000]] * 2 + [[0, 0, 0, 0]] * 2
    )


def test_backgrounds_are_of_the_pool_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is pasted into is never tried on; clutter has no people."""
    names = [f"scene{n}" for n in range(30)]
    pool = [name for name in names if sets.part_of("rgbd", name) == "pool"]
    crowd = repositories.Frames(pool[0], "me/mine", "a.png", "z.png", people=True)
    monkeypatch.setattr(place, "FRAMES", (crowd,))
    for folder in ("rgbd", "seed-assets/fg"):
        (tmp_path / folder).mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "seed-assets" / "fg" / "a.png"), np.zeros((4, 4, 4), np.uint8))
    for name in names:
        cv2.imwrite(str(tmp_path / "rgbd" / f"{name}__1.rgb.png"), np.zeros((4, 4, 3), np.uint8))
        depth = np.full((4, 4), 1500, np.uint16)
        cv2.imwrite(str(tmp_path / "rgbd" / f"{name}__1.depth_mm.png"), depth)
    place.place(tmp_path / "none", tmp_path)
    placed = {
        folder: sorted(path.stem for path in (tmp_path / folder).iterdir())
        for folder in ("measured/bg", "measured/bg_depth", "cluttered/bg", "cluttered/fg")
    }
    expected = sorted(f"{name}__1" for name in pool)
    assert placed["measured/bg"] == placed["measured/bg_depth"] == expected
    assert placed["cluttered/bg"] == sorted(f"{name}__1" for name in pool[1:])
    assert placed["cluttered/fg"] == ["a"]
    assert (_read(tmp_path / "measured" / "bg_depth" / f"{pool[0]}__1.png") == 1500).all()


def _read(path: Path) -> NDArray[Any]:
    values = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert values is not None
    return values
