"""HDF5 files of Keras 1 and 2, read as untrusted input.

Keras kept a whole model as a group `model_weights`, and the model's code and config as attributes;
a weights file is the same without the group. Each layer is a group, known by an attribute
`weight_names`, and its arrays lie below: `model_weights/conv1/conv/conv1/conv/kernel:0` is the
kernel of `conv1/conv`. Only the names of groups and arrays, and the arrays, are used. No attribute
is read: neither the config, which may hold Python code in a Lambda layer, nor the lists of names,
whose strings may be many times larger than the file.

Before the first array is read, every link below the weights is checked: only hard links to groups
and to plain, contiguous float arrays within the file are allowed, each reached once. So nothing
leads to another file, in a circle, through a compression filter, or to more bytes than the file
has.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray

from depthmask.errors import UsageError, refuse_machine_errors
from depthmask.networks.weight_file import ArraySpec, WeightFile, printable

WHOLE_MODEL = "model_weights"
OBJECTS_MAX = 20_000
"""The most groups and arrays of a file; DenseDepth on DenseNet-201 has some 3,500."""


class _Group(NamedTuple):
    """A group to visit. path: below the weights. layer: the layer that contains it, or ""."""

    group: h5py.Group
    path: str
    layer: str


class LegacyHdf5(WeightFile):
    """An HDF5 file of Keras 1 or 2 whose structure has been checked."""

    def __init__(self, path: Path, file: h5py.File) -> None:
        self.path = path
        self._file_bytes = path.stat().st_size
        self._datasets: dict[str, h5py.Dataset] = {}
        self.layers: set[str] = set()
        self._walk(self._weights(file))
        self.arrays = {
            name: ArraySpec(one.shape, one.dtype) for name, one in self._datasets.items()
        }

    def _read(self, name: str) -> NDArray[Any]:
        with _explained(self.path, name):
            return np.asarray(self._datasets[name][()])

    def _weights(self, file: h5py.File) -> h5py.Group:
        """The group with the groups of the layers."""
        if file.get(WHOLE_MODEL, getlink=True) is None:
            return file["/"]
        linked = self._linked(file["/"], WHOLE_MODEL, WHOLE_MODEL)
        if not isinstance(linked, h5py.Group):
            raise self.refusal(WHOLE_MODEL, "is no group")
        return linked

    def _walk(self, root: h5py.Group) -> None:
        """Collect every layer and every array below `root`, and check each link."""
        seen = {_address(root)}
        groups = [_Group(root, "", "")]
        while groups:
            parent = groups.pop()
            if len(seen) + len(parent.group) > OBJECTS_MAX:
                raise self.refusal(parent.path, f"more than {OBJECTS_MAX:,} groups and arrays")
            for name in parent.group:
                path = f"{parent.path}/{name}" if parent.path else name
                linked = self._linked(parent.group, name, path)
                address = _address(linked)
                if address in seen:
                    raise self.refusal(path, "is linked twice, or in a circle")
                seen.add(address)
                if isinstance(linked, h5py.Group):
                    groups.append(_Group(linked, path, self._layer(linked, path, parent.layer)))
                else:
                    self._add(linked, path, parent.layer)

    def _linked(self, group: h5py.Group, name: str, path: str) -> h5py.Group | h5py.Dataset:
        """The group or array behind a link, which must be a hard link."""
        link = group.get(name, getlink=True)
        if isinstance(link, h5py.ExternalLink):
            raise self.refusal(path, f"is a link to another file, {printable(link.filename)}")
        if not isinstance(link, h5py.HardLink):
            raise self.refusal(path, "is a soft link, expected an array or a group")
        linked = group[name]
        if not isinstance(linked, h5py.Group | h5py.Dataset):
            raise self.refusal(path, "is neither an array nor a group")
        return linked

    def _layer(self, group: h5py.Group, path: str, parent: str) -> str:
        """The name of the layer that is, or contains, a group; "" outside of layers."""
        if "weight_names" not in group.attrs:
            return parent
        layer = path.replace("/", "_")
        if parent or layer in self.layers:
            raise self.refusal(path, "is a layer within a layer, or there twice")
        self.layers.add(layer)
        return layer

    def _add(self, dataset: h5py.Dataset, path: str, layer: str) -> None:
        """Check an array, and list it as LAYER.WEIGHT."""
        self._check_storage(dataset, path)
        if not layer:
            raise self.refusal(path, "belongs to no layer as Keras 1 and 2 wrote them")
        # `kernel` for `conv1/conv/kernel:0`, and for `kernel_1:0`, as TensorFlow numbers names.
        weight = re.sub(r"(_\d+)?(:0)?$", "", path.rpartition("/")[2])
        name = f"{layer}.{weight}"
        if name in self._datasets:
            raise self.refusal(path, "is there twice")
        self._datasets[name] = dataset

    def _check_storage(self, dataset: h5py.Dataset, path: str) -> None:
        """Raise unless an array's bytes are contiguous in this file, and as many as declared."""
        plan = dataset.id.get_create_plist()
        if plan.get_layout() not in (h5py.h5d.CONTIGUOUS, h5py.h5d.COMPACT):
            raise self.refusal(path, "is chunked or virtual, expected one piece as Keras writes it")
        if plan.get_external_count():
            raise self.refusal(path, "has its numbers in another file")
        shape, dtype = dataset.shape, dataset.dtype
        if shape is None or dtype.kind != "f" or dtype.itemsize not in (2, 4):
            raise self.refusal(path, f"has type {dtype}, expected float16 or float32")
        declared, held = math.prod(shape) * dtype.itemsize, dataset.id.get_storage_size()
        if held != declared:
            raise self.refusal(
                path, f"declares shape {list(shape)}, {declared:,} bytes, and has {held:,}"
            )
        # None for a compact array, whose data are in the header that was just read.
        offset = dataset.id.get_offset()
        if offset is not None and offset + held > self._file_bytes:
            raise self.refusal(
                path,
                f"declares shape {list(shape)}, and ends at byte {offset + held:,} of a file of "
                f"{self._file_bytes:,}",
            )


@contextmanager
def opened(path: Path) -> Iterator[LegacyHdf5]:
    """Open a file and check its structure; `UsageError` in one line if it is not as expected."""
    with _explained(path):
        file = h5py.File(path, "r")
    with file:
        with _explained(path):
            checked = LegacyHdf5(path, file)
        yield checked


@contextmanager
def _explained(path: Path, name: str = "") -> Iterator[None]:
    """Turn the errors of h5py for broken files into a `UsageError` of one line."""
    try:
        yield
    except (OSError, RuntimeError, LookupError, ValueError, TypeError, OverflowError) as error:
        refuse_machine_errors(path, error)
        what = f"layer {printable(name)}: " if name else ""
        reason = " ".join(str(error).split())
        raise UsageError(f"{path}: {what}cannot be read as HDF5: {reason}") from None


def _address(linked: Any) -> int:
    return int(h5py.h5o.get_info(linked.id).addr)
