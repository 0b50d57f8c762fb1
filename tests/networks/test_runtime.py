"""What a machine lacks to run a network, in one line."""

from __future__ import annotations

import importlib.util
import sys

import pytest

from depthmask.errors import UsageError
from depthmask.networks.runtime import Precision, Runtime, check_runtime


@pytest.mark.parametrize(
    ("backend", "absent", "line"),
    [
        ("tensorflow", ["tensorflow"], "needs tensorflow, not installed here: pip install tenso"),
        (
            "jax",
            ["jax", "keras"],
            "needs jax and keras, not installed here: pip install jax keras;",
        ),
        ("", ["tensorflow"], "needs tensorflow, not installed"),
    ],
)
def test_the_libraries_of_the_backend(
    backend: str, absent: list[str], line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", backend)
    for name in absent:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UsageError, match=f"^{line}"):
        check_runtime(Runtime.keras, Precision.float32)


# Not imported here: that would start its reports, which fork after TensorFlow and hang other tests.
@pytest.mark.skipif(importlib.util.find_spec("openvino") is None, reason="no openvino")
def test_openvino_in_a_newer_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 13, 0))
    with pytest.raises(UsageError, match=r"^runtime=openvino: .* in Python 3\.13; use "):
        check_runtime(Runtime.openvino, Precision.float32)
