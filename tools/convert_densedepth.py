"""Turn DenseDepth's weights as published into our own `.npz`, which needs no HDF5 library to read.

    python -m tools.convert_densedepth nyu.h5 nyu.npz

Takes a whole model or a weights file of Keras 1 or 2, checked as `depth=densedepth` checks it, and
writes the same numbers in float32. The same input gives the same bytes.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from depthmask.errors import DepthmaskError
from depthmask.networks.densedepth_weights import load


def main(arguments: list[str]) -> int:
    """Convert; 2 if the arguments or the file are not what was expected."""
    if len(arguments) != 2:
        print("usage: convert_densedepth.py IN.h5 OUT.npz", file=sys.stderr)
        return 2
    source, target = map(Path, arguments)
    try:
        layout, arrays = load(source)
    except DepthmaskError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    # A file object, because `savez` would add a suffix to a path that has none.
    with target.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    print(f"{target}: {layout.encoder}, decoder width {layout.width}, {len(arrays)} arrays")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
