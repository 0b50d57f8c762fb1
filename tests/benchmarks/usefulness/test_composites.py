"""What networks are trained on."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.usefulness import (
    composites,
    identity,
    sets,
)
from benchmarks.usefulness.composites import Examples, Workshop, joined, run_lengths
from tests.support.usefulness import RECIPE, write_person


def test_labels_are_unknown_near_edges() -> None:
    mask = np.zeros((9, 9), np.uint8)
    mask[:, 4:] = 255
    mask[0, 0] = 7
    near = composites.near_edge(mask, 2)
    assert near[5].tolist() == [False, False, True, True, True, True, False, False, False]
    assert near[0, 0], "what is covered in part"
    assert not composites.near_edge(mask, 0).any()


def test_run_lengths_go_down_the_columns() -> None:
    mask = np.array([[0, 1], [1, 1], [0, 0]], bool)
    assert run_lengths(mask) == [1, 1, 1, 2, 1]
    assert run_lengths(~mask) == [0, 1, 1, 1, 2, 1]


def test_few_photographs_are_half_of_what_is_trained_on() -> None:
    def examples(count: int) -> Examples:
        images = np.full((count, 160, 160, 3), count, np.uint8)
        return Examples(images, np.zeros((count, 160, 160), np.float32))

    whole = joined([examples(9), examples(3)])
    assert np.unique(whole.images[:, 0, 0, 0], return_counts=True)[1].tolist() == [9, 9]


def test_data_is_made_anew_for_other_sources_and_seeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And for other code; the same once."""
    made: list[str] = []
    monkeypatch.setattr(composites, "_run", lambda words: made.append(words[-1]))
    monkeypatch.setattr(composites, "_loaded", lambda folder, task: None)
    recipe = dataclasses.replace(RECIPE, words=("source.root={cluttered}",))
    (tmp_path / "cluttered").mkdir()
    (tmp_path / "out").mkdir()

    def make(seed: int, content: bytes) -> None:
        (tmp_path / "cluttered" / "a.png").write_bytes(content)
        identity.content_of.cache_clear()
        Workshop(tmp_path, tmp_path / "out").composites(recipe, [], 8, seed)

    for seed, content in ((0, b"1"), (0, b"1"), (1, b"1"), (0, b"2")):
        make(seed, content)
    monkeypatch.setattr(composites, "pixel_state", lambda: "other")
    make(0, b"2")
    assert len(made) == len(set(made)) == 4


def test_photographs_are_cut_before_they_are_pasted(tmp_path: Path) -> None:
    """To the square that networks are tried on; who is outside of it is no object."""
    folder = tmp_path / "data" / "people"
    write_person(folder, "Street1")
    for part in ("images", "masks"):
        path = str(folder / part / "Street1.png")
        picture = cv2.imread(path, cv2.IMREAD_UNCHANGED)
        assert picture is not None
        wide = cv2.copyMakeBorder(picture, 0, 0, 40, 40, cv2.BORDER_CONSTANT)
        if part == "masks":
            wide[10:20, :10] = 2
        cv2.imwrite(path, wide)
    workshop = Workshop(tmp_path / "data", tmp_path / "out")
    made = workshop._photographs(sets.people(folder))
    kept = json.loads((made / "annotations.json").read_text())
    assert [(one["height"], one["width"]) for one in kept["images"]] == [(80, 80)]
    cut = cv2.imread(str(made / "Street1.png"))
    assert cut is not None
    assert cut.shape == (80, 80, 3)
    assert [one["bbox"] for one in kept["annotations"]] == [[20, 20, 40, 40]]
