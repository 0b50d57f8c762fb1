"""Images/s of the depth networks under Keras and under OpenVINO, side by side in one process.

    python benchmarks/depth_runtimes.py benchmarks/depth_runtimes.json

DenseDepth has random weights (as fast as trained ones), FastDepth its own; images are 160x160
(FastDepth: made 224x224). The runtimes take turns, so that whatever else the machine does meets all
of them, and the fastest turn counts. `error` is against Keras in float32, max|a-b| / max|b| of the
networks' outputs.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np

from depthmask.data import Float32
from depthmask.errors import UsageError
from depthmask.networks.densedepth_weights import Layout, array_shapes
from depthmask.networks.runtime import Precision, Run, Runtime
from depthmask.stages.depth._keras import KerasEstimator
from depthmask.stages.depth.densedepth import DenseDepth
from depthmask.stages.depth.fastdepth import FastDepth

SIDE = 160
TURNS = 5
NYU = Layout("DenseNet-169", 1664)
VARIANTS = (
    (Runtime.keras, Precision.float32),
    (Runtime.openvino, Precision.float32),
    (Runtime.openvino, Precision.bfloat16),
)
Make = Callable[[Runtime, Precision], KerasEstimator]


class Row(NamedTuple):
    """One network under one runtime. start_s: to the end of the first batch."""

    network: str
    runtime: str
    precision: str
    batch: int
    start_s: float
    images_per_s: float
    ratio: float
    error: float


def main(arguments: list[str]) -> int:
    """Measure, print the table, write the JSON."""
    if len(arguments) != 1:
        print("usage: depth_runtimes.py OUT.json", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "random.npz"
        np.savez(weights, allow_pickle=False, **_random_weights())
        rows = [
            *_measure(
                lambda runtime, precision: DenseDepth(
                    weights=str(weights), batch=32, runtime=runtime, precision=precision
                )
            ),
            *_measure(
                lambda runtime, precision: FastDepth(batch=16, runtime=runtime, precision=precision)
            ),
        ]
    print(_table(rows))
    report = {"machine": _machine(), "rows": [row._asdict() for row in rows]}
    Path(arguments[0]).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 0


def _random_weights() -> dict[str, np.ndarray]:
    """Weights that keep all numbers within reason, so that none is denormal or infinite."""
    rng = np.random.default_rng(1)
    arrays = {}
    for name, shape in array_shapes(NYU).items():
        kind = name.rpartition(".")[2]
        if kind == "kernel":
            scale = np.sqrt(1 / np.prod(shape[:-1]), dtype=np.float32)
            arrays[name] = rng.standard_normal(shape, np.float32) * scale
        else:
            low = 0.5 if kind in ("gamma", "moving_variance") else -0.2
            arrays[name] = rng.uniform(low, low + 0.5, shape).astype(np.float32)
    arrays["conv3.bias"] += 50
    return arrays


def _measure(make: Make) -> list[Row]:
    """All variants of a network that this machine has, in turns."""
    stages: list[KerasEstimator] = []
    runs: list[Run] = []
    starts, outputs = [], []
    size = make(*VARIANTS[0]).input_size((SIDE, SIDE))
    rgb = _images(make(*VARIANTS[0]).batch, *size)
    for variant in VARIANTS:
        stage = make(*variant)
        start = time.perf_counter()
        try:
            # Kept here, for the stage's own memory does not hold as many.
            run = stage.compiled_network(size)
        except UsageError as error:
            print(f"left out: {error}", file=sys.stderr)
            continue
        outputs.append(run(rgb))
        starts.append(time.perf_counter() - start)
        stages.append(stage)
        runs.append(run)
    turns = [[_seconds(run, rgb) for run in runs] for _ in range(TURNS)]
    seconds = [min(column) for column in zip(*turns, strict=True)]
    return [
        Row(
            network=stage.name,
            runtime=stage.runtime.name,
            precision=stage.precision.name,
            batch=stage.batch,
            start_s=round(start, 2),
            images_per_s=round(len(rgb) / best, 2),
            ratio=round(seconds[0] / best, 2),
            error=float(f"{_error(output, outputs[0]):.2g}"),
        )
        for stage, start, best, output in zip(stages, starts, seconds, outputs, strict=True)
    ]


def _seconds(run: Run, rgb: Float32) -> float:
    start = time.perf_counter()
    run(rgb)
    return time.perf_counter() - start


def _images(count: int, height: int, width: int) -> Float32:
    """float32 [count, height, width, 3] in 0..1: smooth, all different."""
    y, x = np.mgrid[0:height, 0:width] / 25
    waves = [[np.sin(y + i + c) * np.cos(x - i) for c in range(3)] for i in range(count)]
    return ((np.moveaxis(np.array(waves), 1, -1) + 1) / 2).astype(np.float32)


def _error(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.abs(found - expected).max() / np.abs(expected).max())


def _table(rows: list[Row]) -> str:
    lines = [" | ".join(Row._fields), " | ".join("---" for _ in Row._fields)]
    lines += [" | ".join(str(value) for value in row) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def _machine() -> dict[str, object]:
    packages = ("keras", "tensorflow", "openvino", "numpy")
    return {
        "cpu": platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "versions": {name: version(name) for name in packages},
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
