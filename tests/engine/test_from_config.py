"""The job of a config: what it refuses before anything is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from depthmask.config.compose import compose_root
from depthmask.engine.from_config import job_from_config
from depthmask.errors import UsageError
from tests.support.tiny import make_assets


@pytest.mark.parametrize(
    ("root", "output"),
    [
        ("OUT/assets", "OUT"),
        ("OUT", "OUT"),
        ("OUT/assets", "./OUT/../OUT/"),
        ("link", "OUT"),
        ("OUT/assets", "link/.."),
    ],
)
def test_assets_in_the_output_are_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: str, output: str
) -> None:
    monkeypatch.chdir(tmp_path)
    make_assets(tmp_path / root if root == "OUT" else tmp_path / "OUT" / "assets")
    (tmp_path / "link").symlink_to(tmp_path / "OUT" / "assets")
    words = ["source=assets", f"source.root={root}", "depth=none", "geometry=none", "samples=1"]
    with pytest.raises(UsageError) as caught:
        job_from_config(compose_root([*words, f"output={output}", "overwrite=true"]))
    line = f"source.root={root}: lies in output={output.rstrip('/')}, which overwrite=true would"
    assert str(caught.value).replace("./OUT", "OUT").startswith(line.replace("./OUT", "OUT"))
    # Without overwrite=true nothing is deleted, and beside them it may be.
    job_from_config(compose_root([*words, f"output={output}"]))
    job_from_config(compose_root([*words, "output=OUT-2", "overwrite=true"]))
