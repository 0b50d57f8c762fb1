"""`depthmask tune depth=NAME`: images/s and peak memory of an estimator by batch size."""

from __future__ import annotations

import dataclasses
import multiprocessing
import resource
import sys
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection

import numpy as np

from depthmask.config.compose import compose_root
from depthmask.data import Size
from depthmask.errors import UsageError
from depthmask.stages.depth.base import Estimator

_SECONDS = 2.0
_KILO = 1 if sys.platform == "darwin" else 1024
"""`ru_maxrss` counts bytes on macOS and KiB on Linux."""


@dataclasses.dataclass(frozen=True, slots=True)
class Measured:
    """One batch size. rate: images per second. peak: bytes of the process that ran it."""

    batch: int
    rate: float
    peak: int


def main(arguments: Sequence[str]) -> int:
    """Try `batches=1,2,4,...`, each in a process of its own; print the table and the best."""
    overrides = [word for word in arguments if not word.startswith("batches=")]
    root = compose_root(overrides)
    if not isinstance(root.depth, Estimator) or not hasattr(root.depth, "batch"):
        raise UsageError(f"tune depth={root.depth.name}: no batch size to tune")
    print(f"{'batch':>6}{'images/s':>10}{'peak MB':>9}")
    found: list[Measured] = []
    for batch in _batches(arguments):
        estimator = compose_root([*overrides, f"depth.batch={batch}"]).depth
        measured = _in_process(estimator, root.canvas)
        if measured is None:
            print(f"{batch:>6}{'failed: out of memory?':>25}")
            break
        found.append(measured)
        print(f"{batch:>6}{measured.rate:>10.1f}{measured.peak / 1e6:>9,.0f}", flush=True)
    if not found:
        return 1
    best = max(found, key=lambda one: one.rate)
    print(f"best: depth.batch={best.batch}, {best.rate:.1f} images/s")
    return 0


def measure(estimator: Estimator, size: Size) -> Measured:
    """Run the estimator in this process on full batches of noise, after one to warm up."""
    batch = estimator.batch_size
    shape = (batch, *size, 3)
    images = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    estimator.estimate(images)
    start, count = time.perf_counter(), 0
    while count == 0 or time.perf_counter() - start < _SECONDS:
        estimator.estimate(images)
        count += batch
    rate = count / (time.perf_counter() - start)
    return Measured(batch, rate, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KILO)


def _batches(arguments: Sequence[str]) -> list[int]:
    given = [word.partition("=")[2] for word in arguments if word.startswith("batches=")]
    text = given[-1] if given else "1,2,4,8,16,32,64"
    try:
        return [int(one) for one in text.split(",")]
    except ValueError:
        raise UsageError(f"batches={text}: must be whole numbers with commas") from None


def _in_process(estimator: Estimator, size: Size) -> Measured | None:
    """None if the process died: a batch that does not fit must not end the table."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_measure_and_send, args=(estimator, size, there))
    process.start()
    there.close()
    try:
        measured: Measured | None = here.recv()
    except EOFError:
        measured = None
    process.join()
    return measured


def _measure_and_send(estimator: Estimator, size: Size, there: Connection) -> None:
    there.send(measure(estimator, size))
