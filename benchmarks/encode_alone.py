"""The encode station of a run alone: its own settings, over its own finished samples.

    python -m benchmarks.encode_alone COUNT SETTING...

Makes the first COUNT samples of the run, encodes them once unmeasured, and prints `ready`. After a
line on stdin, it encodes them for some seconds as the run does, batch by batch, throws the bytes
away, and prints samples a second.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import Any

SECONDS = 3.0


def batches(settings: Sequence[str], count: int) -> tuple[Any, list[list[Any]]]:
    """The encoder of a run, and its first samples in the batches in which they pass."""
    from depthmask.config.compose import compose_root

    root = compose_root(settings)
    try:
        from depthmask.engine.from_config import job_from_config
        from depthmask.engine.job import ShardLog
    except ImportError:
        return _batches_of_old(root, count)
    job: Any = job_from_config(root)
    return job._encoder, list(job.batches(range(count), ShardLog()))


def _batches_of_old(root: Any, count: int) -> tuple[Any, list[list[Any]]]:
    """As `batches`, in 0.1.0, whose modules had other names."""
    from importlib import import_module

    job, _ = import_module("depthmask.run").prepare(root, "")
    laps, progress = (import_module(f"depthmask.{module}") for module in ("timing", "job"))
    encoder = import_module("depthmask.encode").Encoder(root.encode)
    return encoder, list(job.batches(range(count), laps.Laps(), progress.Progress()))


def rate(encoder: Any, samples: Iterator[list[Any]], seconds: float) -> float:
    """Samples a second over about so many seconds."""
    done, start = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds:
        batch = next(samples)
        deque(encoder.encode(batch), maxlen=0)
        done += len(batch)
    return done / elapsed


def main() -> None:
    """Get ready, wait for a line, measure."""
    encoder, ready = batches(sys.argv[2:], int(sys.argv[1]))
    for batch in ready:
        deque(encoder.encode(batch), maxlen=0)
    print("ready", flush=True)
    sys.stdin.readline()
    print(rate(encoder, cycle(ready), SECONDS), flush=True)


if __name__ == "__main__":
    main()
