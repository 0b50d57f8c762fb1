"""The source that gives Hydra the YAML configs of a folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from hydra.core.object_type import ObjectType
from hydra.plugins.config_source import ConfigLoadError
from omegaconf import OmegaConf

from depthmask.config.presets.source import YamlSource


def test_groups_and_configs(tmp_path: Path) -> None:
    for name in ("preset/b.yaml", "preset/a.yaml", "preset/c.yml", "preset/inner/d.yaml", "e.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("# @package _global_\nsamples: 1\n")
    (tmp_path / "preset" / "__pycache__").mkdir()
    source = YamlSource("plugin", f"yaml://{tmp_path}")
    assert source.available()
    assert source.list("preset", ObjectType.CONFIG) == ["a", "b"]
    assert source.list("preset", ObjectType.GROUP) == ["inner"]
    assert source.list("", None) == ["e", "preset"]
    assert source.is_group("preset")
    assert not source.is_group("e")
    assert source.is_config("preset/a")
    assert not source.is_config("preset/c")
    loaded = source.load_config("preset/a.yaml")
    assert OmegaConf.to_container(loaded.config) == {"samples": 1}
    assert loaded.header == {"package": "_global_"}
    with pytest.raises(ConfigLoadError):
        source.load_config("preset/c")
    assert not YamlSource("plugin", f"yaml://{tmp_path}/nosuch").available()
