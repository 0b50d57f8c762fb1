"""DepthMaskDataset's depth by one command: its zip in, its batches out."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import depthmask
from depthmask.cli.main import main
from depthmask.stages.depth.densedepth import DenseDepth
from depthmask.stages.depth.fixed_batch import Resolution

PAIRS = [(b, f) for b in ("bg001", "bg002") for f in ("fg001", "fg002", "fg002")]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A zip with the original's names, masks in RGB and label tables; 64x64 instead of 160x160."""
    path = tmp_path_factory.mktemp("original") / "fg_bg_images.zip"
    rng = np.random.default_rng(0)
    lines: dict[str, list[str]] = {}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for number, (background, foreground) in enumerate(PAIRS, start=1):
            name = f"{background}/{background}_{foreground}_{number:06d}.jpg"
            image, mask = f"data/fg_bg/{name}", f"data/fg_bg_mask/{name}"
            coarse = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
            archive.writestr(image, _jpeg(Image.fromarray(coarse).resize((64, 64))))
            grey = np.zeros((64, 64), np.uint8)
            grey[number : number + 30, 5:20] = 255
            archive.writestr(mask, _jpeg(Image.fromarray(grey).convert("RGB")))
            line = "\t".join([image, mask, "5", str(number), "15", "30"])
            lines.setdefault(f"data/labels/{background}_label_info.txt", []).append(line)
            lines.setdefault("data/labels/data_label.txt", []).append(line)
        for table, rows in lines.items():
            archive.writestr(table, "\n".join(rows) + "\n")
    return path


def _jpeg(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, format="jpeg", optimize=True, quality=50)
    return file.getvalue()


def test_batches_as_the_original_had_them(
    original: Path, random_npz: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Shape, key and values: clip(1000 / y, 10, 1000) / 1000; nothing else in the zip changes."""
    out = tmp_path / "out"
    words = ["depth=densedepth", f"depth.weights={random_npz}", "depth.batch=4"]
    words += ["depth.resolution=native", "writer=depthmaskdataset", f"output={out}"]
    assert main(["annotate", str(original), *words]) == 0
    shard = out / "shards" / "train-000000"
    with np.load(shard / "depthmap_output_batch1.npz", allow_pickle=False) as batch:
        output = batch["output"]
    assert (output.dtype, output.shape) == (np.float32, (6, 32, 32, 1))
    dataset = depthmask.open(out)
    network = DenseDepth(weights=str(random_npz), batch=4, resolution=Resolution.native)
    images = np.stack([sample.image for sample in dataset])
    depth_m = np.concatenate([network.estimate(images[:4]), network.estimate(images[4:])])
    # Its numbers are predict()'s times 10 m; here they lie near 1000 / 50 / 1000.
    assert np.allclose(output[..., 0], depth_m / 10, rtol=2e-7, atol=0)
    assert 0.01 <= output.min() < output.max() < 0.1
    with zipfile.ZipFile(original) as before, zipfile.ZipFile(shard / "data.zip") as after:
        names = [name for name in before.namelist() if name.endswith(".jpg")]
        assert after.namelist() == names
        assert all(before.read(name) == after.read(name) for name in names)
        for table in ("bg001_label_info.txt", "bg002_label_info.txt", "data_label.txt"):
            ours = (out / "data" / "labels" / table).read_bytes()
            assert ours == before.read(f"data/labels/{table}")
    assert dataset.info["shard_size"] == 4000
    assert dataset.contract is not None
    assert dataset.contract.estimator == "densedepth"
    assert main(["verify", str(out)]) == 0
    # In its convention, to be held against the published number.
    assert main(["stats", str(out)]) == 0
    line = capfd.readouterr().out.splitlines()[-1]
    assert line.endswith("DepthMaskDataset has 0.03914")
    assert float(line.split()[2]) == pytest.approx(float(output.std()), abs=2e-5)
