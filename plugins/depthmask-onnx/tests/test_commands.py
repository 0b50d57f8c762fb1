"""The command line, with the package installed by pip as a user has it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import depthmask
import numpy as np
import pytest
from omegaconf import OmegaConf
from tiny_models import REFERENCE, ROOT, red

import depthmask_onnx

WEIGHTS = REFERENCE / "fastdepth_7.onnx"
CONF = Path(depthmask_onnx.__file__).parent / "conf"
PRESETS = sorted(f"{path.parent.name}={path.stem}" for path in CONF.glob("*/*.yaml"))
SMALL = ["samples=4", "source.rooms=2", "source.furniture=2", "output=out"]

needs_reference = pytest.mark.skipif(not REFERENCE.is_dir(), reason=f"no {REFERENCE}")


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "depthmask", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_is_listed_with_its_provider_and_its_settings(tmp_path: Path) -> None:
    listing = run(tmp_path, "plugins").stdout
    for group in ("depth", "geometry"):
        assert f"{group}=onnx  (depthmask-onnx 0.1.0)  Any monocular depth model" in listing
        assert f"{group}.weights=(required)" in listing
    assert "left out" not in listing


def test_every_preset_is_known_here() -> None:
    assert PRESETS == [
        "depth=depth_anything_v2_small",
        "depth=fastdepth_onnx",
        "depth=midas_v21_small",
        "geometry=fastdepth_onnx",
    ]


@pytest.mark.parametrize("preset", PRESETS)
def test_preset_composes(tmp_path: Path, preset: str) -> None:
    group = preset.partition("=")[0]
    shown = run(tmp_path, preset, f"{group}.weights=w.onnx", "--cfg", "job")
    assert shown.returncode == 0, shown.stderr
    settings = plain(shown.stdout)[group]
    path = CONF / group / f"{preset.partition('=')[2]}.yaml"
    own = plain(path.read_text())
    del own["defaults"]
    assert own.items() <= settings.items()
    assert settings["weights"] == "w.onnx"
    first, second = path.read_text().splitlines()[:2]
    assert first.startswith("# ")
    assert "https://" in path.read_text()
    assert second.startswith("# ")


def plain(text: str) -> Any:
    return OmegaConf.to_container(OmegaConf.create(text))


def test_weights_are_required(tmp_path: Path) -> None:
    done = run(tmp_path, "depth=onnx", *SMALL)
    assert done.returncode == 2
    assert "error: depth.weights is required (path of the .onnx file)" in done.stderr


@pytest.mark.parametrize("group", ["depth", "geometry"])
def test_bad_file_is_one_line_before_anything_is_written(tmp_path: Path, group: str) -> None:
    (tmp_path / "bad.onnx").write_bytes(b"\x08\x07garbage")
    done = run(tmp_path, f"{group}=onnx", f"{group}.weights=bad.onnx", *SMALL)
    assert done.returncode == 2
    line = f"error: {group}.weights=bad.onnx: is not an ONNX model, or was cut"
    assert done.stderr.startswith(line)
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


@needs_reference
def test_depth_of_composites(tmp_path: Path) -> None:
    done = run(tmp_path, "depth=fastdepth_onnx", f"depth.weights={WEIGHTS}", *SMALL)
    assert done.returncode == 0, done.stderr
    dataset = depthmask.open(tmp_path / "out")
    depth_m = dataset[3].depth
    assert depth_m is not None
    assert depth_m.shape == (160, 160)
    assert 0.1 <= depth_m.min() < depth_m.max() <= 10
    contract = json.loads((tmp_path / "out" / "dataset.json").read_text())["depth"]
    assert contract["estimator"] == "onnx"
    assert contract["weights_sha256"].startswith("6275c23f")
    rerun = run(tmp_path, "depth=fastdepth_onnx", f"depth.weights={WEIGHTS}", *SMALL)
    assert rerun.returncode == 0, rerun.stderr


@needs_reference
@pytest.mark.parametrize("choice", ["onnx", "fastdepth_onnx"])
def test_geometry(tmp_path: Path, choice: str) -> None:
    done = run(tmp_path, f"geometry={choice}", f"geometry.weights={WEIGHTS}", *SMALL)
    assert done.returncode == 0, done.stderr
    contract = json.loads((tmp_path / "out" / "dataset.json").read_text())["depth"]
    assert (contract["estimator"], contract["mode"]) == ("onnx", "composited")


def test_disparity_needs_npz_and_keeps_its_values(tmp_path: Path) -> None:
    (tmp_path / "red.onnx").write_bytes(red(factor=50.0).SerializeToString())
    words = ["depth=midas_v21_small", "depth.weights=red.onnx", *SMALL]
    refused = run(tmp_path, *words)
    assert refused.returncode == 2
    assert "gives disparity" in refused.stderr
    assert "choose encode.depth=npz" in refused.stderr
    done = run(tmp_path, *words, "encode.depth=npz", "encode.image=png")
    assert done.returncode == 0, done.stderr
    sample = depthmask.open(tmp_path / "out")[0]
    assert sample.depth is not None
    red_part = sample.image[..., 0].astype(np.float32) * (50 / 255)
    assert np.abs(sample.depth - red_part).mean() < 1.5


def test_nothing_but_what_depthmask_exports_is_used() -> None:
    code = "".join(path.read_text() for path in CONF.parent.glob("*.py"))
    assert "from depthmask import" in code
    assert "from depthmask." not in code
    assert "import depthmask." not in code
    assert (ROOT / "LICENSE").is_file()
