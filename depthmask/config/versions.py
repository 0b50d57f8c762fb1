"""Who made the bytes: versions of depthmask, of the encoders, and of the plugins in use."""

from __future__ import annotations

import importlib.metadata
import zlib

import depthmask
from depthmask.config.registry import BUILT_IN, KINDS, registry
from depthmask.config.root import Root

_ENCODERS = ("numpy", "pillow", "opencv-python-headless", "deflate", "zlib-ng", "orjson")


def versions(root: Root) -> dict[str, str]:
    """Name -> version of everything that can change a byte of the dataset."""
    found = {"depthmask": depthmask.__version__}
    found.update({name: importlib.metadata.version(name) for name in _ENCODERS})
    found["zlib"] = zlib.ZLIB_RUNTIME_VERSION
    for kind in KINDS:
        provider = registry().provider(getattr(root, kind))
        if provider.name != BUILT_IN and kind != "runner":
            found[provider.name] = provider.version
    return found
