"""Compare the datasets that an earlier commit makes with those of the working tree.

    python -m tools.same_bytes COMMIT [--assets DIR]

Makes every configuration below twice in this environment: with the package as it was at COMMIT and
with the working tree. Compares every file in `shards/`, the fingerprint in `plan.json`, all fields
of `dataset.json` but the labels of the source and the list of derived files, the records without
times and reasons of redraws, label tables and prepared assets. Prints one line for each
configuration and exits 1 if any differs.
COMMIT has to know all of the settings.
DIR: a folder with `bg/` and `fg/` of photographs, for one more configuration.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

# So that it runs as a script, too.
from tests.support import tiny
from tests.support.weights import random_weights

ROOT = Path(__file__).resolve().parent.parent
SIDES = ("old", "new")
FREE = ("README.md", "croissant.json", "preview.jpg", "run.log")
"""Files that are not compared: their wording, look and times may change."""

ROOMS = ("source=rooms", "source.rooms=4", "source.furniture=4", "size=[48,64]", "shard_size=5")
ASSETS = ("source=assets", "source.root=assets", "size=[48,64]", "shard_size=5")
BARE = (*ASSETS, "source.root=bare", "source.on_bad_asset=quarantine")
RANDOM_WEIGHTS = ("weights=weights.npz", "scale=nyu", "batch=2")


@dataclass(frozen=True)
class Configuration:
    """Commands that run one after the other and leave a dataset in the folder `name`."""

    name: str
    commands: tuple[tuple[str, ...], ...]


def dataset(name: str, *settings: str) -> Configuration:
    """A dataset that one command makes."""
    return Configuration(name, ((*settings, f"output={name}"),))


CONFIGURATIONS = (
    dataset(
        "rooms-ground-feather",
        *ROOMS, "samples=12", "objects=[1,3]", "placement=ground", "blend=feather",
        "blend.match=0.3", "blend.shadow=0.5", "writer=webdataset", "runner.workers=2",
    ),
    dataset(
        "assets-splits-coco",
        *ASSETS, "samples=16", "objects=[1,2]", "geometry=source", "split.alike=0", "writer=zip",
        "split={train:0.5,val:0.25,test:0.25}", "encode.labels=coco", "encode.instances=png",
        "runner.workers=1",
    ),
    dataset(
        "assets-grid-several",
        *ASSETS, "samples=18", "placement=grid", "placement.jitter=0.5", "blend=several",
        "geometry=none", "depth=none", "writer=npz", "writer.images=raw", "runner.workers=1",
    ),
    dataset(
        "rooms-poisson-folder",
        *ROOMS, "samples=10", "objects=2", "geometry=source", "blend=poisson", "writer=folder",
        "depth.relief=false", "encode.image=png", "encode.depth=npz16", "runner.workers=1",
    ),
    dataset(
        "rooms-fastdepth",
        *ROOMS, "samples=10", "geometry=none", "depth=fastdepth", "writer=npz",
        "encode.depth=npz", "runner.workers=1",
    ),
    dataset(
        "rooms-fastdepth-geometry",
        *ROOMS, "samples=10", "geometry=fastdepth", "placement=ground", "writer=zip",
        "encode.depth=compact", "runner.workers=1",
    ),
    dataset(
        "bare-auto",
        *BARE, "samples=10", "objects=2", "geometry=auto", "runner.workers=1",
    ),
    dataset(
        "bare-densedepth-geometry",
        *BARE, "samples=4", "geometry=densedepth", "runner.workers=1",
        *(f"geometry.{setting}" for setting in RANDOM_WEIGHTS),
    ),
    dataset(
        "assets-product-pairs",
        "+preset=pairs", *ASSETS, "samples=null", "sampling=product", "repeats=2",
        "runner.workers=1",
    ),
    dataset(
        "preset-depthmaskdataset",
        "+preset=depthmaskdataset", "source.root=assets", "repeats=1", "size=[48,48]",
        "shard_size=10", "depth=none", "runner.workers=1",
    ),
    dataset(
        "preset-depthmaskdataset224",
        "+preset=depthmaskdataset224", "source.root=assets", "samples=4", "shard_size=2",
        *(f"depth.{setting}" for setting in RANDOM_WEIGHTS), "runner.workers=1",
    ),
    Configuration(
        "prepared",
        (
            ("prepare", "source.root=assets", "size=[48,64]", "output=prepared-assets"),
            (
                *ASSETS, "source.root=prepared-assets", "source.foreground_scale=null",
                "samples=8", "output=prepared", "runner.workers=1",
            ),
        ),
    ),
    Configuration(
        "extended",
        tuple(
            (*ROOMS, f"samples={samples}", "output=extended", "runner.workers=1")
            for samples in (7, 12)
        ),
    ),
    Configuration(
        "annotated",
        (("annotate", "assets-splits-coco", "depth=fastdepth", "output=annotated"),),
    ),
    Configuration(
        "converted",
        (("convert", "assets-splits-coco", "writer=webdataset", "output=converted"),),
    ),
    Configuration(
        "converted-from-files",
        (
            (
                "convert", "preset-depthmaskdataset/shards/train-000000/data.zip", "writer=npz",
                "shard_size=4", "output=converted-from-files",
            ),
        ),
    ),
)  # fmt: skip
"""Some read what earlier ones made. All paths are relative, because plans contain them."""
PHOTOGRAPHS = dataset(
    "photographs",
    "source=assets", "source.root=photos", "samples=6", "shard_size=4", "size=[96,128]",
    "objects=2", "runner.workers=1",
)  # fmt: skip


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Compare with the datasets of an earlier commit.")
    parser.add_argument("commit")
    parser.add_argument("--assets", type=Path, metavar="DIR", help="a folder with bg/ and fg/")
    options = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(prefix="depthmask-same-"))
    trees = {"old": scratch / "tree", "new": ROOT}
    unpack(options.commit, trees["old"])
    make_inputs(scratch, options.assets)
    for side, tree in trees.items():
        require_package(side, tree, scratch / side)
    configurations = (*CONFIGURATIONS, *([PHOTOGRAPHS] if options.assets else []))
    differing = 0
    for configuration in configurations:
        start_s = time.perf_counter()
        with ThreadPoolExecutor(len(SIDES)) as pool:
            sides = [
                pool.submit(make, configuration, tree, scratch / side)
                for side, tree in trees.items()
            ]
        old, new = (side.result() for side in sides)
        differences = list(compare(old, new))
        differing += bool(differences)
        verdict = "; ".join(differences[:4]) or f"same, {len(old)} facts"
        more = f"; and {len(differences) - 4} more" if len(differences) > 4 else ""
        elapsed_s = time.perf_counter() - start_s
        print(f"{configuration.name:27} {elapsed_s:5.1f} s  {verdict}{more}", flush=True)
    print(f"{len(configurations)} configurations, {differing} differ from {options.commit}")
    if differing:
        print(f"both sides are kept in {scratch}")
        return 1
    shutil.rmtree(scratch)
    return 0


def unpack(commit: str, folder: Path) -> None:
    """Write the package of a commit into a folder."""
    archive = subprocess.run(
        ["git", "archive", commit, "depthmask", "conf"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    with tarfile.open(fileobj=BytesIO(archive.stdout)) as tar:
        tar.extractall(folder, filter="data")


def make_inputs(scratch: Path, photographs: Path | None) -> None:
    """Write assets with depth, masks and a table, assets without them, and weights."""
    assets = tiny.make_assets(scratch / "assets")
    for number in range(3):
        foreground = Image.open(assets / "fg" / f"box{number}.png")
        foreground.rotate(90 * (number + 1), expand=True).save(
            assets / "fg" / f"turned{number}.png"
        )
    opaque = np.full((24, 20, 3), (200, 90, 40), np.uint8)
    mask = np.zeros((24, 20), np.uint8)
    mask[3:21, 2:17] = 255
    (assets / "fg_mask").mkdir()
    Image.fromarray(opaque).save(assets / "fg" / "crate.png")
    Image.fromarray(mask).save(assets / "fg_mask" / "crate.png")
    bare = scratch / "bare"
    for name in ("bg", "fg"):
        shutil.copytree(assets / name, bare / name)
    (bare / "fg" / "crate.png").unlink()
    (bare / "bg" / "broken.png").write_bytes((bare / "bg" / "wall0.png").read_bytes()[:60])
    with (assets / "assets.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(
            [
                ("key", "label", "height_m", "f_px", "licence"),
                ("box0", "box", 0.8, "", "CC0-1.0"),
                ("crate", "crate", 1.1, "", ""),
                ("wall1", "", "", 45.0, "CC-BY-4.0"),
            ]
        )
    np.savez(scratch / "weights.npz", allow_pickle=False, **random_weights())
    inputs = {"assets": assets, "bare": bare, "weights.npz": scratch / "weights.npz"}
    if photographs:
        inputs["photos"] = photographs.resolve()
    for side in SIDES:
        (scratch / side).mkdir()
        for name, target in inputs.items():
            (scratch / side / name).symlink_to(target)


def require_package(side: str, tree: Path, folder: Path) -> None:
    """Stop if Python imports depthmask from anywhere but the tree."""
    command = [sys.executable, "-c", "import depthmask; print(depthmask.__file__)"]
    imported = subprocess.run(
        command,
        cwd=folder,
        env=environment(tree, folder),
        capture_output=True,
        text=True,
        check=True,
    )
    package = Path(imported.stdout.strip()).resolve().parent
    if package != (tree / "depthmask").resolve():
        raise SystemExit(f"{side}: depthmask is imported from {package}, not from {tree}")


def make(configuration: Configuration, tree: Path, folder: Path) -> dict[str, Any]:
    """Make the dataset with the package in `tree`; return what has to be equal, by name."""
    for words in configuration.commands:
        command = [sys.executable, "-m", "depthmask", *words]
        ended = subprocess.run(
            command,
            cwd=folder,
            env=environment(tree, folder),
            capture_output=True,
            text=True,
            check=False,
        )
        if ended.returncode:
            return {"error": ended.stderr.strip().splitlines()[-1:] or [f"rc {ended.returncode}"]}
    facts = dict(facts_of(folder / configuration.name))
    for path in sorted((folder / f"{configuration.name}-assets").rglob("*")):
        if path.is_file():
            facts[path.relative_to(folder).as_posix()] = sha256(path)
    return facts


def environment(tree: Path, folder: Path) -> dict[str, str]:
    """The environment of a side: depthmask from its tree, and its own cache."""
    return {**os.environ, "PYTHONPATH": str(tree), "DEPTHMASK_CACHE": str(folder / ".cache")}


def facts_of(output: Path) -> Iterator[tuple[str, Any]]:
    """Yield (name, value) of everything that has to be equal in a dataset."""
    for path in sorted(output.rglob("*")):
        name = path.relative_to(output).as_posix()
        if not path.is_file() or path.name.startswith(".") or name in FREE:
            continue
        if name == "plan.json":
            yield "fingerprint", json.loads(path.read_bytes())["fingerprint"]
        elif name == "dataset.json":
            yield from fields(name, sealed(path, but=("foreground_labels", "derived")))
        elif name.startswith("records/"):
            yield from fields(name, sealed(path, but=("seconds", "redraws")))
        else:
            yield name, sha256(path)


def sealed(path: Path, but: Sequence[str]) -> dict[str, Any]:
    """Read a sealed JSON file without its checksum and some fields."""
    content: dict[str, Any] = json.loads(path.read_bytes())
    for name in but:
        content.pop(name, None)
    del content["checksum"]
    return content


def fields(name: str, content: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield (name, value) of every field."""
    for field, value in content.items():
        yield f"{name} {field}", value


def sha256(path: Path) -> str:
    """Hash the content of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def compare(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    """Yield a phrase for every difference."""
    for name in {**old, **new}:
        if name not in new:
            yield f"{name} is missing now"
        elif name not in old:
            yield f"{name} is new" + (f": {new[name]}" if name == "error" else "")
        elif name == "error":
            yield f"both sides fail: {new[name]}"
        elif old[name] != new[name]:
            yield f"{name} differs"


if __name__ == "__main__":
    sys.exit(main())
