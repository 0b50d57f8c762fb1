"""Names with characters that `str.isprintable` refuses and people have, through all commands."""

from __future__ import annotations

from pathlib import Path

import pytest

import depthmask
from depthmask.cli.main import main

NAME = "at 9.41.00\u202fAM"
"""Of a screenshot of macOS, whose narrow space is none of the keyboard."""
LABEL = "office\u00a0chair"


@pytest.fixture
def unusual(assets_root: Path) -> Path:
    (assets_root / "bg" / "room0.png").rename(assets_root / "bg" / f"{NAME}.png")
    for name in ("room1", "room2"):
        (assets_root / "bg" / f"{name}.png").unlink()
    (assets_root / "fg" / LABEL).mkdir()
    (assets_root / "fg" / "cup.png").rename(assets_root / "fg" / LABEL / f"{NAME}.png")
    (assets_root / "fg" / "vase.png").unlink()
    return assets_root


@pytest.mark.parametrize("writer", ["webdataset", "folder", "depthmaskdataset"])
def test_a_dataset(unusual: Path, tmp_path: Path, writer: str) -> None:
    out = tmp_path / "out"
    words = ["source=assets", f"source.root={unusual}", "samples=2", "size=[32,48]", "depth=none"]
    more = ["geometry=none", "labels=[coco]", f"writer={writer}", "runner.workers=1"]
    assert main([*words, *more, f"output={out}"]) == 0
    for sample in depthmask.open(out):
        assert sample.meta["background"] == NAME
        assert sample.meta["layers"][0]["foreground"] == f"{LABEL}/{NAME}"
        assert sample.meta["layers"][0]["label"] == LABEL
    assert main(["verify", str(out)]) == 0
    assert main(["report", str(out)]) == 0
    assert main(["extend", str(out), "samples=3", "runner.workers=1"]) == 0


def test_prepared_assets(unusual: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main(["prepare", f"source.root={unusual}", "size=[32,48]", f"output={out}"]) == 0
    assert (out / "bg" / f"{NAME}.png").is_file()
    assert f"{LABEL}/{NAME},{LABEL}," in (out / "assets.csv").read_text(encoding="utf-8")
