"""What runs a Keras model: Keras itself, or OpenVINO after a conversion in memory."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from depthmask.data import Float32
from depthmask.errors import UsageError

if TYPE_CHECKING:
    import keras

Run: TypeAlias = Callable[[Float32], Float32]
"""A network at its one shape of input, batch first."""


class Runtime(Enum):
    """What runs the network."""

    keras = "keras"
    """On the backend that KERAS_BACKEND names (TensorFlow if it names none), CPU or GPU."""
    openvino = "openvino"
    """On the CPU; an extra, `pip install 'depthmask[openvino]'`.

    In float32 no faster than Keras, which has 86 % of what the cores can do; bfloat16 is 1.85 times
    as fast where the CPU has it, and off by 0.5 % (`benchmarks/depth_runtimes.json`).
    """


class Precision(Enum):
    """What the network calculates in; its input, output and weights files do not change."""

    float32 = "float32"
    bfloat16 = "bfloat16"
    float16 = "float16"


def check_runtime(runtime: Runtime) -> None:
    """UsageError where the runtime cannot be had; imports nothing."""
    if runtime is Runtime.openvino and importlib.util.find_spec("openvino") is None:
        raise UsageError(
            "runtime=openvino: OpenVINO is not installed; pip install 'depthmask[openvino]', "
            "or take runtime=keras"
        )


def dtype_policy(runtime: Runtime, precision: Precision) -> str:
    """The Keras policy to build the model with: weights stay float32; OpenVINO converts itself."""
    if runtime is Runtime.openvino or precision is Precision.float32:
        return "float32"
    return f"mixed_{precision.value}"


@contextmanager
def default_policy(name: str) -> Iterator[None]:
    """Keras's dtype policy for the layers made inside; the user's is put back."""
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def compiled(model: keras.Model, runtime: Runtime, precision: Precision) -> Run:
    """The model, built with `dtype_policy`, ready to run at its fixed batch shape.

    Raises `UsageError` where the runtime, or the precision on this machine, cannot be had.
    """
    return _openvino(model, precision) if runtime is Runtime.openvino else _keras(model)


def _keras(model: keras.Model) -> Run:
    def run(batch: Float32) -> Float32:
        return np.asarray(model.predict_on_batch(batch), np.float32)

    return run


# OpenVINO's name of a precision among the device's capabilities, and as a hint.
_OPENVINO = {
    Precision.float32: ("FP32", "f32"),
    Precision.bfloat16: ("BF16", "bf16"),
    Precision.float16: ("FP16", "f16"),
}


def _openvino(model: keras.Model, precision: Precision) -> Run:
    check_runtime(Runtime.openvino)
    with _no_telemetry():
        import openvino

        core = openvino.Core()
        hint = _precision_hint(core, precision)
        converted = openvino.convert_model(_tensorflow_graph(model))
    # Left alone, OpenVINO takes bfloat16 where the CPU has it: off by 0.6 % of the greatest depth.
    options = {"INFERENCE_PRECISION_HINT": hint, "PERFORMANCE_HINT": "LATENCY"}
    request = core.compile_model(converted, "CPU", options).create_infer_request()

    def run(batch: Float32) -> Float32:
        return np.array(request.infer([batch])[0], np.float32)

    return run


def _precision_hint(core: Any, precision: Precision) -> str:
    """OpenVINO's word for the precision, which the CPU must have."""
    capability, hint = _OPENVINO[precision]
    capabilities = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if capability not in capabilities:
        has = [one.name for one, (name, _) in _OPENVINO.items() if name in capabilities]
        raise UsageError(
            f"precision={precision.name}: OpenVINO has no {precision.name} on this CPU; "
            f"it has {', '.join(has)}"
        )
    return hint


def _tensorflow_graph(model: keras.Model) -> Any:
    """The model as a graph that holds its weights as constants.

    OpenVINO searches all variables anew for each one: DenseDepth took it 31 s, this way 8.
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        raise UsageError(
            "runtime=openvino: the model is converted from TensorFlow's graph; "
            f"KERAS_BACKEND={keras.backend.backend()} needs runtime=keras"
        )
    import tensorflow as tf

    trained = [np.asarray(one) for one in model.trainable_variables]
    counted = [np.asarray(one) for one in model.non_trainable_variables]

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def run(batch: Any) -> Any:
        return model.stateless_call(trained, counted, batch, training=False)[0]

    shape = model.inputs[0].shape
    return run.get_concrete_function(tf.TensorSpec(shape, tf.float32))


@contextmanager
def _no_telemetry() -> Iterator[None]:
    """OpenVINO reports its import and each conversion to Google Analytics; not from here.

    It falls back to a stub where its package for that is not to be found.
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
