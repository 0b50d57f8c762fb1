"""A user's mistake: one line that says what, where and what to do; exit code 2; nothing written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from depthmask.cli.main import main


def assets(folder: Path) -> Path:
    """The smallest assets: one background, one cut-out."""
    for name in ("bg", "fg"):
        (folder / name).mkdir(parents=True)
    grey = np.full((40, 40, 3), 90, np.uint8)
    Image.fromarray(grey).save(folder / "bg" / "wall.png")
    rgba = np.zeros((30, 20, 4), np.uint8)
    rgba[5:25, 5:15] = (200, 30, 30, 255)
    Image.fromarray(rgba).save(folder / "fg" / "box.png")
    return folder


def fails(capsys: pytest.CaptureFixture[str], out: Path, *words: str, code: int = 2) -> str:
    assert main([*words, f"output={out}"]) == code
    text = capsys.readouterr().err.strip()
    assert len(text.splitlines()) == 1, text
    assert text.startswith("error: ")
    assert not (out / "dataset.json").exists()
    assert not (out / "plan.json").exists()
    return text.removeprefix("error: ")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            ["placement=rnadom"],
            "placement=rnadom: no such placement; did you mean placement=random",
        ),
        (
            ["writer=tarball"],
            "writer=tarball: no such writer; available: depthmaskdataset, folder, npz, webdataset",
        ),
        (["placement.max_scale=-1"], "placement.max_scale=-1: must be more than 0"),
        (["placement.min_scale=2"], "placement.max_scale=1: must be at least min_scale=2"),
        (["placement.min_visible=1.5"], "placement.min_visible=1.5: must be at most 1"),
        (["placement.nosuch=1"], "placement.nosuch=1: no such setting"),
        (["placement.min_visibel=1"], "did you mean placement.min_visible?"),
        (["writer=npz", "writer.image=raw"], "did you mean writer.images?"),
        (["encode.qualty=50"], "did you mean encode.quality?"),
        (["encode.quality=0"], "encode.quality=0: must be at least 1"),
        (["encode.image=gif"], "encode.image=gif: must be one of jpeg, png"),
        (["encode.subsampling=411"], "encode.subsampling=411: must be one of 444, 422, 420"),
        (["samples=abc"], "samples=abc: must be a whole number"),
        (["samples=0"], "samples=0: must be at least 1"),
        (["flips=maybe"], "flips=maybe: must be true or false"),
        (["placement.min_scale=big"], "placement.min_scale=big: must be a number"),
        (["size=[160]"], "size=[160]: must be [height, width]"),
        (["objects=[3,1]"], "objects=[3, 1]: must be from 1 to 65535, the smaller number first"),
        (["objects=[1,500]"], "objects=500: the source has"),
        (["nosuch=1"], "nosuch=1: no such setting; available: output"),
        (["+nosuch=1"], "nosuch: no such setting"),
        (["+source.nosuch=1"], "source.nosuch: no such setting; available: "),
        (["+encode.qualty=3"], "encode.qualty: no such setting; did you mean encode.quality?"),
        (
            ["+preset=nosuch"],
            "preset=nosuch: no such preset; available: depthmaskdataset, depthmaskdataset224, ",
        ),
        (["samples=["], "samples=[: a bracket ] is missing; write 'samples=[]'"),
        (["~placement"], "placement=null: no such placement; available: grid, ground, random"),
        (["geometry=none"], "depth=layered geometry=none: layered sets objects into the depth"),
        (["geometry=fastdepth", "geometry.resolution=native"], "geometry needs resolution=image"),
        (
            ["source=assets"],
            "source.root is required (the folder or URL that holds bg/ and fg/, or ",
        ),
        (["source=assets", "source.root=/no/such"], "source.root=/no/such: no such folder"),
        (["rendr"], "rendr: no such command; did you mean render? Available: run, resume, extend"),
    ],
)
def test_bad_usage(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, words: list[str], line: str
) -> None:
    assert line in fails(capsys, tmp_path / "out", *words)


SAMPELS = "preset/bad.yaml:2: sampels: no such setting; did you mean samples? Available: output"


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["+preset=bad"], SAMPELS),
        (["-m", "+preset=bad", "seed=1,2"], SAMPELS),
        (["-m", "+preset=good,bad"], SAMPELS),
        (["+preset=bad", "--cfg", "job"], SAMPELS),
        (["tune", "+preset=bad"], SAMPELS),
        (["evaluate", "on=x", "+preset=bad"], SAMPELS),
        (["prepare", "+preset=bad"], SAMPELS),
        (
            ["convert", "DATASET", "writer=bad"],
            "writer/bad.yaml:1: schema/writer=npy: no such schema/writer",
        ),
        (["+preset=low"], "preset/low.yaml:2: samples=0: must be at least 1"),
        # Known only when the stages are asked, or when a sweep composes its jobs.
        (["+preset=flat"], "preset/flat.yaml:3: depth=layered geometry=none: layered sets objects"),
        (["-m", "+experiment=bad"], "experiment/bad.yaml:5: sampels: no such setting; did you"),
        (["-m", "+experiment=value"], "experiment/value.yaml:5: seed: must be a whole number"),
        (["+preset=mode"], "preset/mode.yaml:3: hydra.mode=MULTIRUN is not supported"),
    ],
)
def test_mistakes_in_yaml(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    line: str,
) -> None:
    """Each kind of mistake is in tests/config/explain/test_files.py; here is each command."""
    top = "# @package _global_\n"
    sweep = f"{top}hydra:\n  sweeper:\n    params:\n"
    for name, text in {
        "preset/bad": f"{top}sampels: 7\n",
        "preset/good": f"{top}samples: 7\n",
        "preset/low": f"{top}samples: 0\n",
        "preset/flat": f"{top}defaults:\n  - override /geometry: none\n  - _self_\n",
        "preset/mode": f"{top}hydra:\n  mode: MULTIRUN\n",
        "experiment/bad": f"{sweep}      sampels: 1,2\n",
        "experiment/value": f"{sweep}      seed: 1,x\n",
        "writer/bad": "defaults: [/schema/writer/npy@_here_, _self_]\n",
    }.items():
        path = tmp_path / "mydir" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.chdir(tmp_path)
    said = fails(capsys, tmp_path / "out", *words, "--config-dir", "mydir")
    assert said.startswith(f"mydir/{line}")


@pytest.mark.parametrize("launcher", ["basic", "joblib"])
def test_a_job_of_a_sweep_says_which_line_is_wrong(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, launcher: str
) -> None:
    (tmp_path / "preset").mkdir()
    low = tmp_path / "preset" / "low.yaml"
    low.write_text("# @package _global_\nsamples: 0\n")
    words = ["-m", "+preset=pairs,low", f"hydra/launcher={launcher}", f"--config-dir={tmp_path}"]
    rooms = ["source.rooms=1", "source.furniture=1", "size=[8,8]"]
    assert main([*words, *rooms, f"output={tmp_path / 'out'}"]) == 1
    assert f"failed: {low}:2: samples=0: must be at least 1" in capsys.readouterr().err


@pytest.mark.parametrize(("seeds", "is_one"), [("0", True), ("0,1", False)])
def test_a_sweep_of_one_dataset_says_so(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, seeds: str, is_one: bool
) -> None:
    words = ["-m", f"seed={seeds}", "source=assets", "source.root=/no/such"]
    assert main([*words, f"output={tmp_path / 'out'}"]) == 1
    assert ("note: -m made one dataset, since no setting" in capsys.readouterr().err) == is_one


def test_a_job_of_a_sweep_names_a_setting_that_does_not_exist(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["-m", "seed=0,1", "samples=${nosuch}"]) == 1
    captured = capsys.readouterr()
    assert "samples: ${nosuch}: no such setting" in captured.out + captured.err


def test_bad_assets(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    root = tmp_path / "assets"
    words = ["source=assets", f"source.root={root}"]
    out = tmp_path / "out"
    root.mkdir()
    assert f"{root / 'bg'}: no such folder; source.root needs bg/" in fails(capsys, out, *words)
    (root / "bg").mkdir()
    (root / "fg").mkdir()
    assert f"{root / 'bg'}: no pictures" in fails(capsys, out, *words)
    (root / "bg").rmdir()
    (root / "fg").rmdir()
    assets(root)
    Image.new("RGB", (30, 40)).save(root / "fg" / "flat.jpg")
    text = fails(capsys, out, *words)
    assert f"{root / 'fg' / 'flat.jpg'}: no transparency and no mask" in text
    (root / "fg_mask").mkdir()
    Image.new("L", (31, 40), 255).save(root / "fg_mask" / "flat.png")
    text = fails(capsys, out, *words)
    assert "flat.png: 40x31, but its cut-out flat.jpg is 40x30" in text
    Image.new("L", (30, 40), 255).save(root / "fg_mask" / "flat.png")
    assert main([*words, f"output={out}", "samples=3", "+preset=pairs"]) == 0


def test_output_of_another_plan_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    root = assets(tmp_path / "assets")
    words = ["source=assets", f"source.root={root}", f"output={tmp_path / 'out'}", "+preset=pairs"]
    assert main([*words, "samples=4"]) == 0
    before = (tmp_path / "out" / "dataset.json").read_bytes()
    for change, line in [
        ("seed=5", "seed was 0 and is 5"),
        ("samples=3", "holds 4 samples, more than samples=3"),
        ("placement=grid", "placement was random and is grid"),
        ("encode.quality=50", "encode.quality was 95 and is 50"),
    ]:
        capsys.readouterr()
        assert main([*words, "samples=4", change]) == 2
        text = capsys.readouterr().err
        assert line in text
        assert "choose another output" in text
        # A smaller dataset is a slice of this one: nobody has to overwrite it.
        assert ("overwrite=true" in text) == (change != "samples=3")
    assert (tmp_path / "out" / "dataset.json").read_bytes() == before
    Image.new("RGB", (40, 40), "blue").save(root / "bg" / "wall.png")
    assert main([*words, "samples=4"]) == 2
    assert "assets: bg/wall.png changed; choose" in capsys.readouterr().err
    assert main([*words, "samples=4", "overwrite=true"]) == 0


def test_a_folder_without_a_dataset_is_left_alone(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    for more in ([], ["overwrite=true"]):
        assert main(["samples=1", f"output={tmp_path}", *more]) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_sample_without_a_position_fails_and_names_the_setting(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    root = assets(tmp_path / "assets")
    code = main(
        ["source=assets", f"source.root={root}", "+preset=pairs", f"output={tmp_path / 'out'}",
         "samples=5", "placement.min_scale=9", "placement.max_scale=9", "placement.min_visible=0.9"]
    )  # fmt: skip
    assert code == 1
    text = capsys.readouterr().err.strip().splitlines()[-1]
    assert text.startswith(
        "error: train-000000: sample 0 (wall, box): placement=random: no place for box on wall in "
    )
    assert "placement.min_visible=0.9" in text
    assert not (tmp_path / "out" / "dataset.json").exists()
    assert not list((tmp_path / "out" / "records").iterdir())
    assert main(["stats", str(tmp_path / "out")]) == 2
    assert "the dataset is unfinished" in capsys.readouterr().err
