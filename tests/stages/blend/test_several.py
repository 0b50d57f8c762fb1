"""Several blends of one scene."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

import depthmask
from depthmask.cli.main import main
from depthmask.config.build import from_plain, lookup_stage, to_plain
from depthmask.config.compose import compose_root
from depthmask.errors import DepthmaskError, SettingError
from depthmask.stages.blend.alpha import Alpha
from depthmask.stages.blend.feather import Feather
from depthmask.stages.blend.several import Several

WORDS = [
    "blend=several",
    "blend.of=[alpha,feather]",
    "source.rooms=3",
    "source.furniture=4",
    "size=[48,64]",
    "samples=7",
    "shard_size=3",
    "split.train=0.5",
    "split.val=0.5",
    "runner.workers=1",
    "encode.image=png",
]


def test_each_variant_is_a_blend_with_the_common_settings() -> None:
    stage = Several(of=["feather", "alpha"], match=0.5, shadow=0.25)
    with pytest.raises(DepthmaskError, match="call `bind` before"):
        stage.variant(0)
    stage.bind(lookup_stage)
    assert stage.variants == 2
    assert stage.variant(0) == Feather(match=0.5, shadow=0.25)
    assert stage.variant(1) == Alpha(match=0.5, shadow=0.25)


def test_pickles_with_its_lookup() -> None:
    stage = Several(of=["feather"])
    stage.bind(lookup_stage)
    assert pickle.loads(pickle.dumps(stage)).variant(0) == Feather()


def test_from_plain_data_and_virtually_it_knows_its_blends() -> None:
    dataset = depthmask.virtual(WORDS)
    assert [dataset[number].meta["blend"] for number in range(3)] == ["alpha", "feather", "alpha"]
    root = from_plain(to_plain(compose_root(WORDS)))
    assert root.blend.variants == 2


@pytest.mark.parametrize("of", [[], ["alpha", "several"]])
def test_what_makes_no_sense_is_refused(of: list[str]) -> None:
    with pytest.raises(SettingError, match="names of other blends"):
        Several(of=of)


def test_samples_of_a_scene_differ_in_their_blend_alone(tmp_path: Path) -> None:
    assert main([*WORDS, f"output={tmp_path / 'out'}"]) == 0
    dataset = depthmask.open(tmp_path / "out")
    assert [sample.meta["blend"] for sample in dataset] == [*["alpha", "feather"] * 3, "alpha"]
    assert [sample.meta["scene"] for sample in dataset] == [0, 0, 1, 1, 2, 2, 3]
    for number in range(0, 6, 2):
        one, other = dataset[number], dataset[number + 1]
        assert one.meta["split"] == other.meta["split"]
        assert one.meta["layers"] == other.meta["layers"]
        assert np.array_equal(one.mask, other.mask)
        assert np.array_equal(one.depth, other.depth)  # type: ignore[arg-type]
        edge = (one.mask > 0) & (one.mask < 255)
        assert not np.array_equal(one.image[edge], other.image[edge])


def test_an_unknown_blend_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*WORDS, "blend.of=[alfa]", f"output={tmp_path / 'out'}"]) == 2
    assert "no such blend; did you mean blend=alpha?" in capsys.readouterr().err


def test_matching_and_shadows_leave_mask_and_depth(tmp_path: Path) -> None:
    plain = [*WORDS[2:], "placement=ground", "objects=[1,2]", "samples=6"]
    mended = ["blend.match=0.5", "blend.shadow=0.6"]
    assert main([*plain, f"output={tmp_path / 'plain'}"]) == 0
    assert main([*plain, *mended, f"output={tmp_path / 'mended'}"]) == 0
    darker = 0
    for one, other in zip(
        depthmask.open(tmp_path / "plain"), depthmask.open(tmp_path / "mended"), strict=True
    ):
        assert one.meta == other.meta
        assert np.array_equal(one.mask, other.mask)
        assert np.array_equal(one.depth, other.depth)  # type: ignore[arg-type]
        beside = one.mask == 0
        change = other.image[beside].astype(int) - one.image[beside]
        assert change.max() <= 0
        darker += int((change < -5).any())
    assert darker >= 3
