"""Scenes of DepthMaskDataset's own photographs and cut-outs, on the floor and at random.

    python -m tools.seed_scenes --assets DIR --out FOLDER [--samples 40]

Writes `ground.jpg` and `rng.jpg` (image, mask and depth of each sample), and prints how many of
the backgrounds have no floor that holds. The heights of the cut-outs are estimated by eye.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

from depthmask.config.compose import compose_root
from depthmask.engine.from_config import job_from_config
from depthmask.engine.generate import Generate
from depthmask.reports.preview import contact_sheet

HEIGHTS_M = (
    0.75, 1.00, 1.20, 1.25, 0.95, 1.80, 1.80, 1.80, 1.80, 1.80,
    1.80, 1.78, 1.00, 1.15, 1.75, 1.80, 1.70, 1.80, 1.75, 1.10,
    1.10, 0.85, 1.20, 0.75, 1.15, 1.30, 1.30, 1.30, 1.30, 1.80,
    1.80, 1.30, 1.30, 1.35, 1.30, 1.80, 1.80, 1.75, 1.80, 1.80,
    1.10, 1.00, 0.80, 1.05, 0.76, 0.76, 0.76, 1.60, 1.10, 1.10,
    0.90, 1.90, 1.90, 1.80, 1.80, 1.80, 1.80, 1.75, 1.75, 1.80,
    1.70, 1.70, 1.70, 1.70, 1.70, 1.80, 1.20, 1.25, 1.25, 1.25,
    0.85, 1.30, 1.20, 1.20, 0.85, 1.70, 1.70, 1.00, 1.25, 0.78,
    0.80, 0.78, 1.00, 0.78, 1.00, 0.75, 0.78, 1.60, 1.15, 0.90,
    1.30, 2.00, 1.00, 1.10, 1.20, 0.76, 1.00, 1.15, 1.20, 1.00,
)  # fmt: skip
"""Of `fg001` to `fg100` in metres."""


def with_heights(assets: Path, folder: Path) -> Path:
    """A root with the same pictures, and `assets.csv` beside them."""
    for name in ("bg", "fg"):
        shutil.copytree(assets / name, folder / name)
    lines = [f"fg{number:03d},{height}" for number, height in enumerate(HEIGHTS_M, start=1)]
    (folder / "assets.csv").write_text("\n".join(["key,height_m", *lines]) + "\n")
    return folder


def job_of(root: Path, placement: str, samples: int) -> Generate:
    """The job that makes such scenes of these assets."""
    words = ["source=assets", f"source.root={root}", f"placement={placement}", "objects=[1,3]"]
    if placement == "ground":
        words += ["blend=feather", "blend.shadow=0.5"]
    config = compose_root([*words, f"samples={samples}", "geometry=fastdepth"])
    return job_from_config(config)


def without_floor(job: Generate) -> list[str]:
    """The backgrounds that `placement=ground` cannot use."""
    job.geometry.fill(job.plan.backgrounds, lambda count: None)
    return [key for key in job.plan.backgrounds if job.geometry.background(key).plane is None]


def main() -> None:
    """Make both sheets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assets", type=Path, required=True, help="folder with bg/ and fg/")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--samples", type=int, default=40)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        root = with_heights(options.assets, Path(folder))
        for placement in ("ground", "random"):
            job = job_of(root, placement, options.samples)
            if placement == "ground":
                lost = without_floor(job)
                backgrounds = len(job.plan.backgrounds)
                print(f"{len(lost)} of {backgrounds} backgrounds have no floor that holds: {lost}")
            samples = [job.sample(index) for index in range(options.samples)]
            sheet = contact_sheet(samples, f"placement={placement} depth=layered", job.contract)
            sheet.save(options.out / f"{placement}.jpg", quality=92)


if __name__ == "__main__":
    main()
