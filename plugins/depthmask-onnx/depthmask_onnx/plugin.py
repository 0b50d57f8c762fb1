"""What depthmask finds here: one stage, and the folder with its presets."""

from __future__ import annotations

from collections.abc import Sequence

from depthmask import Stage, hookimpl

from depthmask_onnx.estimator import Onnx


@hookimpl
def depthmask_stages() -> Sequence[type[Stage]]:
    """`onnx`, an estimator: for `depth` and for `geometry`."""
    return [Onnx]


@hookimpl
def depthmask_config_paths() -> Sequence[str]:
    """Presets for models as published."""
    return ["pkg://depthmask_onnx.conf"]
