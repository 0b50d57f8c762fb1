"""The environment of a dataset, and how two of them differ in words."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys

import numpy as np
import pytest

from depthmask._version import __version__
from depthmask.config.compose import compose_root
from depthmask.engine.environment import environment_difference, environment_of

ROOT = compose_root(["source=rooms", "geometry=source", "depth=layered"])
SWITCHES = {
    "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR FMA3 AVX2 AVX512F",
    "OPENBLAS_CORETYPE": "Sandybridge",
    "OPENCV_CPU_DISABLE": "AVX2",
}
SHOW = """
import json
from depthmask.config.compose import compose_root
from depthmask.engine.environment import environment_of
root = compose_root(["source=rooms", "geometry=source", "depth=layered"])
print(json.dumps(environment_of(root)))
"""


def test_what_the_environment_is() -> None:
    environment = environment_of(ROOT)
    assert environment["depthmask"] == __version__
    assert environment["numpy"] == np.__version__
    assert environment["machine"] == platform.machine()
    assert {"pillow", "simplejpeg", "deflate", "zlib-ng", "zlib", "orjson"} <= environment.keys()
    assert "tensorflow" not in environment
    assert all(type(text) is str and text for text in environment.values())
    assert environment_difference(environment, environment_of(ROOT)) == ""


def test_the_runtimes_of_networks_count_where_a_stage_has_a_network(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    installed = {"tensorflow": "2.20.1", "onnxruntime": "1.23", "numpy": "2.2"}
    monkeypatch.setattr("depthmask.config.versions._installed", installed.get)
    inside = compose_root(["geometry=auto", "depth=layered"])
    for root in (compose_root(["depth=fastdepth"]), inside):
        environment = environment_of(root)
        assert (environment["tensorflow"], environment["onnxruntime"]) == ("2.20.1", "1.23")
        assert "openvino" not in environment
    assert "onnxruntime" not in environment_of(ROOT)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the switches are of x86")
def test_switches_change_what_is_in_use() -> None:
    code = subprocess.run(
        [sys.executable, "-c", SHOW],
        env={**os.environ, **SWITCHES}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    environment = json.loads(code.stdout)
    assert environment["BLAS kernel"] == "Sandybridge"
    assert "AVX2" not in environment["OpenCV"].split()
    assert environment.items() >= SWITCHES.items()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            {"processor": "AVX FMA AVX2", "numpy": "2.2.0"},
            {"processor": "AVX AVX2", "numpy": "2.4.6"},
            "processor without FMA; numpy 2.4.6 instead of 2.2.0",
        ),
        (
            {"processor": "AVX", "OpenCV": "AVX AVX2 FP16"},
            {"processor": "AVX FMA", "OpenCV": "AVX SSE"},
            "processor with FMA; OpenCV without AVX2, FP16 and with SSE",
        ),
        (
            {"BLAS kernel": "SkylakeX"},
            {"BLAS kernel": "Sandybridge", "OPENBLAS_CORETYPE": "Sandybridge"},
            "OPENBLAS_CORETYPE=Sandybridge; BLAS kernel Sandybridge instead of SkylakeX",
        ),
        ({"OPENCV_IPP": "sse42"}, {}, "OPENCV_IPP is unset instead of sse42"),
        ({"OPENCV_IPP": "sse42"}, {"OPENCV_IPP": "off"}, "OPENCV_IPP=off instead of sse42"),
        # An older plan knows less, and so does an environment without a network.
        ({"numpy": "2.2", "tensorflow": "2.20"}, {"numpy": "2.2", "processor": "AVX"}, ""),
    ],
)  # fmt: skip
def test_how_environments_differ(old: dict[str, str], new: dict[str, str], words: str) -> None:
    assert environment_difference(old, new) == words
