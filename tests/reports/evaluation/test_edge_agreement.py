"""Two depth maps of one composite, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from depthmask.data import DepthKind
from depthmask.reports.evaluation.edge_agreement import Agreement, agreement, mean_agreement
from depthmask.reports.evaluation.on_dataset import table

MASK = np.zeros((10, 24), np.uint8)
MASK[:, :12] = 255
LABEL = np.where(MASK > 0, 2.0, 4.0).astype(np.float32)
METRIC = DepthKind.metric_z


def test_the_label_agrees_with_itself() -> None:
    # Both scores of boundaries are means over four directions, of which one has any.
    assert agreement(LABEL, LABEL, MASK, METRIC) == Agreement(0, 0, 1, 1, 1, 0.25, 0.25)


def test_a_ramp_over_eight_pixels_has_an_eighth_of_the_step_between_neighbours() -> None:
    # 2 m up to column 7, 4 m from column 16 on, straight in between: 0.25 m for each of 8 pixels
    # from column 8 to 15, those that the profile spans.
    network = np.interp(np.arange(24), [8, 15], [2, 4])[None].repeat(10, axis=0).astype(np.float32)
    found = agreement(LABEL, network, MASK, METRIC)
    assert found is not None
    # The median of both maps is 3 m, so nothing is scaled.
    assert found.step == pytest.approx(1)
    assert found.near == pytest.approx(1 / 7)
    assert found.label_near == 1
    # Columns 8..11 are 0, 2/7, 4/7, 6/7 m too far in 2 m, those beyond mirror it in 4 m.
    assert found.inside == pytest.approx((0 + 2 + 4 + 6) / 7 / 2 / 12)
    assert found.outside == pytest.approx((0 + 2 + 4 + 6) / 7 / 4 / 12)


def test_edges_up_and_down_count_like_those_to_the_sides() -> None:
    network = np.where(MASK > 0, 2.5, 3.5).astype(np.float32)
    sideways = agreement(LABEL, network, MASK, METRIC)
    upright = agreement(LABEL.T, network.T, MASK.T, METRIC)
    assert sideways == upright
    assert sideways is not None
    assert (sideways.step, sideways.near) == (0.5, 0.5)


def test_a_step_the_wrong_way_counts_against() -> None:
    network = np.where(MASK > 0, 4.0, 2.0).astype(np.float32)
    found = agreement(LABEL, network, MASK, METRIC)
    assert found is not None
    assert (found.step, found.near, found.label_near) == (-1, -1, 1)


def test_metres_are_scaled_by_the_median() -> None:
    found = agreement(LABEL, LABEL * 3, MASK, METRIC)
    assert found is not None
    assert found.inside == pytest.approx(0)
    assert found.step == pytest.approx(1)


def test_soft_and_invalid_pixels_count_neither_inside_nor_outside() -> None:
    mask, label, network = MASK.copy(), LABEL.copy(), LABEL.copy()
    mask[0, 12], network[0, 12] = 100, 9
    label[1, 3], network[1, 3] = 0, 9
    network[2, 20], label[2, 20] = 0, 9
    found = agreement(label, network, mask, METRIC)
    assert found is not None
    assert (found.inside, found.outside) == (0, 0)


def test_without_an_edge_there_is_no_sharpness() -> None:
    flat = np.full_like(LABEL, 3.0)
    found = agreement(flat, flat, MASK, METRIC)
    assert found is not None
    assert math.isnan(found.step)
    assert found.inside == 0
    small = agreement(flat[:5, :5], flat[:5, :5], np.zeros((5, 5), np.uint8), METRIC)
    assert small is not None
    assert math.isnan(small.inside)
    assert math.isnan(small.near)


def test_without_valid_pixels_there_is_no_agreement() -> None:
    assert agreement(np.zeros_like(LABEL), LABEL, MASK, METRIC) is None


def test_the_mean_skips_samples_without_a_value() -> None:
    nan = float("nan")
    found = mean_agreement([Agreement(1, 2, 3, 4, 5, 6, 7), Agreement(3, nan, 5, 6, 7, 8, 9)])
    assert found == Agreement(2, 2, 4, 5, 6, 7, 8)


def test_the_table_has_a_dash_for_what_no_sample_has() -> None:
    nan = float("nan")
    lines = table("net", "estimated", 4, Agreement(nan, 0.25, nan, nan, nan, 0.5, nan)).splitlines()
    assert [line.split()[-2:] for line in lines[2:]] == [
        ["-", "-"], ["0.250", "-"], ["-", "1.00"], ["-", "-"], ["0.500", "-"],
        ["-", "-"],
    ]  # fmt: skip
