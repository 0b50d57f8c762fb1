"""`prepare`: assets as files that give the same samples again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import depthmask
from depthmask.cli.main import main
from depthmask.stages.source.assets import Assets


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def test_prepared_assets_give_the_same_samples(assets_root: Path, tmp_path: Path) -> None:
    """Once cropped, trimmed and scaled, as when they are prepared in the run."""
    prepared = tmp_path / "prepared"
    size = "size=[32,48]"
    assert main(["prepare", f"source.root={assets_root}", size, f"output={prepared}"]) == 0
    common = [size, "samples=6", "depth=none", "geometry=none", "encode.image=png"]
    common += ["runner.workers=1", "source=assets"]
    words = [f"source.root={assets_root}", f"output={tmp_path / 'one'}"]
    assert main([*common, *words]) == 0
    words = [f"source.root={prepared}", "source.foreground_scale=null"]
    assert main([*common, *words, f"output={tmp_path / 'other'}"]) == 0
    one, other = (depthmask.open(tmp_path / name) for name in ("one", "other"))
    for sample, again in zip(one, other, strict=True):
        assert sample.meta == again.meta
        assert np.array_equal(sample.image, again.image)
        assert np.array_equal(sample.mask, again.mask)


def test_prepared_assets_keep_their_metadata(assets_root: Path, tmp_path: Path) -> None:
    (assets_root / "assets.csv").write_text(
        'key,meta\nroom0,"{""page"": 4}"\ncup,"{""keypoints"": [[1, 2], [7, 9]]}"\n'
    )
    out, size = tmp_path / "out", (32, 32)
    assert main(["prepare", f"source.root={assets_root}", "size=[32,32]", f"output={out}"]) == 0
    source = Assets(root=str(out), foreground_scale=None)
    assert source.background("room0", size).meta == {"page": 4}
    assert source.foreground("cup", size).meta == {"keypoints": [[0, 0], [26, 30]]}
    assert source.foreground("vase", size).meta is None


def test_prepared_assets_keep_split_and_licence(assets_root: Path, tmp_path: Path) -> None:
    (assets_root / "assets.csv").write_text(
        "key,split,licence\nroom0,val,CC0-1.0\ncup,test,\nvase,,CC-BY-4.0\n"
    )
    out = tmp_path / "out"
    assert main(["prepare", f"source.root={assets_root}", "size=[32,32]", f"output={out}"]) == 0
    assert (out / "assets.csv").read_text().splitlines()[0].endswith(",f_px,split,licence")
    before, after = (Assets(root=str(root)).check((32, 32)) for root in (assets_root, out))
    assert before.background_splits == after.background_splits == {"room0": "val"}
    assert before.foreground_splits == after.foreground_splits == {"cup": "test"}
    assert before.background_licences == after.background_licences == {"room0": "CC0-1.0"}
    assert before.foreground_licences == after.foreground_licences == {"vase": "CC-BY-4.0"}
    assert before.licences == after.licences


def test_a_background_and_a_cut_out_of_one_name_keep_their_own_rows(
    assets_root: Path, tmp_path: Path
) -> None:
    (assets_root / "bg" / "room0.png").rename(assets_root / "bg" / "cup.png")
    (assets_root / "assets.csv").write_text(
        "key,label,licence\nfg/cup,mug,CC0-1.0\nbg/cup,,CC-BY-4.0\n"
    )
    out = tmp_path / "out"
    assert main(["prepare", f"source.root={assets_root}", "size=[32,32]", f"output={out}"]) == 0
    source = Assets(root=str(out))
    catalogue = source.check((32, 32))
    assert catalogue.background_licences == {"cup": "CC-BY-4.0"}
    assert catalogue.foreground_licences == {"cup": "CC0-1.0"}
    assert source.foreground("cup", (32, 32)).label == "mug"
    assert catalogue.notes == Assets(root=str(assets_root)).check((32, 32)).notes


def test_names_match(assets_root: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert main(["prepare", f"source.root={assets_root}", "size=[24,24]", f"output={out}"]) == 0
    assert capfd.readouterr().out.splitlines() == [str(out)]
    names = {folder: {path.name for path in (out / folder).iterdir()} for folder in ("fg", "bg")}
    assert names["fg"] == {f"{path.stem}.png" for path in (assets_root / "fg").iterdir()}
    assert names["bg"] == {f"{path.stem}.png" for path in (assets_root / "bg").iterdir()}
    for name in names["fg"]:
        mask, cut_out = (pixels(out / folder / name) for folder in ("fg_mask", "fg"))
        assert max(cut_out.shape) == round(24 * 150 / 160)
        assert np.array_equal(mask, cut_out[..., 3])
    assert all(pixels(out / "bg" / name).shape == (24, 24, 3) for name in names["bg"])
    assert list(tmp_path.glob(".*")) == []


def test_rooms_are_prepared_with_depth_and_heights(tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ["source=rooms", "source.rooms=1", "source.furniture=1", "size=[24,32]"]
    assert main(["prepare", *words, f"output={out}"]) == 0
    assert pixels(out / "bg_depth" / "room0000.png").dtype == np.uint16
    lines = (out / "assets.csv").read_text().splitlines()
    assert lines[0] == "key,label,height_m,f_px"
    assert [line.split(",")[0] for line in lines[1:]] == ["room0000", "item0000"]
    run = ["source=assets", f"source.root={out}", "source.foreground_scale=null", "samples=2"]
    run += ["size=[24,32]", f"output={tmp_path / 'set'}", "runner.workers=1"]
    assert main(run) == 0
    assert depthmask.open(tmp_path / "set").contract is not None


def test_presets_of_224_pixels(assets_root: Path, tmp_path: Path) -> None:
    """As in DepthMaskDataset's larger set."""
    out = tmp_path / "out"
    words = ["+preset=depthmaskdataset224", f"source.root={assets_root}", f"output={out}"]
    assert main(["prepare", *words]) == 0
    assert {max(pixels(path).shape) for path in (out / "fg").iterdir()} == {200}
    assert {pixels(path).shape for path in (out / "bg").iterdir()} == {(224, 224, 3)}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["source.root=ROOT"], "prepare needs output=FOLDER"),
        (["source.root=ROOT", "output=ROOT"], "is not empty; choose a new folder"),
        (["source.root=nosuch", "output=new"], "source.root=nosuch: no such folder"),
        (["source.root=ROOT", "output=s3://bucket/x"], "can write only to a local folder"),
        (["output=new"], "source.root is required"),
    ],
)
def test_bad_commands_in_one_line(
    assets_root: Path, capfd: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    words = [word.replace("ROOT", str(assets_root)) for word in words]
    assert main(["prepare", *words]) == 2
    assert said in capfd.readouterr().err.splitlines()[-1]
