"""What a run is named by."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from benchmarks.usefulness import (
    identity,
    recipes_file,
    runs,
)
from depthmask.stages.blend.feather import Feather
from tests.support.usefulness import HERE


def test_what_a_run_is_named_by(tmp_path: Path) -> None:
    """Other test data, another device, other pixels and other sources are other runs."""
    recipe = recipes_file.Recipe("one", "masks", "Some.", words=("source.root={cluttered}",))
    (tmp_path / "cluttered").mkdir()
    (tmp_path / "cluttered" / "a.png").write_bytes(b"1")

    def key(**other: Any) -> str:
        identity.content_of.cache_clear()
        now = dataclasses.replace(HERE, data=tmp_path, **other)
        return next(runs.runs_of(recipe, runs.SCALES["small"], now)).key

    first = key()
    assert key() == first
    others = [key(pixels="new"), key(device="cuda"), key(tested={"people": "c"})]
    assert key(tested={"people": "a", "rgbd": "c"}) == first, "masks are not tried on depth"
    (tmp_path / "cluttered" / "a.png").write_bytes(b"2")
    others.append(key())
    assert len({first, *others}) == 5


def test_the_state_of_the_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each pixel version decides it, that of a setting too, and no other code."""

    def state() -> str:
        identity.pixel_state.cache_clear()
        return identity.pixel_state()

    states = [state()]
    assert state() == states[0]
    monkeypatch.setattr(Feather, "pixel_version", Feather.pixel_version + 1)
    states.append(state())
    monkeypatch.setattr(Feather, "setting_versions", {"match": 99})
    states.append(state())
    monkeypatch.setattr(identity, "PIXEL_VERSION", 99)
    states.append(state())
    assert len(set(states)) == 4
    identity.pixel_state.cache_clear()
