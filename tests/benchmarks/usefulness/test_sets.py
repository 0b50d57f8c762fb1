"""The real photographs: scenes, parts, squares."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.usefulness import (
    repositories,
    sets,
)
from tests.support.usefulness import write_person


def test_scenes_and_halves() -> None:
    assert sets.scene_of("office__000050") == sets.scene_of("office__7") == "office"
    assert sets.scene_of("tum_desk_2") == "tum_desk"
    names = [f"scene{n}" for n in range(2000)]
    for kind, shares in sets.SHARES.items():
        parts = [sets.part_of(kind, name) for name in names]
        assert sum(shares.values()) == 100
        for part, share in shares.items():
            assert parts.count(part) / len(parts) == pytest.approx(share / 100, abs=0.04)
    # Of a name alone, for good: a scene that changed sides would have been looked at.
    assert [sets.part_of("rgbd", name) for name in names[:4]] == [
        "choosing",
        "final",
        "choosing",
        "choosing",
    ]


def test_people_are_in_scenes_of_eight() -> None:
    """Neighbours show the same street, so a scene of one photograph would be in two parts."""
    names = [f"FudanPed{n:05d}" for n in range(1, 75)] + [f"PennPed{n:05d}" for n in range(1, 97)]
    scenes = {name: sets.block_of(name) for name in names}
    assert scenes["FudanPed00007"] == "FudanPed0..7"
    assert scenes["FudanPed00008"] == scenes["FudanPed00015"] == "FudanPed8..15"
    assert scenes["PennPed00008"] == "PennPed8..15"
    assert sets.block_of("street__000050") == "street"
    parts = [sets.part_of("people", scene) for scene in set(scenes.values())]
    assert {part: parts.count(part) for part in sets.SHARES["people"]} == {
        "pool": 7, "choosing": 8, "final": 8,
    }  # fmt: skip
    pool = [name for name, scene in scenes.items() if sets.part_of("people", scene) == "pool"]
    assert len(pool) == 56


@pytest.mark.parametrize("least", [480, 375, 427, 360, 331, 120])
def test_truth_is_not_moved_against_the_picture(least: int) -> None:
    for ramp in np.meshgrid(*[np.arange(least, dtype=np.float32) * 160 / least] * 2):
        moved = sets.square(ramp, 160, nearest=True) - sets.square(ramp, 160)
        assert abs(moved[5:-5, 5:-5].mean()) < 0.05


def test_the_middle_square() -> None:
    wide = np.zeros((2, 6), np.float32)
    wide[:, 2:4] = 7
    assert (sets.square(wide, 4, nearest=True) == 7).all()


def test_photographs_with_masks(tmp_path: Path) -> None:
    write_person(tmp_path / "people", "Street1")
    (picture,) = sets.people(tmp_path / "people")
    assert picture.image.shape == (160, 160, 3)
    assert picture.image[0, 0].tolist() == [200, 30, 10]
    assert picture.truth.dtype == bool
    assert picture.truth.mean() == pytest.approx(0.25, abs=0.02)
    assert sets.read_set(tmp_path, "rgbd") == []


def test_eight_scenes_in_each_half() -> None:
    """Fewer have no interval."""
    scenes = {frames.scene for frames in repositories.FRAMES}
    parts = [sets.part_of("rgbd", scene) for scene in scenes]
    assert min(parts.count("choosing"), parts.count("final")) >= 8
    assert parts.count("pool") >= 5
    assert all(sets.scene_of(f"{scene}__a") == scene for scene in scenes)


def test_the_digest_of_the_test_data_sees_each_pixel(tmp_path: Path) -> None:
    write_person(tmp_path / "people", "Street1")
    before = sets.digest_of(sets.people(tmp_path / "people"))
    assert sets.digest_of(sets.people(tmp_path / "people")) == before
    write_person(tmp_path / "people", "Street1", 1)
    assert sets.digest_of(sets.people(tmp_path / "people")) != before
