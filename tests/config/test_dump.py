"""The config that `--cfg job` prints makes the same root when it is given back."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from depthmask.config.build import to_plain
from depthmask.config.compose import compose_root
from depthmask.config.dump import config_text, package_text
from depthmask.errors import UsageError
from tests.config.test_settings import Settled

ASSETS = ("source=assets", "source.root=/x")


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["output='a b'", "overwrite=true", "target=statistics.mask.mean", "runner.workers=3"],
        ["+preset=pairs", "samples=null", "sampling=product", "size=[240,320]", "objects=[1,3]"],
        ["+preset=depthmaskdataset", "source.root='1e5'"],
        ["source=assets", "source.root='/x\\${y}: #\\'1e5'", "source.foreground_scale=null"],
        ["placement=ground", "placement.heights={person:[1.5,1.9],office\\ chair:1,1:2}"],
        ["labels=[coco,instances]", "encode.depth=npz", "split.train=0.5", "split.val=0.5"],
        ["placement=original", "depth=none", "geometry=none", "blend=several"],
        ["source=assets", "source.root='null'", "writer=npz", "writer.images=raw"],
    ],
)
def test_a_file_with_it_makes_the_same(tmp_path: Path, words: list[str]) -> None:
    root = to_plain(compose_root(words))
    (tmp_path / "mine.yaml").write_text(config_text(compose_root(words)), encoding="utf-8")
    again = compose_root(["--config-dir", str(tmp_path), "--config-name", "mine"])
    assert to_plain(again) == root
    assert again.output == compose_root(words).output


@pytest.mark.usefixtures("stages_of_tests")
def test_a_key_that_is_removed_is_said_in_the_first_line(tmp_path: Path) -> None:
    root = compose_root(["placement=settled", "~placement.table.a", "placement.table.c={b:1}"])
    text = config_text(root)
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    first = shlex.split(text.partition("\n")[0])
    assert first[:4] == ["#", "python", "-m", "depthmask"]
    more = [word for word in first if word.startswith("~")]
    assert more == ["~placement.table.a"]
    again = compose_root(["--config-dir", str(tmp_path), "--config-name", "mine", *more])
    assert isinstance(again.placement, Settled)
    assert again.placement == root.placement


@pytest.mark.parametrize(
    ("words", "package", "choice"),
    [
        (["placement=grid", "placement.rows=5"], "placement", "placement=mine"),
        ([*ASSETS, "source.foreground_scale=null"], "source", "source=mine"),
        (["labels=[coco]"], "labels.coco", "labels=[mine]"),
        (["encode.quality=7"], "encode", "+encode=mine"),
    ],
)
def test_a_group_can_be_saved_as_a_preset(
    tmp_path: Path, words: list[str], package: str, choice: str
) -> None:
    root = compose_root(words)
    kind = package.partition(".")[0]
    (tmp_path / kind).mkdir()
    (tmp_path / kind / "mine.yaml").write_text(package_text(root, package), encoding="utf-8")
    again = compose_root(["--config-dir", str(tmp_path), choice])
    assert to_plain(again)[kind] == to_plain(root)[kind]


@pytest.mark.parametrize("package", ["placemnt", "samples", "labels", "labels.coco", "a.b", ""])
def test_no_such_group(package: str) -> None:
    with pytest.raises(UsageError, match=f"^--package {package}: no such group; "):
        package_text(compose_root([]), package)
