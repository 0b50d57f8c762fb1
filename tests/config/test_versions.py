"""The versions in a plan: of the packages, and of the pixels of each stage."""

from __future__ import annotations

import pytest

from depthmask._version import PIXEL_VERSION, __version__
from depthmask.config.compose import compose_root
from depthmask.config.registry import KINDS
from depthmask.config.versions import pixel_versions, plan_versions, versions
from depthmask.stages.depth.fastdepth import FastDepth


def test_the_stages_of_the_kinds_that_count() -> None:
    root = compose_root(["placement=grid", "geometry=source"])
    fields = plan_versions(root, ("placement", "writer", "runner"))
    assert fields["versions"] == {"depthmask": __version__}
    assert {"depthmask", "numpy", "pillow", "zlib"} <= versions(root).keys()
    assert fields["packages"] == {}
    assert fields["pixel_versions"] == {
        "depthmask": PIXEL_VERSION, "placement=grid": 1, "writer=webdataset": 1
    }  # fmt: skip


def test_stages_inside_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FastDepth, "pixel_version", 5)
    several = compose_root(["blend=several", "blend.of=[poisson]", "geometry=fastdepth"])
    found = pixel_versions(several, KINDS)
    assert {name: found[name] for name in ("blend=several", "blend=poisson")} == {
        "blend=several": 1, "blend=poisson": 1
    }  # fmt: skip
    assert found["geometry=fastdepth"] == 5
    assert pixel_versions(compose_root(["geometry=auto"]), KINDS)["depth=fastdepth"] == 5


def test_a_setting_has_a_version_where_it_is_in_use() -> None:
    plain = pixel_versions(compose_root(["blend=feather"]), KINDS)
    assert not [name for name in plain if name.startswith("blend.")]
    shadow = pixel_versions(compose_root(["blend=several", "blend.shadow=0.5"]), KINDS)
    assert shadow["blend.shadow"] == 2
    assert "blend.match" not in shadow
