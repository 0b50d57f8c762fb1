"""The requirements on a source."""

import json
from pathlib import Path

import pytest
from depthmask_rows import Rows
from PIL import Image

from depthmask.testing import SourceSuite


class TestRows(SourceSuite):
    stage_class = Rows

    @pytest.fixture
    def stage(self, tmp_path: Path) -> Rows:
        rows = [
            {"key": "sky", "kind": "background", "file": "sky.png", "caption": "the sky"},
            {"key": "kite", "kind": "foreground", "file": "kite.png", "keypoints": {"tip": [3, 0]}},
            {"key": "../lost", "kind": "foreground", "file": "lost.png"},
        ]
        (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
        for name in ("sky", "kite"):
            Image.new("RGB", (7, 9), "blue").save(tmp_path / f"{name}.png")
        return Rows(root=str(tmp_path))

    def test_keeps_the_rows_that_it_leaves_out(self, stage: Rows) -> None:
        (lost,) = stage.check((16, 16)).left_out
        ((name, row),) = lost.contents.items()
        assert name.startswith("rows/")
        assert json.loads(row)["key"] == "../lost"
