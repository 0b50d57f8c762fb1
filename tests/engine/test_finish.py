"""The files about a whole dataset; those that are only for looking at end no run."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from PIL import Image

import depthmask
from depthmask.cli.main import main
from depthmask.engine import finish

ROOMS = ["source.rooms=2", "source.furniture=2", "depth=layered", "runner.workers=1"]


@pytest.mark.parametrize("size", [(8, 1000), (8, 8192), (8192, 8)])
def test_canvases_of_any_aspect_have_a_preview(tmp_path: Path, size: tuple[int, int]) -> None:
    """A JPEG has at most 65,500 pixels a side."""
    words = [*ROOMS, f"size=[{size[0]},{size[1]}]", "samples=4", f"output={tmp_path / 'out'}"]
    assert main(words) == 0
    assert depthmask.open(tmp_path / "out")[3].size == size
    with Image.open(tmp_path / "out" / "preview.jpg") as preview:
        assert max(preview.size) <= 50_000
        assert preview.getextrema() != ((250, 250), (250, 250), (248, 248))


@pytest.mark.parametrize("name", ["contact_sheet", "cards"])
def test_what_is_for_looking_at_ends_no_run(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    name: str,
) -> None:
    def fail(*_: object) -> None:
        # What Pillow raises for a picture that is too large.
        raise OSError("encoder error -2 when writing image file")

    words = [*ROOMS, "size=[24,32]", f"output={tmp_path / 'out'}"]
    assert main([*words, "samples=2"]) == 0
    monkeypatch.setattr(finish, name, fail)
    capsys.readouterr()
    assert main([*words, "samples=4"]) == 0
    left_out = "the card" if name == "cards" else "preview.jpg"
    (warning,) = [one for one in caplog.records if one.levelno == logging.WARNING]
    assert warning.getMessage().startswith(f"{left_out} is left out: OSError: encoder error -2")
    shown = capsys.readouterr().err
    assert f"note: {left_out} is left out: " in shown
    assert ("preview   " in shown) == (name == "cards")
    assert len(depthmask.open(tmp_path / "out")) == 4
    assert (tmp_path / "out" / "preview.jpg").exists() == (name == "cards")
    assert main(["verify", str(tmp_path / "out")]) == 0
