"""Puts the photographs where the harness reads them, out of clones of public repositories.

    python -m benchmarks.usefulness.place CLONES DATA

CLONES has a folder for each repository, such as CLONES/PennFudan. What is absent is said in one
line. Pairs of your own, SCENE__NAME.rgb.png and SCENE__NAME.depth_mm.png, go into DATA/rgbd
before: those of the pool are pasted into.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.usefulness.repositories import FRAMES, Frames
from benchmarks.usefulness.sets import POOL, part_of, scene_of

RGB, DEPTH = ".rgb.png", ".depth_mm.png"
SEED = ("bg", "fg", "fg_mask")


@dataclass(frozen=True)
class Source:
    """A public repository, on github, and what is taken of it into a folder of the data."""

    kind: str
    repository: str
    take: Callable[[Path, Path], int]


def place(clones: Path, data: Path) -> list[str]:
    """Copy what there is; returns a line for each repository, and for what is made of them."""
    lines = []
    for source in SOURCES:
        clone = clones / source.repository.partition("/")[2]
        count = source.take(clone, data / source.kind) if clone.is_dir() else 0
        where = f"github {source.repository}"
        lines.append(
            f"{source.kind}: {count} photographs from {where}"
            if count
            else f"{source.kind}: nothing from {where}: {clone} is absent or has other files"
        )
    return [*lines, _measured(data), _cluttered(data)]


def _penn_fudan(clone: Path, folder: Path) -> int:
    (folder / "images").mkdir(parents=True, exist_ok=True)
    (folder / "masks").mkdir(exist_ok=True)
    images = sorted(clone.rglob("PennFudanPed/PNGImages/*.png"))
    for image in images:
        mask = image.parents[1] / "PedMasks" / f"{image.stem}_mask.png"
        shutil.copyfile(image, folder / "images" / image.name)
        shutil.copyfile(mask, folder / "masks" / image.name)
    return len(images)


def _seed_assets(clone: Path, folder: Path) -> int:
    for name in SEED:
        _copy(clone / "data" / name, folder / name)
    return len([*folder.glob("bg/*")])


def _frames(clone: Path, folder: Path) -> int:
    """The frames of the repository with this clone."""
    folder.mkdir(parents=True, exist_ok=True)
    some = [frames for frames in FRAMES if frames.repository.endswith(f"/{clone.name}")]
    return sum(_write(clone, frames, name, folder) for frames in some for name in frames.names)


SOURCES = (
    Source("people", "gmguarino/PennFudan", _penn_fudan),
    Source("seed-assets", "genigarus/DepthMaskDataset", _seed_assets),
    *(Source("rgbd", name, _frames) for name in dict.fromkeys(f.repository for f in FRAMES)),
)


def _write(clone: Path, frames: Frames, name: str | int, folder: Path) -> bool:
    """Write a picture and its depth as a pair; returns whether both are there."""
    paths = [clone / path.format(name) for path in (frames.picture, frames.depth)]
    if not all(path.is_file() for path in paths):
        return False
    image = cv2.imread(str(paths[0]), cv2.IMREAD_COLOR)
    values = cv2.imread(str(paths[1]), cv2.IMREAD_UNCHANGED)
    if image is None or values is None:
        return False
    # The depth of telephones is smaller than their picture.
    large = cv2.resize(values, image.shape[1::-1], interpolation=cv2.INTER_NEAREST_EXACT)
    depth = _millimetres(large, frames.unit, frames.far)
    stem = f"{frames.scene}__{_unique(paths[0], clone)}"
    cv2.imwrite(str(folder / f"{stem}{RGB}"), image)
    cv2.imwrite(str(folder / f"{stem}{DEPTH}"), depth)
    return True


def _unique(picture: Path, clone: Path) -> str:
    """The name of a picture, of its path, since scenes have pictures of several folders."""
    return "-".join((clone.name, *picture.relative_to(clone).with_suffix("").parts))


def _millimetres(values: NDArray[Any], unit: float, far: float) -> NDArray[np.uint16]:
    # 65535 says "unknown" in the frames of KinectFusion.
    known = np.where(values == 65535, 0, values) * unit
    return np.rint(np.where(known > 1000 * far, 0, known)).astype(np.uint16)


def _measured(data: Path) -> str:
    """Photographs of the pool with their depth, and the seed's objects to set in."""
    names = _pool(data)
    for name in names:
        _copy_to(data / "rgbd" / f"{name}{RGB}", data / "measured" / "bg" / f"{name}.png")
        _copy_to(data / "rgbd" / f"{name}{DEPTH}", data / "measured" / "bg_depth" / f"{name}.png")
    return _with_objects(data, "measured", names)


def _cluttered(data: Path) -> str:
    """Photographs of the pool without people; their depth is not used."""
    people = {frames.scene for frames in FRAMES if frames.people}
    names = [name for name in _pool(data) if scene_of(name) not in people]
    for name in names:
        _copy_to(data / "rgbd" / f"{name}{RGB}", data / "cluttered" / "bg" / f"{name}.png")
    return _with_objects(data, "cluttered", names)


def _pool(data: Path) -> list[str]:
    names = sorted(path.name.removesuffix(RGB) for path in (data / "rgbd").glob(f"*{RGB}"))
    return [name for name in names if part_of("rgbd", scene_of(name)) == POOL]


def _with_objects(data: Path, kind: str, names: list[str]) -> str:
    for folder in SEED[1:]:
        _copy(data / "seed-assets" / folder, data / kind / folder)
    scenes = len({scene_of(name) for name in names})
    return f"{kind}: {len(names)} photographs of {scenes} scenes of the pool of rgbd"


def _copy(source: Path, folder: Path) -> None:
    for path in sorted(source.glob("*")):
        _copy_to(path, folder / path.name)


def _copy_to(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def main() -> None:
    """Place the photographs and say what came from where."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clones", type=Path)
    parser.add_argument("data", type=Path)
    options = parser.parse_args()
    print("\n".join(place(options.clones, options.data)))


if __name__ == "__main__":
    main()
