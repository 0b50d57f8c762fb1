"""Names that are no settings: which setting is meant, where it belongs, what to write."""

from __future__ import annotations

from pathlib import Path

import pytest

from depthmask.config.compose import compose_root
from depthmask.config.explain.known import known_settings
from depthmask.config.explain.synonyms import SYNONYMS
from depthmask.config.registry import KINDS
from depthmask.errors import UsageError


def said(*words: str) -> str:
    with pytest.raises(UsageError) as caught:
        compose_root(words)
    text = str(caught.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize(
    ("words", "line"),
    [
        # A setting of a stage that is not chosen.
        ("source.root=X", "source.root=X: belongs to source=assets, and source=rooms is chosen; "
         "add source=assets; settings of source=rooms: source.rooms, "),
        ("+source.root=X", "source.root: belongs to source=assets, and source=rooms is chosen"),
        ("placement=grid placement.min_scale=0.5", "placement.min_scale=0.5: belongs to "
         "placement=random, and placement=grid is chosen; add placement=random; settings of place"),
        ("placement.rows=2", "placement.rows=2: belongs to placement=grid, and placement=random"),
        ("depth.weights=x", "depth.weights=x: belongs to depth=densedepth, and depth=layered is"),
        ("source=assets source.root=X source.rooms=3", "source.rooms=3: belongs to source=rooms"),
        ("writer.images=raw", "writer.images=raw: belongs to writer=npz, and writer=webdataset"),
        # A setting of a block or a group, without its name.
        ("workers=2", "workers=2: no such setting; write runner.workers=2"),
        ("train=0.8", "train=0.8: no such setting; write split.train=0.8"),
        ("quality=80", "quality=80: no such setting; write encode.quality=80"),
        ("rooms=64", "rooms=64: no such setting; write source.rooms=64, with source=rooms"),
        ("min_scale=0.5", "min_scale=0.5: no such setting; write placement.min_scale=0.5, with "
         "placement=random"),
        ("root=DIR", "root=DIR: no such setting; write source.root=DIR, with source=assets"),
        # Of another group, or of a group whose name is misspelt.
        ("placement.quality=3", "placement.quality=3: no such setting; write encode.quality=3"),
        ("placment.rows=3", "placment.rows=3: no such setting; write placement.rows=3, with plac"),
        ("source.size=[8,8]", "source.size=[8,8]: no such setting; write 'size=[8,8]'"),
        # Another spelling.
        ("shard-size=10", "shard-size=10: no such setting; write shard_size=10"),
        ("shardSize=10", "shardSize=10: no such setting; write shard_size=10"),
        ("SAMPLES=10", "SAMPLES=10: no such setting; write samples=10"),
        ("encode_quality=80", "encode_quality=80: no such setting; write encode.quality=80"),
        ("encode-quality=80", "encode-quality=80: no such setting; write encode.quality=80"),
        ("placement.minScale=1", "placement.minScale=1: no such setting; did you mean placement.m"),
        ("sample=10", "sample=10: no such setting; did you mean samples? Available: output, "),
        ("object=3", "object=3: no such setting; did you mean objects?"),
        ("workerss=3", "workerss=3: no such setting; write runner.workers=3"),
        ("encode.qualty=50", "encode.qualty=50: no such setting; did you mean encode.quality?"),
        ("writer=npz writer.image=raw", "writer.image=raw: no such setting; did you mean writer.i"),
        # One entry of a setting.
        ("placement=ground placement.heights.chair=0.9", "placement.heights.chair=0.9: no such "
         "setting; placement.heights is given as a whole: write 'placement.heights={chair: 0.9}'"),
        # The names of other tools.
        ("num_samples=10", "num_samples=10: no such setting; write samples=10"),
        ("n_jobs=4", "n_jobs=4: no such setting; write runner.workers=4"),
        ("output_dir=x", "output_dir=x: no such setting; write output=x"),
        ("images=10", "images=10: no such setting; did you mean samples or writer.images?"),
        ("width=640", "width=640: no such setting; did you mean size?"),
        ("image_size=[48,64]", "image_size=[48,64]: no such setting; write 'size=[48,64]'"),
        ("jpeg_quality=50", "jpeg_quality=50: no such setting; write encode.quality=50"),
        # Config groups.
        ("writers=zip", "writers=zip: no such setting; write writer=zip"),
        ("sources=assets", "sources=assets: no such setting; write source=assets"),
        ("label=[coco]", "label=[coco]: no such setting; write 'labels=[coco]'"),
        ("label=coco", "label=coco: no such setting; did you mean labels?"),
        ("preset=pairs", "preset=pairs: nothing is chosen from preset yet; write +preset=pairs"),
        ("presets=pairs", "presets=pairs: no such setting; write +preset=pairs"),
        ("prset=pairs", "prset=pairs: no such setting; write +preset=pairs"),
        ("experiments=placements", "experiments=placements: no such setting; write +experiment=pl"),
        ("launcher=joblib", "launcher=joblib: no such setting; write hydra/launcher=joblib"),
        ("sweeper=optuna", "sweeper=optuna: no such setting; write hydra/sweeper=optuna"),
        ("hydra.launcher.n_jobs=2", "hydra.launcher.n_jobs=2: belongs to hydra/launcher=joblib; "
         "add hydra/launcher=joblib"),
        ("hydra.launcher.nosuch=2", "hydra.launcher.nosuch=2: the chosen hydra/launcher has no "
         "such setting; add hydra/launcher=NAME for one that has it"),
        ("model=fastdepth", "model=fastdepth: no such setting; write depth=fastdepth"),
        ("fmt=zip", "fmt=zip: no such setting; zip is a choice: write writer=zip"),
        ("like=pairs", "like=pairs: no such setting; pairs is a choice: write +preset=pairs"),
        ("check=x", "check=x: no such setting; write source.recheck=x, with source=assets"),
        ("zzzz=x", "zzzz=x: no such setting; available: output"),
        ("verify=OUT", "verify=OUT: no such setting, but a command; write verify OUT"),
        # Given twice: the last is at fault.
        ("samples=10 samples=x", "samples=x: must be a whole number"),
        ("samples=x samples=10k", "samples=10k: must be a whole number; write 10000"),
        ("placement=random placement=grd", "placement=grd: no such placement; did you mean"),
        ("nosuch=1 nosuch=2", "nosuch=2: no such setting"),
        ("preset=pairs preset=mine", "preset=mine: nothing is chosen from preset yet"),
    ],
)  # fmt: skip
def test_what_is_meant(words: str, line: str) -> None:
    assert said(*words.split(" ")).startswith(line)


def test_a_name_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "preset").mkdir()
    file = tmp_path / "preset" / "mine.yaml"
    for text, line in {
        "workers: 2": "workers: no such setting; did you mean runner.workers?",
        "source:\n  root: x": "source.root: belongs to source=assets, and source=rooms is chosen",
    }.items():
        file.write_text(f"# @package _global_\n{text}\n")
        assert f": {line}" in said("+preset=mine", "--config-dir", str(tmp_path))


def test_synonyms_mean_settings() -> None:
    names = {one.name for one in known_settings()}
    assert {*SYNONYMS.values()} <= names | {*KINDS}
    assert not {*SYNONYMS} & names
