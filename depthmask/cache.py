"""What depthmask keeps on disk because it can be made again, only slower."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
from numpy.typing import NDArray


def cache_folder() -> Path:
    """`DEPTHMASK_CACHE`, or the user's cache folder; deleting it costs time only."""
    return Path(os.environ.get("DEPTHMASK_CACHE") or platformdirs.user_cache_dir("depthmask"))


def load_array(path: Path, dtype: type[np.generic]) -> NDArray[Any] | None:
    """What `store_array` put there; None where the file is absent, cut or foreign."""
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return array if isinstance(array, np.ndarray) and array.dtype == dtype else None


def store_array(path: Path, array: NDArray[Any]) -> None:
    """Keep an array; whoever reads meanwhile finds all of it, or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    with temporary.open("wb") as file:
        np.save(file, array, allow_pickle=False)
    os.replace(temporary, path)
