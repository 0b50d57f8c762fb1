"""The plugin's hooks: one stage, and the folder with its presets."""

from __future__ import annotations

from collections.abc import Sequence

from depthmask import Stage, hookimpl

from depthmask_onnx.estimator import Onnx


@hookimpl
def depthmask_stages() -> Sequence[type[Stage]]:
    """The stage `onnx`, an estimator for `depth` and `geometry`."""
    return [Onnx]


@hookimpl
def depthmask_config_paths() -> Sequence[str]:
    """The folder with presets of published models."""
    return ["pkg://depthmask_onnx.conf"]
