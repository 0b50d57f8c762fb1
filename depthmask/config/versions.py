"""Collects the versions that determine the bytes of a dataset: depthmask, encoders, plugins."""

from __future__ import annotations

import importlib.metadata
import zlib

from depthmask._version import __version__
from depthmask.config.plugins import registry
from depthmask.config.registry import BUILT_IN
from depthmask.config.root import Root

_ENCODERS = ("numpy", "pillow", "opencv-python-headless", "deflate", "zlib-ng", "orjson")


def versions(root: Root) -> dict[str, str]:
    """Name -> version of everything that can change a byte of the dataset."""
    by_name = {"depthmask": __version__}
    by_name.update({name: importlib.metadata.version(name) for name in _ENCODERS})
    by_name["zlib"] = zlib.ZLIB_RUNTIME_VERSION
    for stage in root.stages():
        provider = registry().provider(stage)
        if provider.name != BUILT_IN and stage.kind != "runner":
            by_name[provider.name] = provider.version
    return by_name
