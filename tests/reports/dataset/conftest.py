"""A small dataset with splits, depth and names that are markup."""

from __future__ import annotations

from pathlib import Path

import pytest

from depthmask.cli.main import main
from tests.support import tiny


@pytest.fixture(scope="session")
def evil_name() -> str:
    """Of a background."""
    return "\"><b id=evil>&'"


@pytest.fixture(scope="session")
def evil_assets(tmp_path_factory: pytest.TempPathFactory, evil_name: str) -> Path:
    root = tiny.make_assets(tmp_path_factory.mktemp("report") / "assets")
    (root / "bg" / "wall0.png").rename(root / "bg" / f"{evil_name}.png")
    (root / "bg_depth" / "wall0.png").rename(root / "bg_depth" / f"{evil_name}.png")
    (root / "assets.csv").write_text(
        "key,label,licence\nbox0,</script><script>document.title='evil'</script>,<i>mine</i>\n"
        "box1,box,CC0-1.0\n"
    )
    return root


@pytest.fixture(scope="session")
def made(evil_assets: Path) -> Path:
    """60 samples in two splits, two objects in each."""
    words = tiny.words(
        evil_assets, evil_assets.parent / "out", "samples=60", "shard_size=8", "objects=2"
    )
    splits = ["split.train=0.5", "split.val=0.5", "encode.labels=coco", "runner.workers=1"]
    assert main([*words, *splits]) == 0
    return (evil_assets.parent / "out").rename(evil_assets.parent / "a <dataset> & more")
