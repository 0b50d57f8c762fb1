"""The runtimes of a Keras model: Keras itself, or OpenVINO after a conversion in memory."""

from __future__ import annotations

import importlib.util
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from depthmask.concurrency import cores
from depthmask.data import Float32
from depthmask.errors import SettingError, UsageError
from depthmask.forks import Lock

if TYPE_CHECKING:
    import keras

Run: TypeAlias = Callable[[Float32], Float32]
"""A compiled network for one shape of input, batch first; several threads may call it at a time."""


class Runtime(Enum):
    """The library that runs the network."""

    keras = "keras"
    """Keras on the backend of KERAS_BACKEND (TensorFlow by default), on CPU or GPU."""
    openvino = "openvino"
    """OpenVINO on the CPU; an extra, `pip install 'depthmask[openvino]'`.

    float32 is no faster than Keras; bfloat16 is 1.85 times as fast on CPUs that have it, and off by
    0.5 % (`benchmarks/depth_runtimes.json`).
    """


class Precision(Enum):
    """The number format of the calculation; input, output and weights files are the same."""

    float32 = "float32"
    bfloat16 = "bfloat16"
    float16 = "float16"


def check_runtime(runtime: Runtime, precision: Precision) -> None:
    """Raise `UsageError` if this machine cannot run a network like this."""
    _require_keras()
    if runtime is not Runtime.openvino:
        return
    if importlib.util.find_spec("openvino") is None:
        raise SettingError(
            "runtime",
            "openvino",
            "OpenVINO is not installed; pip install 'depthmask[openvino]', or choose keras",
        )
    if sys.version_info >= (3, 13):
        raise SettingError(
            "runtime",
            "openvino",
            "OpenVINO 2026 cannot convert the model in Python 3.13; use Python 3.11 or 3.12, or "
            "choose keras",
        )
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    if backend != "tensorflow":
        raise SettingError(
            "runtime",
            "openvino",
            "the model is converted from TensorFlow's graph; unset KERAS_BACKEND, which is "
            f"{backend}, or choose keras",
        )
    with _no_telemetry():
        import openvino

        _precision_hint(openvino.Core(), precision)


def _require_keras() -> None:
    """Raise `UsageError` unless Keras and its backend are installed."""
    backend = os.environ.get("KERAS_BACKEND") or "tensorflow"
    missing = [name for name in (backend, "keras") if importlib.util.find_spec(name) is None]
    if missing:
        raise UsageError(
            f"needs {' and '.join(missing)}, not installed here: pip install {' '.join(missing)}; "
            "depth=none, and depth=layered over backgrounds that have depth, need no network"
        )


def dtype_policy(runtime: Runtime, precision: Precision) -> str:
    """The Keras dtype policy of the model; weights are float32, and OpenVINO converts itself."""
    if runtime is Runtime.openvino or precision is Precision.float32:
        return "float32"
    return f"mixed_{precision.value}"


@contextmanager
def default_policy(name: str) -> Iterator[None]:
    """Set Keras's dtype policy for layers made in the context; the user's is restored."""
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def compiled(model: keras.Model, runtime: Runtime, precision: Precision) -> Run:
    """The model, built with `dtype_policy`, compiled for its fixed batch shape.

    `check_runtime` tells whether this machine has the runtime and the precision.
    """
    if runtime is Runtime.openvino:
        return _openvino(model, precision)
    import keras

    if keras.backend.backend() == "tensorflow" and not _has_gpu():
        return _tensorflow(model)
    return _keras(model)


def _keras(model: keras.Model) -> Run:
    """JAX, PyTorch, and TensorFlow on a GPU; they use the whole machine in one call."""
    lock = Lock()

    def run(batch: Float32) -> Float32:
        with lock:
            return np.asarray(model.predict_on_batch(batch), np.float32)

    return run


def _tensorflow(model: keras.Model) -> Run:
    """The model on one core, in the thread that calls it.

    With more, the last bits depend on the number of cores, and with one picture on the order in
    which threads happen to run. Only a session has threads of its own (see `set_keras_defaults`).
    """
    import tensorflow as tf

    # Weights as constants are 20 % faster than as variables, and take more memory.
    graph = _tensorflow_graph(model).graph
    config = tf.compat.v1.ConfigProto(intra_op_parallelism_threads=1)
    session = tf.compat.v1.Session(graph=graph, config=config)
    in_this_thread = tf.compat.v1.RunOptions(inter_op_thread_pool=-1)
    source, target = graph.inputs[0].name, graph.outputs[0].name

    def run(batch: Float32) -> Float32:
        return np.asarray(session.run(target, {source: batch}, in_this_thread), np.float32)

    return run


def _has_gpu() -> bool:
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))


# Precision -> OpenVINO's name for it among the capabilities of a device, and as a hint.
_OPENVINO = {
    Precision.float32: ("FP32", "f32"),
    Precision.bfloat16: ("BF16", "bf16"),
    Precision.float16: ("FP16", "f16"),
}


def _openvino(model: keras.Model, precision: Precision) -> Run:
    with _no_telemetry():
        import openvino

        core = openvino.Core()
        hint = _precision_hint(core, precision)
        converted = openvino.convert_model(_tensorflow_graph(model))
    # Set explicitly, since OpenVINO uses bfloat16 on CPUs that have it, with an error of 0.6 %.
    # A stream of one thread for each core: with more, the last bits depend on their number.
    options = {
        "INFERENCE_PRECISION_HINT": hint,
        "NUM_STREAMS": cores(),
        "INFERENCE_NUM_THREADS": cores(),
    }
    network = core.compile_model(converted, "CPU", options)
    of_thread = threading.local()

    def run(batch: Float32) -> Float32:
        if not hasattr(of_thread, "request"):
            of_thread.request = network.create_infer_request()
        return np.array(of_thread.request.infer([batch])[0], np.float32)

    return run


def _precision_hint(core: Any, precision: Precision) -> str:
    """OpenVINO's hint for the precision; `SettingError` if the CPU does not have it."""
    capability, hint = _OPENVINO[precision]
    capabilities = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if capability not in capabilities:
        has = [one.name for one, (name, _) in _OPENVINO.items() if name in capabilities]
        raise SettingError(
            "precision", precision.name, f"OpenVINO lacks it on this CPU; it has {', '.join(has)}"
        )
    return hint


def _tensorflow_graph(model: keras.Model) -> Any:
    """The model as a graph with its weights as constants.

    OpenVINO takes much longer to convert variables: for DenseDepth 31 s instead of 8 s.
    """
    import tensorflow as tf

    trainable = [np.asarray(one) for one in model.trainable_variables]
    non_trainable = [np.asarray(one) for one in model.non_trainable_variables]

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def run(batch: Any) -> Any:
        return model.stateless_call(trainable, non_trainable, batch, training=False)[0]

    shape = model.inputs[0].shape
    return run.get_concrete_function(tf.TensorSpec(shape, tf.float32))


@contextmanager
def _no_telemetry() -> Iterator[None]:
    """Keep OpenVINO from reporting its import and conversions to Google Analytics.

    It falls back to a stub if its telemetry package cannot be imported.
    """
    name = "openvino_telemetry"
    before: Any = sys.modules.get(name)
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[name]
        if before is not None:
            sys.modules[name] = before
