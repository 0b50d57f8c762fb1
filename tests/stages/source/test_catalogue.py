"""The catalogue of a run, from whatever a source returns."""

from __future__ import annotations

import pickle
from collections import defaultdict
from types import MappingProxyType
from typing import Any

import pytest

from depthmask.data import AssetCatalogue, AssetFiles, Size
from depthmask.errors import DepthmaskError
from depthmask.stage import stage
from depthmask.stages.source.base import catalogue_of
from depthmask.stages.source.rooms import Rooms


@stage("oddly_catalogued")
class OddlyCatalogued(Rooms):
    """A source whose catalogue has mappings that cannot be pickled."""

    def check(self, size: Size) -> AssetCatalogue:
        licences: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(lambda: 0))
        licences["backgrounds"]["MIT"] += 2
        files = MappingProxyType({"backgrounds": AssetFiles(2, 10)})
        return AssetCatalogue("abc", files=files, licences=licences)


def test_any_mappings_reach_the_workers() -> None:
    """Workers get the catalogue with their job."""
    catalogue = catalogue_of(OddlyCatalogued(rooms=2, furniture=3), (24, 32))
    assert pickle.loads(pickle.dumps(catalogue)) == catalogue
    assert catalogue.licences == {"backgrounds": {"MIT": 2}}
    assert catalogue.files == {"backgrounds": AssetFiles(2, 10)}
    assert (len(catalogue.backgrounds), len(catalogue.foregrounds)) == (2, 3)


@stage("oddly_labelled")
class OddlyLabelled(Rooms):
    """A source that gives its labels in any order, or none at all."""

    labels: Any = ("b", "a", "b")

    def foreground_labels(self) -> Any:
        return self.labels


def test_labels_are_sorted() -> None:
    assert catalogue_of(OddlyLabelled(), (24, 32)).foreground_labels == ("a", "b")
    assert catalogue_of(OddlyLabelled(labels=()), (24, 32)).foreground_labels == ()
    rooms = catalogue_of(Rooms(furniture=3), (24, 32))
    assert rooms.foreground_labels == ("armchair", "chair", "plant")


@pytest.mark.parametrize("labels", ["chair", (1,), None])
def test_labels_that_are_none(labels: Any) -> None:
    with pytest.raises(DepthmaskError, match=r"foreground_labels|NoneType"):
        catalogue_of(OddlyLabelled(labels=labels), (24, 32))
