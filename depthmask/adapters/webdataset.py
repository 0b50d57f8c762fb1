"""Reads the tar files of a dataset with the `webdataset` library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from depthmask.codec.sample import decode
from depthmask.data import Encoded, Sample
from depthmask.errors import UsageError
from depthmask.reading.dataset import Dataset


def shards(dataset: Dataset) -> list[str]:
    """The paths of the tar files of a dataset, or of one split, for `webdataset.WebDataset(...)`.

    Raises `UsageError` if the dataset was not written by writer=webdataset.
    """
    names = [file.name for record in dataset.records() for file in record.files]
    if not all(name.endswith(".tar") for name in names):
        raise UsageError(
            f"{dataset.path}: its shards are not tar files; make the dataset with writer=webdataset"
        )
    return [str(dataset.path / "shards" / name) for name in names]


def sample(members: Mapping[str, Any]) -> Sample:
    """Decode a sample from the members that the library reads as bytes: `stream.map(sample)`."""
    # Values that an earlier step of the pipeline has added or decoded are no members.
    data = {
        name: value
        for name, value in members.items()
        if isinstance(value, bytes) and not name.startswith("__")
    }
    return decode(Encoded(members["__key__"], data, {}))
