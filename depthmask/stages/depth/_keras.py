"""Estimators that run a Keras network, and the environment of Keras."""

from __future__ import annotations

import os
import sys
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager

from depthmask.concurrency import cores
from depthmask.data import Float32, Size
from depthmask.forks import Lock
from depthmask.networks.runtime import Precision, Run, Runtime, check_runtime
from depthmask.stages.depth.fixed_batch import FixedBatchEstimator


class KerasEstimator(FixedBatchEstimator):
    """An estimator that runs a Keras network.

    The network itself belongs to the process (see `compiled_network`), so that a stage holds only
    settings and can be pickled.
    """

    runtime: Runtime
    precision: Precision

    @abstractmethod
    def compiled_network(self, size: Size) -> Run:
        """The network for inputs of `size`, compiled once in a process."""

    @property
    def parallel_runs(self) -> int:
        """One picture for each core, since a call uses one core."""
        return cores()

    @property
    def cache_key(self) -> str:
        """The weights and all settings that change depth; `batch` does not."""
        near, far = self.value_range
        return (
            f"{self.name} weights={self.weights_sha256} near={near!r} far={far!r} "
            f"resolution={self.resolution.name} runtime={self.runtime.name} "
            f"precision={self.precision.name}"
        )

    def check_resources(self) -> None:
        """Raise `UsageError` if the runtime is not installed, or this CPU lacks the precision."""
        check_runtime(self.runtime, self.precision)

    def run(self, inputs: Float32) -> Float32:
        """The network's raw output: float32 [1, h, w, 3] -> float32 [1, dh, dw]."""
        with _compiling:
            network = self.compiled_network((inputs.shape[1], inputs.shape[2]))
        return network(inputs)[..., 0]


_compiling = Lock()
"""Held by the one thread that compiles a network."""


def set_keras_defaults() -> None:
    """Set environment variables that Keras and its backends read at import, unless they are set."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # A session's own number of threads counts only with this (see `networks.runtime`).
    os.environ.setdefault("TF_OVERRIDE_GLOBAL_THREADPOOL", "1")
    # TensorFlow does not see CPU quotas.
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(cores()))
    # On a GPU, take memory as needed instead of nearly all of it at once.
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")


@contextmanager
def native_log_muted() -> Iterator[None]:
    """Discard the stderr of the process, unless TF_CPP_MIN_LOG_LEVEL=0.

    TensorFlow 2.21 prints eight lines about oneDNN, CUDA and CPU features before it reads
    TF_CPP_MIN_LOG_LEVEL. Python's exceptions are raised as usual.
    """
    if os.environ.get("TF_CPP_MIN_LOG_LEVEL") == "0":
        yield
        return
    sys.stderr.flush()
    stderr = os.dup(2)
    try:
        with open(os.devnull, "wb") as devnull:
            os.dup2(devnull.fileno(), 2)
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
