"""Speed and memory of a depth estimator by batch size."""

from __future__ import annotations

import dataclasses
import multiprocessing
import resource
import sys
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection

import numpy as np

from depthmask.cli.lines import show
from depthmask.concurrency import running
from depthmask.config.compose import compose_root
from depthmask.data import Size
from depthmask.engine.runner.orphans import end_with_parent
from depthmask.stages.depth.base import Estimator

_SECONDS = 2.0
"""How long each batch size is timed."""
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024
"""The unit of `ru_maxrss`: bytes on macOS, KiB on Linux."""


@dataclasses.dataclass(frozen=True, slots=True)
class Measurement:
    """Speed and memory at one batch size.

    rate: images per second. peak: peak memory of the measuring process in bytes.
    """

    batch: int
    rate: float
    peak: int


def tune_batches(overrides: Sequence[str], batches: Sequence[int], size: Size) -> int:
    """Measure each batch size in its own process; print a table and the best; returns 0, or 1."""
    estimators = [compose_root([*overrides, f"depth.batch={batch}"]).depth for batch in batches]
    show(f"{'batch':>6}{'images/s':>10}{'peak MB':>9}")
    results: list[Measurement] = []
    for batch, estimator in zip(batches, estimators, strict=True):
        assert isinstance(estimator, Estimator)
        measurement = _measure_in_new_process(estimator, size)
        if measurement is None:
            show(f"{batch:>6}{'failed: out of memory?':>25}")
            break
        results.append(measurement)
        show(f"{batch:>6}{measurement.rate:>10.1f}{measurement.peak / 1e6:>9,.0f}")
    if not results:
        return 1
    best = max(results, key=lambda result: result.rate)
    show(f"best: depth.batch={best.batch}, {best.rate:.1f} images/s")
    return 0


def measure(estimator: Estimator, size: Size) -> Measurement:
    """Measure the estimator in this process, on full batches of noise after one to warm up."""
    batch = estimator.batch_size
    shape = (batch, *size, 3)
    images = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    estimator.estimate(images)
    start, count = time.perf_counter(), 0
    while count == 0 or time.perf_counter() - start < _SECONDS:
        estimator.estimate(images)
        count += batch
    rate = count / (time.perf_counter() - start)
    return Measurement(batch, rate, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT)


def _measure_in_new_process(estimator: Estimator, size: Size) -> Measurement | None:
    """Measure in a new process; None if the process dies, as with too little memory."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_measure_and_send, args=(estimator, size, sender))
    # Ctrl-C reaches both processes; this one ends the other.
    with running(process):
        sender.close()
        try:
            measurement: Measurement = receiver.recv()
        except EOFError:
            return None
    return measurement


def _measure_and_send(estimator: Estimator, size: Size, sender: Connection) -> None:
    end_with_parent()
    sender.send(measure(estimator, size))
