"""`python -m tools.gallery` makes the pictures of the docs, and the pages have them all."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from depthmask.config.plugins import registry
from depthmask.config.provider import BUILT_IN
from tests.support.paths import ROOT
from tests.support.tiny import make_assets
from tools.gallery.make import IMAGES, drawn, main, samples_of
from tools.gallery.pictures import FOUR_ASSETS, GALLERY, PICTURES, TROUBLE, Pair

PAGE = (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8")
SMALL = ("size=[24,36]", "source.oversample=1")
NETWORK = "gallery-fastdepth"
"""TensorFlow is not imported here; the test of FastDepth itself does that."""
WITHOUT_PICTURE = {"densedepth": "its weights are not part of the package"}


def stages(kind: str) -> list[str]:
    offered = registry().stages[kind].values()
    return [one.stage.name for one in offered if one.provider.name == BUILT_IN]


def section(kind: str, name: str) -> str:
    """What the page says about a stage."""
    group = PAGE.partition(f"\n## {kind.title()}\n")[2].partition("\n## ")[0]
    return group.partition(f"\n### {name}\n")[2].partition("\n### ")[0]


@pytest.mark.parametrize("kind", ["placement", "blend", "depth"])
def test_every_stage_has_a_picture(kind: str) -> None:
    for name in stages(kind):
        text = section(kind, name)
        assert text, f"docs/gallery.md says nothing about {kind}={name}"
        if name in WITHOUT_PICTURE:
            assert WITHOUT_PICTURE[name] in " ".join(text.split()).replace("(173 MB) ", "")
        else:
            assert f"(images/gallery-{name}.jpg)" in text
            assert f"{kind}={name}" in text


def test_the_command_below_a_picture_makes_it() -> None:
    """A dataset of the command has the samples of the picture."""
    pair = re.compile(r"\(images/([\w-]+)\.jpg\)\n.*?^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)
    commands = {name: shlex.split(block.replace("\\\n", " ")) for name, block in pair.findall(PAGE)}
    assert commands.keys() == GALLERY.keys()
    for name, words in commands.items():
        picture = GALLERY[name]
        (samples,) = (int(word[8:]) for word in words if word.startswith("samples="))
        settings = {word for word in words[3:] if not word.startswith("samples=")}
        assert words[:3] == ["python", "-m", "depthmask"]
        assert settings == set(picture.settings), name
        assert samples == max(picture.samples) + 1


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All pictures, tiny."""
    folder = tmp_path_factory.mktemp("gallery")
    only = [word for name in PICTURES if name != NETWORK for word in ("--only", name)]
    main([*only, "--into", str(folder), *SMALL])
    return folder


def test_all_pictures_are_made_and_differ(made: Path) -> None:
    files = sorted(made.iterdir())
    assert [file.stem for file in files] == sorted(PICTURES.keys() - {NETWORK})
    assert len({file.read_bytes() for file in files}) == len(files)


@pytest.mark.parametrize("name", PICTURES)
def test_committed_pictures(name: str, made: Path) -> None:
    """They are small, sharp on screens with two pixels for each of a page, and have all panels."""
    file = IMAGES / f"{name}.jpg"
    assert file.stat().st_size < 250_000
    with Image.open(file) as picture:
        assert picture.width >= (600 if name == "random" else 1100)
        if name != NETWORK:
            with Image.open(made / file.name) as tiny:
                assert tiny.size == picture.size


@pytest.mark.parametrize("name", ["random", "gallery-grid"])
def test_committed_pictures_are_those_of_today(name: str) -> None:
    """Two quick ones: after a change of the rooms or of the tool, make all of them again."""
    with Image.open(IMAGES / f"{name}.jpg") as committed:
        difference = np.abs(np.asarray(drawn(PICTURES[name]), int) - np.asarray(committed, int))
    assert difference.mean() < 3


@pytest.mark.parametrize("name", TROUBLE)
def test_a_pair_shows_the_same_scenes(name: str) -> None:
    """Only the cut-outs differ: the backgrounds and the assets are the same."""
    pair = PICTURES[name]
    assert isinstance(pair, Pair)
    sides = [
        samples_of((*pair.both, *side, *SMALL), pair.faults) for side in (pair.wrong, pair.right)
    ]
    for number in pair.samples:
        wrong, right = (side[number] for side in sides)
        assert wrong.meta["background"] == right.meta["background"]
        keys = [[layer["foreground"] for layer in one.meta["layers"]] for one in (wrong, right)]
        assert keys[0] == keys[1]
        assert (wrong.image != right.image).any()


def test_your_own_assets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_assets(tmp_path / "DIR")
    own = ["source=assets", f"source.root={tmp_path / 'DIR'}", "size=[48,64]"]
    main(["--only", "gallery-grid", "--into", str(tmp_path / "mine"), *own])
    assert capsys.readouterr().out.split() == [str(tmp_path / "mine" / "gallery-grid.jpg")]
    samples = samples_of([*GALLERY["gallery-grid"].settings, *own], {})
    assert not set(samples.job.plan.backgrounds) & {"room0000", "room0001"}


def test_without_depth_there_is_no_row_of_depth(tmp_path: Path) -> None:
    main(["--only", "gallery-grid", "--into", str(tmp_path), *SMALL, "depth=none"])
    with (
        Image.open(tmp_path / "gallery-grid.jpg") as two_rows,
        Image.open(IMAGES / "gallery-grid.jpg") as three_rows,
    ):
        assert two_rows.height < 0.8 * three_rows.height


def test_a_bad_setting_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--only", "gallery-grid", "--into", str(tmp_path), "placement.rows=0"])
    assert stop.value.code == 1
    assert re.fullmatch(r"gallery-grid: .*placement\.rows.*\n", capsys.readouterr().err)


def test_the_rim_is_white_and_beside_the_object() -> None:
    plain, rimmed = (
        samples_of((*FOUR_ASSETS, *SMALL), faults).job.root.source.foreground(
            "item0000", (240, 360)
        )
        for faults in ({"light": 0.999}, {"rim": 0.02})
    )
    soft = (rimmed.rgba[..., 3] > 20) & (rimmed.rgba[..., 3] < 100)
    assert np.count_nonzero(soft) > np.count_nonzero(plain.rgba[..., 3]) / 20
    assert np.median(rimmed.rgba[soft][:, :3]) > 250
    assert rimmed.rgba[-1, :, 3].max() == plain.rgba[-1, :, 3].max()  # the foot is in the last row
