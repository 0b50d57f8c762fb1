"""Whole samples, the same with and without compiled code and on other processors."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from depthmask.config.compose import compose_root
from depthmask.engine.from_config import job_from_config
from tests.kernels.test_processors import OTHERS
from tests.support.paths import ROOT

DIGEST = "7b60316e35adbe2c780e04ee68e6f8620c3e2f3e9941a4d5a1446a0924b3a24f"
SIZE = (96, 128)
F_PX = 100.0


def make_assets(root: Path) -> Path:
    """Backgrounds with a floor 1.5 m below the camera and a wall; cut-outs with soft edges."""
    for name in ("bg", "bg_depth", "fg"):
        (root / name).mkdir(parents=True)
    rng = np.random.default_rng(3)
    below = np.arange(SIZE[0]) + 0.5 - SIZE[0] / 2
    depth_m = np.minimum(6.0, F_PX * 1.5 / np.maximum(below, 1.0))
    depth_mm = np.repeat(np.rint(depth_m * 1000)[:, None], SIZE[1], axis=1).astype(np.uint16)
    depth_mm[:3, :5] = 0
    for number in range(3):
        Image.fromarray(_smooth(rng, SIZE)).save(root / "bg" / f"room{number}.png")
        Image.fromarray(depth_mm).save(root / "bg_depth" / f"room{number}.png")
    for number, size in enumerate(((110, 60), (50, 90), (40, 40), (120, 80))):
        rgba = np.dstack([_smooth(rng, size), np.zeros(size, np.uint8)])
        rgba[..., 3] = _blob(size, hole=number % 2 == 0)
        Image.fromarray(rgba).save(root / "fg" / f"thing{number}.png")
    lines = [f"room{number},{F_PX:g}" for number in range(3)]
    (root / "assets.csv").write_text("\n".join(["key,f_px", *lines, ""]))
    return root


def _smooth(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """Colours of a photograph: slow gradients, and some noise."""
    coarse = Image.fromarray(rng.integers(0, 256, (4, 5, 3), np.uint8))
    smooth = np.asarray(coarse.resize(size[::-1], Image.Resampling.BILINEAR)).astype(np.int16)
    return (smooth + rng.integers(-9, 10, smooth.shape)).clip(0, 255).astype(np.uint8)


def _blob(size: tuple[int, int], *, hole: bool) -> np.ndarray:
    """The alpha of an ellipse with an edge of some pixels, which fills the picture."""
    rows, columns = (np.linspace(-1, 1, length) for length in size)
    radius = np.hypot(rows[:, None], columns)
    edge = np.minimum(1 - radius, radius - 0.3) if hole else 1 - radius
    return np.rint((edge * min(size) / 8).clip(0, 1) * 255).astype(np.uint8)


def print_digest() -> None:
    """Make assets in the working folder, and print the hash of samples over them."""
    print(digest(make_assets(Path("assets"))))


def digest(root: Path) -> str:
    """A hash of all arrays and of the layers of a few samples."""
    content = hashlib.sha256()
    for placement in ("random", "ground"):
        for blend in ("alpha", "feather"):
            words = [
                "source=assets", f"source.root={root}", "geometry=source", "depth=layered",
                f"size=[{SIZE[0]},{SIZE[1]}]", "objects=[1,4]", "samples=4", "split.alike=0",
                f"placement={placement}", f"blend={blend}", "blend.match=0.6", "blend.shadow=0.7",
            ]  # fmt: skip
            job = job_from_config(compose_root(words))
            for sample in map(job.sample, range(4)):
                assert sample.depth is not None
                for array in (sample.image, sample.mask, sample.depth):
                    content.update(array.tobytes())
                content.update(repr(sample.meta["layers"]).encode())
    return content.hexdigest()


@pytest.mark.parametrize("variables", [{}, *OTHERS], ids=lambda one: "-".join(one) or "as it is")
def test_the_samples_are_the_same(variables: dict[str, str], tmp_path: Path) -> None:
    script = "from tests.compose import test_same_samples as one; one.print_digest()"
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        # Floors are fitted in each process anew.
        "DEPTHMASK_CACHE": str(tmp_path / "store"),
        **variables,
    }
    command = [sys.executable, "-W", "ignore", "-c", script]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, check=False, capture_output=True, text=True
    )
    assert done.stdout.split()[-1:] == [DIGEST], done.stderr
