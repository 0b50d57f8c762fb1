"""Tells which package or extra brings a choice that this machine does not have."""

from __future__ import annotations

_EXTRAS = {
    "hydra/launcher=joblib": "joblib",
    "hydra/launcher=submitit_local": "submitit",
    "hydra/launcher=submitit_slurm": "submitit",
    "hydra/sweeper=optuna": "optuna",
}
"""Choice -> the extra of depthmask that brings it."""
_PLUGINS = {
    "source=coco": "depthmask-coco",
    "source=voc": "depthmask-coco",
    "source=yolo": "depthmask-coco",
    "placement=scatter": "depthmask-scatter",
    "depth=onnx": "depthmask-onnx",
    "depth=depth_anything_v2_small": "depthmask-onnx",
    "depth=fastdepth_onnx": "depthmask-onnx",
    "depth=midas_v21_small": "depthmask-onnx",
    "geometry=onnx": "depthmask-onnx",
    "geometry=fastdepth_onnx": "depthmask-onnx",
    "writer=parquet": "depthmask-parquet",
    "runner=ray": "depthmask-ray",
}
"""Choice -> the package that brings it, which is in `plugins/` of depthmask's repository."""
_OF_HYDRA = {
    "hydra/launcher=ray": "hydra-ray-launcher",
    "hydra/launcher=ray_aws": "hydra-ray-launcher",
    "hydra/launcher=rq": "hydra-rq-launcher",
    "hydra/sweeper=ax": "hydra-ax-sweeper",
    "hydra/sweeper=nevergrad": "hydra-nevergrad-sweeper",
}
"""Choice -> a package of Hydra's that brings it, with which depthmask is not tested."""
_INSTEAD = {
    "hydra/launcher": "joblib and submitit are (pip install 'depthmask[joblib]', "
    "'depthmask[submitit]'), and depthmask-ray for each dataset (runner=ray)",
    "hydra/sweeper": "optuna is (pip install 'depthmask[optuna]')",
}
"""Group of Hydra -> what depthmask is tested with."""


def package_with(choice: str) -> str | None:
    """The package of depthmask's repository that has `kind=name`; None if none has it."""
    return _PLUGINS.get(choice)


def how_to_install(choice: str) -> str | None:
    """What to do for `group=name` if it is not installed; None if no package is known for it."""
    if choice in _EXTRAS:
        return f"pip install 'depthmask[{_EXTRAS[choice]}]'"
    if choice in _PLUGINS:
        package = _PLUGINS[choice]
        return f"it is in {package}; pip install ./plugins/{package} in depthmask's repository"
    if choice in _OF_HYDRA:
        instead = _INSTEAD[choice.partition("=")[0]]
        return f"{_OF_HYDRA[choice]} brings it, with which depthmask is not tested; {instead}"
    return None
