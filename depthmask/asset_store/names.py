"""The names of entries: a group, and a hash of all that determines the content."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from functools import cache
from hashlib import blake2b
from pathlib import Path

from depthmask._version import PIXEL_VERSION, __version__

_LIBRARIES = ("numpy", "pillow", "simplejpeg", "opencv-python-headless")
_CODE = tuple(
    Path(__file__).parents[1] / name for name in ("codec", "compose", "kernels", "stages/source")
)
"""The folders with the code that prepares and codes assets."""
_SWITCHES = (
    *("NPY_DISABLE_CPU_FEATURES", "OPENBLAS_CORETYPE", "OPENCV_CPU_DISABLE", "OPENCV_IPP"),
    *("ONEDNN_MAX_CPU_ISA", "TF_ENABLE_ONEDNN_OPTS"),
)
"""Variables that choose other instructions of the processor, which round otherwise."""


def entry_name(group: str, *determining: object) -> str:
    """The name of an entry. determining: all that determines its content, apart from this machine.

    Machines may share a store, of which each has the entries that it makes itself.
    """
    text = "\0".join([_machine(), *map(str, determining)])
    return f"{group}/{blake2b(text.encode(), digest_size=16).hexdigest()}"


@cache
def _machine() -> str:
    """The software and the processor, as far as the last bit of a result may depend on them."""
    from numpy._core._multiarray_umath import (  # type: ignore[import-not-found]
        __cpu_features__ as features,
    )

    versions = [f"{name} {importlib.metadata.version(name)}" for name in _LIBRARIES]
    used = sorted(name for name, is_used in features.items() if is_used)
    switches = [f"{name}={os.environ.get(name, '')}" for name in _SWITCHES]
    own = f"depthmask {__version__} {PIXEL_VERSION} {_code()}"
    return " ".join([own, *versions, platform.machine(), *used, *switches])


def _code() -> str:
    """A hash of sizes and times of the code: whoever changes it must not get earlier pixels."""
    digest = blake2b(digest_size=16)
    for path in sorted(path for folder in _CODE for path in folder.rglob("*.py")):
        status = path.stat()
        digest.update(f"{path.name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()
