"""`depthmask tune depth=NAME`: measure speed and memory of an estimator by batch size."""

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
from depthmask.concurrency import interrupts_blocked
from depthmask.config.compose import compose_root
from depthmask.config.options import refuse_misspelt
from depthmask.config.resources import check_resources
from depthmask.data import Size
from depthmask.engine.runner.orphans import end_with_parent
from depthmask.errors import UsageError
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


def main(arguments: Sequence[str]) -> int:
    """Measure each of `batches=1,2,4,...` in its own process; print a table and the best size."""
    refuse_misspelt(arguments, ["batches"])
    overrides = [word for word in arguments if not word.startswith("batches=")]
    batches = _batches(arguments)
    root = compose_root(overrides)
    if not isinstance(root.depth, Estimator) or not hasattr(root.depth, "batch"):
        raise UsageError(f"depth={root.depth.name} has no batch size to tune; try depth=fastdepth")
    check_resources([("depth", root.depth)])
    estimators = [compose_root([*overrides, f"depth.batch={batch}"]).depth for batch in batches]
    show(f"{'batch':>6}{'images/s':>10}{'peak MB':>9}")
    results: list[Measurement] = []
    for batch, estimator in zip(batches, estimators, strict=True):
        measurement = _measure_in_new_process(estimator, root.canvas)
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


def _batches(arguments: Sequence[str]) -> list[int]:
    texts = [word.partition("=")[2] for word in arguments if word.startswith("batches=")]
    text = texts[-1] if texts else "1,2,4,8,16,32,64"
    try:
        return [int(number) for number in text.split(",")]
    except ValueError:
        raise UsageError(
            f"batches={text}: must be whole numbers separated by commas, as in batches=1,2,4"
        ) from None


def _measure_in_new_process(estimator: Estimator, size: Size) -> Measurement | None:
    """Measure in a new process; None if the process dies, as with too little memory."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_measure_and_send, args=(estimator, size, sender))
    # Ctrl-C reaches both processes; this one ends the other.
    with interrupts_blocked():
        process.start()
    sender.close()
    try:
        measurement: Measurement = receiver.recv()
    except EOFError:
        return None
    finally:
        process.kill()
        process.join()
    return measurement


def _measure_and_send(estimator: Estimator, size: Size, sender: Connection) -> None:
    end_with_parent()
    sender.send(measure(estimator, size))
