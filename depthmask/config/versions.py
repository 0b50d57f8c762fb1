"""Collects the versions of all that makes a dataset: depthmask, encoders, plugins, stages."""

from __future__ import annotations

import importlib.metadata
import zlib
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from depthmask._version import PIXEL_VERSION, __version__
from depthmask.config.plugins import registry
from depthmask.config.provider import BUILT_IN
from depthmask.config.registry import KINDS, LISTS
from depthmask.config.root import Root
from depthmask.stage import Stage
from depthmask.stage.calls import StageCalls
from depthmask.stages.depth.base import Estimator
from depthmask.storage.packages import OWN, PACKAGES, PIXEL_VERSIONS

_LIBRARIES = (
    *("numpy", "pillow", "simplejpeg", "deflate", "zlib-ng", "orjson"),
    *("opencv-python-headless", "opencv-python"),
)
"""The packages that decode, change or encode pixels; OpenCV has two that are the same."""
_NETWORKS = (
    *("tensorflow", "tensorflow-cpu", "keras", "jax", "torch"),
    *("openvino", "onnxruntime", "onnxruntime-gpu"),
)
"""The packages that run networks."""
_ZLIB = "zlib"
NOT_PLUGINS = (OWN, *_LIBRARIES, _ZLIB)
"""The names in `versions` of older plans that are no packages of plugins."""


def versions(root: Root) -> dict[str, str]:
    """Name -> version of all packages and libraries that make the bytes of the dataset.

    Of those that run networks, all that are installed, if a stage has a network.
    """
    runtimes = _NETWORKS if _has_network(root) else ()
    libraries = ((name, _installed(name)) for name in (*_LIBRARIES, *runtimes))
    return {
        **_packages_of(root),
        **{name: version for name, version in libraries if version is not None},
        _ZLIB: zlib.ZLIB_RUNTIME_VERSION,
    }


def _packages_of(root: Root) -> dict[str, str]:
    """Name -> version of depthmask and of the plugins with stages of a root."""
    by_name = {OWN: __version__}
    for _, stage in stages_of(root):
        provider = registry().provider(stage)
        if provider.name != BUILT_IN:
            by_name[provider.name] = provider.version
    return by_name


def _has_network(root: Root) -> bool:
    stages = [stage for _, stage in stages_of(root)]
    inner = (one for stage in stages for one in inner_stages_of(stage))
    return any(isinstance(stage, Estimator) for stage in (*stages, *inner))


def _installed(package: str) -> str | None:
    """The version of a package, from its metadata alone; None if it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def plan_versions(root: Root, kinds: Collection[str]) -> dict[str, Any]:
    """The fields of a plan about versions.

    kinds: the config groups whose stages have an effect on the bytes of the dataset.
    """
    return {
        "versions": _packages_of(root),
        PACKAGES: _packages(root, kinds),
        PIXEL_VERSIONS: pixel_versions(root, kinds),
    }


def pixel_versions(root: Root, kinds: Collection[str]) -> dict[str, int]:
    """`kind=name` -> pixel version of the stages and of those inside them, and of depthmask.

    And `kind.setting` -> that of what a setting turns on.
    """
    by_name = {OWN: PIXEL_VERSION}
    for kind, stage in stages_of(root, kinds):
        by_name[f"{kind}={stage.name}"] = stage.pixel_version
        by_name |= _setting_versions(stage)
        for inner in inner_stages_of(stage):
            by_name[f"{inner.kind}={inner.name}"] = inner.pixel_version
            by_name |= _setting_versions(inner)
    return by_name


def _setting_versions(stage: Stage) -> dict[str, int]:
    """`kind.setting` -> pixel version, of the settings in use that have one."""
    versions = stage.setting_versions.items()
    return {f"{stage.kind}.{name}": one for name, one in versions if getattr(stage, name)}


def stages_of(root: Root, kinds: Collection[str] = KINDS) -> Iterator[tuple[str, Stage]]:
    """Yield the stages of a root with their config groups, but no runner: it makes no bytes."""
    for kind in KINDS:
        if kind in kinds and kind != "runner":
            chosen = getattr(root, kind)
            for stage in chosen.values() if kind in LISTS else [chosen]:
                yield kind, stage


def inner_stages_of(stage: Stage) -> Iterator[Stage]:
    """Yield the stages that a stage uses, and those that they use."""
    calls = StageCalls(stage, "inner_stages")
    with calls:
        inside = stage.inner_stages()
    if not isinstance(inside, Sequence) or not all(isinstance(one, Stage) for one in inside):
        raise calls.returned(inside, "a sequence of stages")
    for inner in inside:
        yield inner
        yield from inner_stages_of(inner)


def _packages(root: Root, kinds: Collection[str]) -> dict[str, str]:
    """`kind=name` -> the package of the stage, for those from a plugin."""
    providers = {
        f"{kind}={stage.name}": registry().provider(stage) for kind, stage in stages_of(root, kinds)
    }
    # Built-in stages have no version, and those of a script no package.
    return {stage: one.name for stage, one in providers.items() if one.is_package and one.version}
