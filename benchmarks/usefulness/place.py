"""Puts the photographs where the harness reads them, out of clones of public repositories.

    python -m benchmarks.usefulness.place CLONES DATA [--pairs DIR]

CLONES has a folder for each repository, such as CLONES/PennFudan. What is absent is said in one
line. --pairs: a folder with NAME.rgb.jpg and NAME.depth_mm.png, of which those of renders
(`RENDERS`) and those that a clone has are left out. Backgrounds, cut-outs and photographs of your
own go into DATA by hand: benchmarks/usefulness/README.md.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

RENDERS = ("redwood_", "slambook_ch12_")


@dataclass(frozen=True)
class Source:
    """A public repository, on github, and what is taken of it into a set."""

    kind: str
    repository: str
    take: Callable[[Path, Path], int]


def place(clones: Path, data: Path, pairs: Path | None = None) -> list[str]:
    """Copy what there is; returns a line for each repository."""
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
    if pairs is not None:
        lines.append(f"rgbd: {_copy_pairs(pairs, data / 'rgbd')} photographs from {pairs}")
    return lines


def _penn_fudan(clone: Path, folder: Path) -> int:
    (folder / "images").mkdir(parents=True, exist_ok=True)
    (folder / "masks").mkdir(exist_ok=True)
    images = sorted(clone.rglob("PennFudanPed/PNGImages/*.png"))
    for image in images:
        mask = image.parents[1] / "PedMasks" / f"{image.stem}_mask.png"
        shutil.copyfile(image, folder / "images" / image.name)
        shutil.copyfile(mask, folder / "masks" / image.name)
    return len(images)


def _tsdf_fusion(clone: Path, folder: Path) -> int:
    """Every 50th frame of a walk through one kitchen; the name of the scene decides its half."""
    colours = sorted((clone / "data").glob("frame-*.color.jpg"))[::50]
    return _write_pairs(
        folder,
        [
            (f"tsdf-office__{path.name[6:12]}", path, Path(str(path)[:-9] + "depth.png"), 1.0)
            for path in colours
        ],
    )


def _slambook(clone: Path, folder: Path) -> int:
    """Five frames of a living room, and two of a desk, whose depth is in fifths of a millimetre."""
    room, desk = clone / "ch5" / "joinMap", clone / "ch7"
    pairs = [
        (f"slambook_ch5_{path.stem}", path, room / "depth" / f"{path.stem}.pgm", 1.0)
        for path in sorted((room / "color").glob("*.png"))
    ]
    pairs += [
        (f"tum_slambook_ch7_{n}", desk / f"{n}.png", desk / f"{n}_depth.png", 0.2) for n in (1, 2)
    ]
    return _write_pairs(folder, pairs)


SOURCES = (
    Source("people", "gmguarino/PennFudan", _penn_fudan),
    Source("rgbd", "andyzeng/tsdf-fusion-python", _tsdf_fusion),
    Source("rgbd", "gaoxiang12/slambook", _slambook),
)


def _write_pairs(folder: Path, pairs: Sequence[tuple[str, Path, Path, float]]) -> int:
    """Write pairs of (name, picture, depth, millimetres in a unit); returns how many there are."""
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for name, picture, depth, unit in pairs:
        image = cv2.imread(str(picture), cv2.IMREAD_COLOR) if picture.is_file() else None
        values = cv2.imread(str(depth), cv2.IMREAD_UNCHANGED) if depth.is_file() else None
        if image is None or values is None:
            continue
        # 65535 says "unknown" in the frames of KinectFusion.
        known = np.where(values == 65535, 0, values)
        cv2.imwrite(str(folder / f"{name}.rgb.png"), image)
        millimetres = np.rint(known * unit).astype(np.uint16)
        cv2.imwrite(str(folder / f"{name}.depth_mm.png"), millimetres)
        count += 1
    return count


def _copy_pairs(source: Path, folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    names = [n for n in _photographs(source) if not (folder / f"{n}.rgb.png").exists()]
    for name in names:
        for path in source.glob(f"{name}.*"):
            shutil.copyfile(path, folder / path.name)
    return len(names)


def _photographs(source: Path) -> Iterator[str]:
    for path in sorted(source.glob("*.depth_mm.png")):
        name = path.name.removesuffix(".depth_mm.png")
        if not name.startswith(RENDERS):
            yield name


def main() -> None:
    """Place the photographs and say what came from where."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clones", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--pairs", type=Path)
    options = parser.parse_args()
    print("\n".join(place(options.clones, options.data, options.pairs)))


if __name__ == "__main__":
    main()
