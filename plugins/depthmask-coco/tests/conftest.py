"""Fixtures of all test files: a separate cache, and a COCO file with its photographs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from made import make_coco

from depthmask_coco.coco import Coco


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The asset store of each test is a folder of its own, never the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEPTHMASK_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def coco(tmp_path: Path) -> Coco:
    """Four photographs with three objects and a crowd each."""
    pictures, path = make_coco(tmp_path)
    return Coco(root=str(pictures), annotations=str(path), least_area=100)
