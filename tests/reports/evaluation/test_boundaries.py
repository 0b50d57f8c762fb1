"""Boundaries by hand, and beside what the public implementations gave for the same maps."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from depthmask.reports.evaluation.boundaries import (
    Boundaries,
    boundaries,
    boundary_errors,
    boundary_f1,
    boundary_recall,
    can_find_edges,
    depth_edges,
    mean_boundaries,
)

Float64 = NDArray[np.float64]
needs_edges = pytest.mark.skipif(not can_find_edges(), reason="scikit-image is absent")


def scene(shift: int = 0, noise: float = 0.0) -> Float64:
    """A box at 2 m and a pole at 3 m before a sloping wall at 4 to 5 m."""
    depth = np.tile(np.linspace(4, 5, 64), (48, 1))
    depth[10:30, 12 + shift : 36 + shift] = 2
    depth[5:45, 50 + shift : 54 + shift] = 3
    steps = np.sin(np.arange(depth.size).reshape(depth.shape) * 1.7)
    return np.asarray(depth * np.exp(noise * steps))


def test_the_truth_itself() -> None:
    assert boundary_f1(scene(), scene()) == pytest.approx(1)
    assert boundary_f1(3 * scene(), scene()) == pytest.approx(1)
    assert boundary_f1(np.full((48, 64), 2.0), scene()) == 0


def test_f1_by_hand() -> None:
    """One of two steps is there, one step is where none is: along each side that has any."""
    true = np.array([[1.0, 1, 2, 2, 4, 4]])
    guess = np.array([[1.0, 2, 2, 2, 4, 4]])
    # Of four directions only one has steps; the other three give 0 to both means.
    assert boundary_f1(guess, true) == pytest.approx(0.5 / 4)


def test_unknown_pixels_have_no_boundaries() -> None:
    true = np.tile([1.0, 1, 2, 2, 0, 2], (2, 1))
    is_valid = true > 0
    guess = np.tile([1.0, 1, 2, 2, 9, 2], (2, 1))
    assert boundary_f1(guess, true, is_valid) == pytest.approx(1 / 4)
    assert boundary_f1(guess, true) < 1 / 4


def test_recall_counts_the_steepest_of_each_run_alone() -> None:
    mask = np.tile([False, False, True, True], (3, 1))
    sharp = np.tile([4.0, 4, 2, 2], (3, 1))
    assert boundary_recall(sharp, mask) == pytest.approx(1 / 4)
    slope_elsewhere = np.tile([4.0, 2.5, 2, 2], (3, 1))
    assert boundary_recall(slope_elsewhere, mask) == pytest.approx(0)


# From boundary_metrics.py of github apple/ml-depth-pro.
@pytest.mark.parametrize(
    ("shift", "noise", "f1", "recall"),
    [(0, 0.04, 0.92018983, 1.00000000), (1, 0.05, 0.38779788, 0.46428571)],
)
def test_depth_pro_gives_the_same(shift: int, noise: float, f1: float, recall: float) -> None:
    guess = scene(shift, noise)
    assert boundary_f1(guess, scene()) == pytest.approx(f1, abs=1e-6)
    assert boundary_recall(guess, scene() <= 3) == pytest.approx(recall, abs=1e-6)


# From the script of iBims-1, with its thresholds 0.15 and 0.3.
@needs_edges
@pytest.mark.parametrize(
    ("shift", "noise", "accuracy", "completeness"),
    [(1, 0.02, 0.72000000, 0.71428571), (3, 0.1, 1.92403769, 1.92950537)],
)
def test_ibims_gives_the_same(
    shift: int, noise: float, accuracy: float, completeness: float
) -> None:
    errors = boundary_errors(scene(shift, noise), depth_edges(scene()))
    assert errors == pytest.approx((accuracy, completeness), abs=1e-6)


@needs_edges
def test_a_map_with_few_edges_misses_most_at_ten_pixels() -> None:
    few = np.tile(np.linspace(4, 5, 64), (48, 1))
    few[20:24, 20:24] = 2
    errors = boundary_errors(few, depth_edges(scene()))
    assert errors == pytest.approx((7.64705882, 9.37709729), abs=1e-6), "the script's own"


@needs_edges
def test_maps_without_edges() -> None:
    flat, none = np.full((48, 64), 2.0), np.zeros((48, 64), bool)
    assert boundary_errors(flat, depth_edges(scene())) == (10, 10)
    assert all(map(math.isnan, boundary_errors(scene(), none)))
    assert not depth_edges(flat, flat > 0).any()


@needs_edges
def test_unknown_pixels_have_no_edges() -> None:
    depth = scene()
    depth[20:24] = 0
    edges = depth_edges(depth, depth > 0)
    assert edges.any()
    assert not edges[19:25].any()


def test_all_scores_and_their_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("depthmask.reports.evaluation.boundaries.find_spec", lambda name: None)
    alone = boundaries(scene(), scene(), scene() > 0)
    assert alone.f1 == pytest.approx(1)
    assert math.isnan(alone.accuracy)
    mean = mean_boundaries([Boundaries(0.5, math.nan, 1), Boundaries(1, math.nan, math.nan)])
    assert (mean.f1, mean.completeness) == (0.75, 1)
    assert math.isnan(mean.accuracy)
