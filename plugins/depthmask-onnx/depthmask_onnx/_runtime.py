"""The runtimes of ONNX models: ONNX Runtime and OpenVINO, on the CPU."""

from __future__ import annotations

import functools
import io
import threading
from collections.abc import Callable
from contextlib import nullcontext
from enum import Enum
from typing import Any, TypeAlias

import numpy as np
from depthmask import DepthmaskError, SettingError
from numpy.typing import NDArray

from depthmask_onnx._file import ModelFile

Run: TypeAlias = Callable[[NDArray[Any]], NDArray[Any]]
"""A model as a function from its input to one output."""


_FIRST_CALLS = threading.Lock()
"""Held by the first call of each thread. In the first of all, OpenVINO 2026.4 makes its table of
types; of two threads that come to it together, one holds the interpreter's lock and waits for the
table, the other makes the table and waits for the lock, for ever."""


class Runtime(Enum):
    """The library that runs the model."""

    onnxruntime = "onnxruntime"
    openvino = "openvino"
    """An extra: `pip install 'depthmask-onnx[openvino]'`."""


@functools.lru_cache(maxsize=4)
def session(runtime: Runtime, model: ModelFile, source: str, target: str, threads: int) -> Run:
    """The model from input `source` to output `target`, loaded once in a process.

    threads: how many may call it at a time. Each call uses one core, since with more the last bits
    depend on their number. Raises `SettingError` for a runtime that is not installed and for a
    model that it cannot load.
    """
    load = {Runtime.onnxruntime: _onnxruntime, Runtime.openvino: _openvino}[runtime]
    try:
        run = load(model.read(), source, target, threads)
    except ImportError as error:
        text = f"{first_line(error)}; pip install {runtime.name}"
        raise SettingError("runtime", runtime.name, text) from None
    except DepthmaskError:
        raise
    except Exception as error:  # the runtimes raise errors of many classes
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
    """The first line of an error's message, or the name of its class."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:300] if lines else type(error).__name__


def _onnxruntime(model: bytes, source: str, target: str, threads: int) -> Run:
    # Imported here, since that takes 0.1 s, which would slow down `--help`.
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    # Log only fatal errors: others are raised as exceptions, and users cannot act on warnings.
    options.log_severity_level = 4
    # Otherwise it guesses the format, and may read the scanned bytes as another one.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    inference = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return lambda batch: inference.run([target], {source: batch})[0]


def _openvino(model: bytes, source: str, target: str, threads: int) -> Run:
    import openvino
    from openvino.frontend import FrontEndManager

    # The frontend is chosen by name, since `read_model` would try every format.
    frontend = FrontEndManager().load_by_framework("onnx")
    network = frontend.convert(frontend.load(io.BytesIO(model)))
    # Explicitly float32, since bfloat16 is the default on some processors.
    settings = {
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": threads,
        "INFERENCE_PRECISION_HINT": "f32",
    }
    compiled = openvino.Core().compile_model(network, "CPU", settings)
    of_thread = threading.local()

    def run(batch: NDArray[Any]) -> NDArray[Any]:
        is_first = not hasattr(of_thread, "request")
        with _FIRST_CALLS if is_first else nullcontext():
            if is_first:
                of_thread.request = compiled.create_infer_request()
            # A copy, since the next call of the thread writes to the same memory.
            return np.array(of_thread.request.infer({source: batch})[target])

    return run
