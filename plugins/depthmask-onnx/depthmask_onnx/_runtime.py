"""What runs an ONNX model: ONNX Runtime or OpenVINO, on the CPU."""

from __future__ import annotations

import functools
import io
import os
from collections.abc import Callable
from enum import Enum
from typing import Any, TypeAlias

from depthmask import DepthmaskError, SettingError
from numpy.typing import NDArray

from depthmask_onnx._file import ModelFile

Run: TypeAlias = Callable[[NDArray[Any]], NDArray[Any]]
"""A model from its one input to the one output that was asked for."""


class Runtime(Enum):
    """What runs the model."""

    onnxruntime = "onnxruntime"
    openvino = "openvino"
    """An extra: `pip install 'depthmask-onnx[openvino]'`."""


@functools.lru_cache(maxsize=4)
def session(runtime: Runtime, model: ModelFile, source: str, target: str, threads: int) -> Run:
    """The loaded model from input `source` to output `target`, made once in a process.

    threads: 0 for one on each core. Raises `SettingError` for a runtime that is not installed and
    for a model that it does not take.
    """
    load = {Runtime.onnxruntime: _onnxruntime, Runtime.openvino: _openvino}[runtime]
    try:
        run = load(model.read(), source, target, threads or len(os.sched_getaffinity(0)))
    except ImportError as error:
        text = f"{first_line(error)}; pip install {runtime.name}"
        raise SettingError("runtime", runtime.name, text) from None
    except DepthmaskError:
        raise
    except Exception as error:  # neither runtime has one class for what it raises
        text = f"{runtime.name} cannot load it: {first_line(error)}"
        raise SettingError("weights", model.path, text) from None

    def checked(batch: NDArray[Any]) -> NDArray[Any]:
        try:
            return run(batch)
        except Exception as error:  # as above
            raise DepthmaskError(
                f"{model.path}: {runtime.name} failed on an input of {batch.shape}: "
                f"{first_line(error)}"
            ) from None

    return checked


def first_line(error: BaseException) -> str:
    """Of its message, or of what stands for one."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:300] if lines else type(error).__name__


def _onnxruntime(model: bytes, source: str, target: str, threads: int) -> Run:
    # Here, because importing it takes 0.1 s, and `--help` has no use for it.
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # Only what ends the process: errors arrive as exceptions, warnings are the exporter's affair.
    options.log_severity_level = 4
    # Threads that wait should not burn a core: with another process at work beside it, FastDepth on
    # 2 cores makes 83 images/s so and 38 otherwise; alone, 97 either way.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Else it would guess the format, and what was scanned might be read as another.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    made = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return lambda batch: made.run([target], {source: batch})[0]


def _openvino(model: bytes, source: str, target: str, threads: int) -> Run:
    import openvino
    from openvino.frontend import FrontEndManager

    # By name: `read_model` would try every format that it knows.
    frontend = FrontEndManager().load_by_framework("onnx")
    network = frontend.convert(frontend.load(io.BytesIO(model)))
    # float32 said explicitly: on some processors it would calculate in bfloat16.
    settings = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.Core().compile_model(network, "CPU", settings)
    return lambda batch: compiled({source: batch})[target]
