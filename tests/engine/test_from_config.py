"""The job of a config: what it refuses before anything is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from depthmask.cli.main import main
from depthmask.config.compose import compose_root
from depthmask.engine.display import Silent
from depthmask.engine.from_config import job_from_config
from depthmask.engine.run import run
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


@pytest.mark.parametrize("output", ["bg", "fg_mask", "fg_mask/out", "fg/a/b", "link/out"])
def test_outputs_among_the_assets_are_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str
) -> None:
    """The first run would make them, and the next one would be refused, or read them."""
    root = make_assets(tmp_path / "assets")
    (root / "link").symlink_to(root / "bg")
    monkeypatch.chdir(tmp_path)
    words = ["source=assets", "source.root=assets", "depth=none", "geometry=none", "samples=1"]
    with pytest.raises(UsageError) as caught:
        job_from_config(compose_root([*words, f"output=assets/{output}"]))
    folder = output.replace("link", "bg").split("/")[0]
    assert str(caught.value) == (
        f"output=assets/{output}: lies in assets/{folder}, whose files are assets; choose another "
        "output"
    )


def test_outputs_beside_the_assets_are_made_and_extended(tmp_path: Path) -> None:
    root = make_assets(tmp_path / "assets")
    words = ["source=assets", f"source.root={root}", "depth=none", "geometry=none", "size=[16,16]"]
    for samples in (1, 2):
        more = [f"samples={samples}", f"output={root / 'out'}", "runner.workers=1"]
        assert main([*words, *more]) == 0
    with pytest.raises(UsageError, match="the folder is not empty and holds no depthmask dataset"):
        run(compose_root([*words, "samples=1", f"output={root}"]), Silent())
