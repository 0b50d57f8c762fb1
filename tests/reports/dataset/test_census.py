"""Counts over descriptions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from depthmask.reports.dataset.census import CELLS, Census


def layer(**changes: Any) -> dict[str, Any]:
    box = [2, 4, 4, 8]
    plain = {"foreground": "cup", "label": "mug", "box": box, "visible": 0.5, "depth_m": 2.345}
    return {**plain, **changes}


def meta(*layers: dict[str, Any], background: str = "wall") -> dict[str, Any]:
    return {"background": background, "layers": list(layers)}


def census(*metas: dict[str, Any], split: str = "train") -> Census:
    found = Census((16, 32))
    for number, one in enumerate(metas):
        found.add(number, split, one, {"json": b"{}", "jpg": b"12345"})
    found.count_pending()
    return found


def test_assets_are_counted_by_split() -> None:
    found = census(meta(layer(), layer(foreground="pot", label="pan")), meta(layer()))
    found.add(7, "val", meta(layer(), background="door"), {})
    assert found.samples == 3
    assert found.layers == 4
    assert found.backgrounds == {"train": {"wall": 2}, "val": {"door": 1}}
    assert found.foregrounds == {"train": {"cup": 2, "pot": 1}, "val": {"cup": 1}}
    assert found.labels == {"cup": "mug", "pot": "pan"}
    assert found.layers_by_label == {"mug": 3, "pan": 1}
    assert found.member_bytes == {"json": 4, "jpg": 10}
    assert found.first_samples["background", "door"] == 7
    assert found.first_samples["foreground", "cup"] == 0
    assert found.first_samples["label", "pan"] == 0


def test_instances_of_backgrounds_are_counted_by_label() -> None:
    own = [{"label": "mug"}, {"label": "cat"}, {"label": "mug"}]
    found = census(meta(layer()), {**meta(layer()), "background_instances": own})
    assert found.instances_by_label == {"mug": 2, "cat": 1}
    # The gallery shows every class, also one that is on backgrounds alone.
    assert found.first_samples["label", "mug"] == 0
    assert found.first_samples["label", "cat"] == 1
    assert found.layers_by_label == {"mug": 2}
    assert found.layers == 2


def test_a_sample_counts_by_its_most_visible_layer() -> None:
    found = census(
        meta(layer(visible=0.0)),
        meta(layer(visible=0.0), layer(visible=0.049)),
        meta(layer(visible=0.05), layer(visible=0.0)),
        meta(layer(visible=1.0)),
        {"background": "wall"},
    )
    assert (found.empty, found.nearly_empty, found.with_visibility) == (1, 2, 4)
    assert found.empty_examples == [0]
    assert found.visible.counts[[0, 4, 5, 99]].tolist() == [3, 1, 1, 1]


def test_box_centres_are_counted_beyond_the_canvas() -> None:
    # Row 4 of 16 and column 8 of 32 are a quarter of the canvas, which begins at a quarter.
    found = census(meta(layer()), meta(layer(box=[-900, 900, 2, 2])))
    quarter = CELLS // 4 + CELLS // 8
    wanted = np.zeros((CELLS, CELLS), np.int64)
    wanted[quarter, quarter] = 1
    wanted[0, -1] = 1
    assert np.array_equal(found.placement, wanted)
    assert found.box_sizes == ((2, 2), (4, 8))


def test_many_boxes_are_counted_in_batches() -> None:
    found = Census((16, 32))
    for number in range(9000):
        found.add(number, "train", meta(layer(visible=number % 100 / 100)), {})
    assert found.visible.total >= 8000
    found.count_pending()
    assert set(found.visible.counts.tolist()) == {90}
    assert found.placement.sum() == 9000
    assert found.distance_m.quantile(0.5) == pytest.approx(2.345, abs=0.01)


@pytest.mark.parametrize(
    "bad",
    [
        {"layers": [{"visible": "much"}]},
        {"layers": [3]},
        {"layers": [layer(box=[1, 2]), layer()]},
        {"layers": [layer(box=["a", 0, 0, 0])]},
        ["no description"],
    ],
)
def test_nonsense_is_an_error(bad: Any) -> None:
    with pytest.raises((ValueError, TypeError, AttributeError)):
        census(bad)
