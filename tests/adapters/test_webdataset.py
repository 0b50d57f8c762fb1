"""Streams by the `webdataset` library over our shards."""

from __future__ import annotations

import numpy as np
import pytest
import webdataset

import depthmask
from depthmask.adapters.webdataset import sample, shards
from depthmask.reading.dataset import Dataset

# The library leaves its files to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def test_the_samples_of_a_split(dataset: Dataset) -> None:
    val = dataset.split("val")
    names = shards(val)
    assert [name.rpartition("/")[2] for name in names] == ["val-000000.tar", "val-000001.tar"]
    stream = webdataset.WebDataset(names, shardshuffle=False).map(sample)
    for found, wanted in zip(stream, val, strict=True):
        assert (found.key, found.meta) == (wanted.key, wanted.meta)
        for name in ("image", "mask", "depth"):
            assert np.array_equal(getattr(found, name), getattr(wanted, name))


def test_all_splits(dataset: Dataset) -> None:
    assert len(shards(dataset)) == 4


def test_other_writers_have_no_tar_files(pairs: Dataset) -> None:
    with pytest.raises(depthmask.UsageError, match="make the dataset with writer=webdataset"):
        shards(pairs)
