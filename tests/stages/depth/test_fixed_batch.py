"""Estimators with one batch shape: no picture has neighbours in a call of the network."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from depthmask.data import Float32, Size
from depthmask.stages.depth.fixed_batch import FixedBatchEstimator, Resolution

IMAGES = np.arange(6, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 4, 3), np.uint8)


class ByPosition(FixedBatchEstimator):
    """A network like those with AVX2: the last place of a batch gives other depth."""

    name = "by_position"
    own_batch = 1

    def __init__(self) -> None:
        self.batch, self.resolution = 4, Resolution.image
        self.calls: list[tuple[tuple[int, ...], str]] = []

    @property
    def network_batch(self) -> int:
        return self.own_batch

    @property
    def cache_key(self) -> str:
        return self.name

    @property
    def weights_sha256(self) -> str:
        return "0" * 64

    @property
    def value_range(self) -> tuple[float, float]:
        return 0.0, 10.0

    def input_size(self, size: Size) -> Size:
        return size

    def output_size(self, size: Size) -> Size:
        return size

    def run(self, inputs: Float32) -> Float32:
        self.calls.append((inputs.shape, threading.current_thread().name))
        maps = inputs[..., 0] + inputs.sum()
        maps[len(inputs) - 1] += len(inputs) - 1
        return maps


class InThreads(ByPosition):
    """The same, with calls that wait until another one has begun."""

    parallel_runs = 2

    def __init__(self) -> None:
        super().__init__()
        self.together = threading.Barrier(2)

    def run(self, inputs: Float32) -> Float32:
        self.together.wait(timeout=10)
        return super().run(inputs)


class OwnBatch(ByPosition):
    """A model that takes four images, no more and no fewer."""

    own_batch = 4


@pytest.mark.parametrize("kind", [ByPosition, OwnBatch])
def test_every_picture_is_alone_in_its_call(kind: type[ByPosition]) -> None:
    stage = kind()
    together = stage.estimate(IMAGES)
    assert [shape for shape, _ in stage.calls] == [(kind.own_batch, 4, 4, 3)] * len(IMAGES)
    assert len({depth.tobytes() for depth in together}) == len(IMAGES)
    for number in range(len(IMAGES)):
        np.testing.assert_array_equal(
            stage.estimate(IMAGES[number : number + 1])[0], together[number]
        )
    np.testing.assert_array_equal(stage.estimate(IMAGES[::-1])[::-1], together)


def test_pictures_run_in_threads_if_run_allows_it() -> None:
    stage = InThreads()
    np.testing.assert_array_equal(stage.estimate(IMAGES), ByPosition().estimate(IMAGES))
    assert len({thread for _, thread in stage.calls}) == 2


def test_without_leave_run_is_called_in_one_thread() -> None:
    stage = ByPosition()
    stage.estimate(IMAGES)
    assert {thread for _, thread in stage.calls} == {threading.current_thread().name}
