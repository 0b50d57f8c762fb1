"""Plugins that were written for depthmask 0.1.0 work unchanged."""

from __future__ import annotations

import importlib
import shutil
import subprocess
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import depthmask
from tests.support.paths import ROOT
from tests.support.plugins import install_package, run_with_plugins
from tests.support.tiny import sha256s

PACKAGES = sorted((ROOT / "tests" / "plugins_of_0_1_0").iterdir())
"""A placement, a source and a writer, as `new-plugin` of 0.1.0 made them."""
EXPORTED = [
    "Address",
    "AssetFiles",
    "Background",
    "Blend",
    "Camera",
    "Checked",
    "Composite",
    "Depth",
    "DepthContract",
    "DepthKind",
    "DepthMode",
    "DepthmaskError",
    "Encoded",
    "Estimator",
    "Failures",
    "Float32",
    "Foreground",
    "Generate",
    "Geometry",
    "Job",
    "Layer",
    "LeftOut",
    "Location",
    "Members",
    "NoPlaceError",
    "Patch",
    "Placement",
    "Plane",
    "Progress",
    "Recipe",
    "Record",
    "Refusal",
    "Runner",
    "Sample",
    "Scene",
    "SettingError",
    "Shard",
    "ShardKind",
    "ShardReader",
    "Size",
    "Source",
    "Stage",
    "UInt8",
    "UInt16",
    "UsageError",
    "Writer",
    "__version__",
    "attempt",
    "forks",
    "hookimpl",
    "make_shard",
    "open",
    "open_published",
    "setting",
    "stage",
    "untrusted",
    "virtual",
]
"""What `depthmask` exported at 0.1.0."""
STAGES = ("placement=old_placement", "source=old_source", "writer=old_writer")
CHANGING_SOURCE = '''
"""Pictures of a folder: a source that knows its keys once it has looked at them."""

import hashlib
from pathlib import Path

import numpy as np
from PIL import Image

from depthmask import Background, Checked, Foreground, LeftOut, Source, setting, stage


@stage("changing")
class Changing(Source):
    """Pictures of a folder, each as a background and as a cut-out."""

    root: str = setting(help="the folder")

    def __post_init__(self):
        self._keys = []

    def backgrounds(self):
        return self._keys

    def foregrounds(self):
        return self._keys

    def background(self, key, size):
        return Background(key, self._pixels(key, size))

    def foreground(self, key, size):
        pixels = self._pixels(key, (size[0] // 2, size[1] // 2))
        alpha = np.full((*pixels.shape[:2], 1), 255, np.uint8)
        return Foreground(key, key, np.concatenate([pixels, alpha], axis=-1))

    def check(self, size):
        left_out, digest = [], hashlib.sha256()
        for path in sorted(Path(self.root).iterdir()):
            try:
                Image.open(path).load()
            except OSError as error:
                left_out.append(LeftOut(path.name, str(error)))
            else:
                self._keys.append(path.stem)
                digest.update(path.read_bytes())
        return Checked(digest.hexdigest(), tuple(left_out))

    def _pixels(self, key, size):
        picture = Image.open(Path(self.root) / f"{key}.png").convert("RGB")
        return np.asarray(picture.resize((size[1], size[0])))
'''


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the three packages, installed."""
    folder = tmp_path_factory.mktemp("plugins") / "site"
    for package in PACKAGES:
        install_package(package, folder)
    return folder


def run(site: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command that has to succeed without a warning."""
    done = run_with_plugins(site, "depthmask", *words, cwd=folder)
    assert done.returncode == 0, done.stderr
    # Not those of other packages: coverage warns where it meets an installed package.
    assert not [line for line in done.stderr.splitlines() if line.startswith("warning:")]
    assert "DeprecationWarning" not in done.stderr
    return done


def lose_a_shard(output: Path, shard: str) -> None:
    """Leave the dataset as a killed run would."""
    (output / "dataset.json").unlink()
    (output / "records" / f"{shard}.json").unlink()
    next((output / "shards").glob(f"{shard}.*")).unlink()


def test_old_plugins_are_listed(site: Path, tmp_path: Path) -> None:
    listing = run(site, tmp_path, "plugins").stdout
    assert "disabled" not in listing
    for stage in STAGES:
        package = f"depthmask-{stage.partition('=')[2].replace('_', '-')}"
        assert f"{stage}  ({package} 0.1.0)" in listing


def test_make_resume_and_verify_a_dataset(site: Path, tmp_path: Path) -> None:
    words = (*STAGES, "geometry=none", "depth=none", "size=[32,48]", "samples=12", "shard_size=3")
    command = (*words, "output=out", "runner.workers=2")
    run(site, tmp_path, *command)
    output = tmp_path / "out"
    made = sha256s(output)
    assert [Path(name).suffix for name in made] == [".bin"] * 4
    run(site, tmp_path, "verify", "out")
    lose_a_shard(output, "train-000002")
    run(site, tmp_path, *command)
    assert sha256s(output) == made
    next((output / "shards").iterdir()).unlink()
    assert run_with_plugins(site, "depthmask", "verify", "out", cwd=tmp_path).returncode == 1
    run(site, tmp_path, "verify", "out", "--repair")
    assert sha256s(output) == made


def test_old_plugins_pass_their_tests(site: Path, tmp_path: Path) -> None:
    """The conformance suites require nothing new of old stages; old names only warn."""
    packages = [tmp_path / package.name for package in PACKAGES]
    for package, copy in zip(PACKAGES, packages, strict=True):
        shutil.copytree(package, copy)
    words = ("pytest", "-q", "--import-mode=importlib", "-Wdefault::DeprecationWarning")
    done = run_with_plugins(site, *words, *map(str, packages), cwd=tmp_path)
    assert done.returncode == 0, done.stdout


def test_a_source_may_change_itself_in_its_check(tmp_path: Path) -> None:
    site, pictures = tmp_path / "site", tmp_path / "pictures"
    module = tmp_path / "changing" / "depthmask_changing"
    module.mkdir(parents=True)
    (module / "__init__.py").write_text(CHANGING_SOURCE)
    (module.parent / "pyproject.toml").write_text(
        '[project]\nname = "depthmask-changing"\nversion = "0.1.0"\n'
        '[project.entry-points.depthmask]\nchanging = "depthmask_changing"\n'
    )
    install_package(module.parent, site)
    pictures.mkdir()
    rng = np.random.default_rng(1)
    for number in range(4):
        pixels = rng.integers(0, 256, (20, 20, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(pictures / f"picture{number}.png")
    (pictures / "picture2.png").write_bytes(b"no picture")
    command = (
        "source=changing", f"source.root={pictures}", "geometry=none", "depth=none",
        "size=[24,24]", "samples=40", "shard_size=10", "output=out", "runner.workers=2",
    )  # fmt: skip
    run(site, tmp_path, *command)
    output = tmp_path / "out"
    facts = depthmask.open(output)
    assert {facts[index].meta["background"] for index in range(40)} == {
        "picture0", "picture1", "picture3",
    }  # fmt: skip
    assert '"picture2.png"' in (output / "dataset.json").read_text()
    made = sha256s(output)
    lose_a_shard(output, "train-000001")
    run(site, tmp_path, *command)
    assert sha256s(output) == made
    run(site, tmp_path, "verify", "out")
    (output / "shards" / "train-000003.tar").unlink()
    run(site, tmp_path, "verify", "out", "--repair")
    assert sha256s(output) == made


@pytest.mark.parametrize("name", EXPORTED)
def test_old_names_work_or_say_the_new_name(name: str) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        value = getattr(depthmask, name)
    if name in depthmask.__all__:
        assert not caught
        return
    assert [one.category for one in caught] == [DeprecationWarning]
    new_name = next(new for new in depthmask.__all__ if getattr(depthmask, new) is value)
    assert new_name in str(caught[0].message)
    assert name in str(caught[0].message)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="never_was"):
        _ = importlib.import_module("depthmask").never_was
