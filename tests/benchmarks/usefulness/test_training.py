"""Training: crops, and when it ends."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks.usefulness.composites import Examples


def test_crops_do_not_move_labels() -> None:
    pytest.importorskip("tensorflow")
    from benchmarks.usefulness.training import changed_example

    ramp = np.arange(160, dtype=np.float32)
    rows = np.tile(ramp[:, None], (1, 160))
    image = np.repeat(rows[..., None], 3, axis=2).astype(np.uint8)
    means = []
    for seed in range(20):
        # The same crop each time; only the way of resizing is told apart.
        _, kept = changed_example(image, rows, np.random.default_rng(seed))
        rng = np.random.default_rng(seed)
        side = round(160 * rng.uniform(0.6, 1))
        top, _left = rng.integers(0, 160 - side + 1, 2)
        means.append(kept.mean() - (top + (side - 1) / 2))
    assert np.abs(means).max() < 0.05


def test_a_steady_training_ends_with_its_best_weights() -> None:
    pytest.importorskip("tensorflow")
    from benchmarks.usefulness import training

    class Network:
        weights = 0

        def get_weights(self) -> int:
            return self.weights

        def set_weights(self, weights: int) -> None:
            self.weights = weights

    class Stub:
        model = Network()
        losses = [3.0, float("nan"), 1.0, 2.0, 1.5, 1.2]

        def loss_on(self, examples: Examples) -> float:
            return self.losses[self.model.weights]

    trainer: Any = Stub()
    held_out = Examples(np.zeros((8, 1, 1, 3), np.uint8), np.zeros((8, 1, 1), np.float32))
    watch = training._Watch(trainer, held_out, 300)
    ends = []
    for number in range(6):
        trainer.model.weights = number
        ends.append(watch.has_ended())
    assert ends == [False] * 5 + [True]
    watch.restore()
    assert trainer.model.weights == 2
