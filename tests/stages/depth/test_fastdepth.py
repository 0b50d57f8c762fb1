"""The built-in estimator: against the authors' own prediction, and its contract."""

from __future__ import annotations

import importlib.util
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import depthmask
from depthmask.cli.main import main
from depthmask.data import Background, Composite, DepthKind, DepthMode, Recipe
from depthmask.errors import DepthmaskError, SettingError
from depthmask.networks.runtime import Precision, Runtime
from depthmask.stages.depth import fastdepth
from depthmask.stages.depth.fastdepth import FastDepth
from depthmask.stages.depth.fixed_batch import Resolution
from tests.support.paths import ROOT, SHARED

REFERENCE = SHARED / "depth-reference" / "fastdepth"

needs_openvino = pytest.mark.skipif(
    importlib.util.find_spec("openvino") is None or sys.version_info >= (3, 13),
    reason="no openvino, or it cannot convert models in this Python",
)
needs_reference = pytest.mark.skipif(not REFERENCE.is_dir(), reason=f"no {REFERENCE}")


@pytest.fixture
def images() -> np.ndarray:
    """uint8 [5, 48, 64, 3]: smooth, all different."""
    y, x = np.mgrid[0:48, 0:64]
    planes = [np.stack([y * 4 + i, x * 3, (x + y) * 2 + 7 * i], axis=-1) for i in range(5)]
    return np.stack(planes).clip(0, 255).astype(np.uint8)


@pytest.fixture
def authors() -> tuple[np.ndarray, np.ndarray]:
    """The authors' image, float32 [224, 224, 3] in 0..1, and their depth [224, 224] in metres."""
    rgb = np.load(REFERENCE / "rgb.npy", allow_pickle=False).astype(np.float32)
    depth_m = np.load(REFERENCE / "pred.npy", allow_pickle=False).reshape(224, 224)
    return rgb, depth_m


@needs_reference
def test_network_gives_the_authors_prediction(authors: tuple[np.ndarray, np.ndarray]) -> None:
    rgb, expected_m = authors
    error_m = np.abs(FastDepth().predict(rgb[None])[0] - expected_m)
    assert error_m.max() < 1e-3
    assert error_m.mean() < 1e-4


@needs_reference
def test_estimate_gives_the_authors_prediction_from_bytes(
    authors: tuple[np.ndarray, np.ndarray],
) -> None:
    rgb, expected_m = authors
    image = np.round(rgb * 255).astype(np.uint8)
    error_m = np.abs(FastDepth().estimate(image[None])[0] - expected_m)
    # No looser than above: the authors' image was made from bytes.
    assert error_m.max() < 1e-3
    assert error_m.mean() < 1e-4


def test_neighbours_make_no_difference(images: np.ndarray) -> None:
    stage = FastDepth()
    together = stage.estimate(images)
    assert len(images) > stage.batch, "the last batch has to be a short one"
    for number in range(len(images)):
        np.testing.assert_array_equal(
            stage.estimate(images[number : number + 1])[0], together[number]
        )
    np.testing.assert_array_equal(stage.estimate(images[::-1])[::-1], together)
    for batch in (1, 3):
        np.testing.assert_array_equal(FastDepth(batch=batch).estimate(images), together)


PROGRAM = """
import hashlib, sys
import numpy as np
import tensorflow as tf
from depthmask.stages.depth.fastdepth import FastDepth, Runtime
tf.config.threading.set_intra_op_parallelism_threads(int(sys.argv[1]))
tf.config.threading.set_inter_op_parallelism_threads(int(sys.argv[1]))
y, x = np.mgrid[0:int(sys.argv[2]), 0:int(sys.argv[3])]
images = np.stack([np.stack([y * 4 + i, x * 3, (x + y) * 2], -1) for i in range(8)])
images = images.clip(0, 255).astype(np.uint8)
stage = FastDepth(runtime=Runtime[sys.argv[4]])
alone = [stage.estimate(images[i : i + 1])[0] for i in range(8)]
for count in range(2, 9):
    for number, depth in enumerate(stage.estimate(images[:count])):
        assert (depth == alone[number]).all(), f"picture {number} of {count}"
print(hashlib.sha256(np.stack(alone).tobytes()).hexdigest())
"""
ISAS = ("AVX512_CORE", "AVX2", "AVX", "SSE41")


def test_any_sample_of_a_dataset_again(tmp_path: Path) -> None:
    """Alone and among others, as floats: the last of four in a batch as well."""
    words = ["source.rooms=2", "source.furniture=2", "size=[24,32]", "depth=fastdepth"]
    words += ["encode.depth=npz", "samples=8", "shard_size=3", "runner.workers=1"]
    assert main([*words, f"output={tmp_path / 'out'}"]) == 0
    written, made = depthmask.open(tmp_path / "out"), depthmask.virtual(words)
    for numbers in ([7], [3], [5, 3, 7, 2, 6], range(8)):
        for number, again in zip(numbers, made.__getitems__(list(numbers)), strict=True):
            assert again.depth is not None
            published = written[number].depth
            assert published is not None
            assert np.array_equal(again.depth, published)


@pytest.mark.slow
@pytest.mark.parametrize("runtime", ["keras", pytest.param("openvino", marks=needs_openvino)])
@pytest.mark.parametrize("one_dnn", ["1", "0"])
@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("size", [("160", "160"), ("480", "640"), ("1024", "1024")])
def test_neither_neighbours_nor_cores_make_a_difference(
    size: tuple[str, str], isa: str, one_dnn: str, runtime: str
) -> None:
    limits = {"ONEDNN_MAX_CPU_ISA": isa, "TF_ENABLE_ONEDNN_OPTS": one_dnn}
    digests = set()
    for threads in ("1", "2", "4", "16"):
        ran = subprocess.run(
            [sys.executable, "-c", PROGRAM, threads, *size, runtime],
            cwd=ROOT,
            env=os.environ | limits,
            capture_output=True,
            text=True,
        )
        assert ran.returncode == 0, ran.stderr
        digests.add(ran.stdout)
    assert len(digests) == 1


def test_no_images_no_depth() -> None:
    assert FastDepth().estimate(np.zeros((0, 48, 64, 3), np.uint8)).shape == (0, 48, 64)


def test_depth_is_clipped_to_the_range(images: np.ndarray) -> None:
    raw_m = FastDepth().estimate(images)
    near, far = (float(q) for q in np.quantile(raw_m, [0.3, 0.6]))
    clipped_m = FastDepth(near=near, far=far).estimate(images)
    np.testing.assert_array_equal(clipped_m, raw_m.clip(np.float32(near), np.float32(far)))


@pytest.mark.parametrize(
    ("resolution", "expected"), [(Resolution.image, (48, 64)), (Resolution.native, (224, 224))]
)
def test_size_of_the_maps_is_the_contracts(
    images: np.ndarray, resolution: Resolution, expected: tuple[int, int]
) -> None:
    stage = FastDepth(resolution=resolution)
    depth_m = stage.estimate(images[:1])
    assert depth_m.dtype == np.float32
    assert depth_m.shape == (1, *expected)
    assert stage.contract((48, 64), None).resolution == expected


def test_image_of_the_networks_size_is_not_resampled() -> None:
    image = np.random.default_rng(1).integers(0, 256, (224, 224, 3), np.uint8)
    rgb = image[None].astype(np.float32) / np.float32(255)
    expected_m = FastDepth().predict(rgb).clip(0.1, 10)
    for resolution in Resolution:
        depth_m = FastDepth(resolution=resolution).estimate(image[None])
        np.testing.assert_array_equal(depth_m, expected_m)


def test_contract() -> None:
    contract = FastDepth(near=0.5, far=8.0).contract((48, 64), None)
    assert contract.kind is DepthKind.metric_z
    assert contract.mode is DepthMode.estimated
    assert (contract.unit, contract.near, contract.far) == ("m", 0.5, 8.0)
    assert (contract.invalid, contract.clip, contract.estimator) == (0.0, True, "fastdepth")
    assert contract.weights_sha256 == FastDepth().weights_sha256
    assert len(FastDepth().weights_sha256) == 64


def test_annotate_estimates_the_composites_images(images: np.ndarray) -> None:
    depths_m = FastDepth().annotate([_composite(image) for image in images[:2]])
    np.testing.assert_array_equal(np.stack(depths_m), FastDepth().estimate(images[:2]))


def _composite(image: np.ndarray) -> Composite:
    empty = np.zeros(image.shape[:2], np.uint8)
    recipe = Recipe(0, "0", "train", "bg", (), 0)
    return Composite(recipe, image, empty, (), Background("bg", image))


def test_settings_that_change_depth_change_the_cache_key() -> None:
    stages = [
        FastDepth(),
        FastDepth(near=0.2),
        FastDepth(far=9.0),
        FastDepth(resolution=Resolution.native),
        FastDepth(runtime=Runtime.openvino),
        FastDepth(precision=Precision.bfloat16),
    ]
    assert len({stage.cache_key for stage in stages}) == len(stages)
    assert FastDepth().cache_key == FastDepth(batch=2).cache_key


def test_batch_size_is_the_setting() -> None:
    assert FastDepth(batch=3).batch_size == 3


@pytest.mark.parametrize("settings", [{"near": 5.0, "far": 5.0}, {"near": 0.0}, {"batch": 0}])
def test_settings_out_of_range_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(SettingError):
        FastDepth(**settings)


def test_not_a_number_is_an_error(images: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*settings: object) -> Callable[[np.ndarray], np.ndarray]:
        return lambda rgb: np.full((len(rgb), 224, 224, 1), np.nan, np.float32)

    monkeypatch.setattr(fastdepth, "_network", broken)
    with pytest.raises(DepthmaskError, match="not a finite number"):
        FastDepth().estimate(images[:1])


def test_import_loads_no_framework() -> None:
    code = (
        "import sys, depthmask.stages.depth.fastdepth as f; f.FastDepth().contract((9, 9), None)\n"
        "assert not {'tensorflow', 'keras', 'jax', 'torch'} & set(sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


def test_first_use_prints_nothing() -> None:
    code = (
        "import numpy as np; from depthmask.stages.depth.fastdepth import FastDepth\n"
        "FastDepth(batch=1).estimate(np.zeros((1, 32, 32, 3), np.uint8))"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


@needs_openvino
def test_openvino_gives_the_same(images: np.ndarray) -> None:
    depth_m = FastDepth(runtime=Runtime.openvino).estimate(images)
    np.testing.assert_allclose(depth_m, FastDepth().estimate(images), rtol=1e-3)


@needs_openvino
def test_openvino_reports_to_nobody_and_prints_nothing() -> None:
    code = (
        "import sys, numpy as np; from depthmask.stages.depth.fastdepth import FastDepth, Runtime\n"
        "stage = FastDepth(batch=1, runtime=Runtime.openvino)\n"
        "stage.estimate(np.zeros((1, 32, 32, 3), np.uint8))\n"
        "assert 'openvino' in sys.modules and 'openvino_telemetry' not in sys.modules"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_bfloat16_is_close(images: np.ndarray) -> None:
    exact_m = FastDepth().estimate(images)
    error_m = np.abs(FastDepth(precision=Precision.bfloat16).estimate(images) - exact_m)
    assert 0 < error_m.max() < 0.1 * exact_m.max()


def test_stage_pickles_before_and_after_use(images: np.ndarray) -> None:
    stage = FastDepth(far=7.0)
    assert pickle.loads(pickle.dumps(stage)) == stage
    before = stage.estimate(images[:1])
    copy = pickle.loads(pickle.dumps(stage))
    assert copy == stage
    np.testing.assert_array_equal(copy.estimate(images[:1]), before)


@pytest.fixture(scope="module")
def network() -> ModuleType:
    """The module that imports Keras."""
    from depthmask.networks import fastdepth

    return fastdepth


@pytest.fixture
def shipped() -> dict[str, np.ndarray]:
    """The arrays of the shipped file."""
    with np.load(fastdepth.WEIGHTS, allow_pickle=False) as archive:
        return dict(archive)


@pytest.mark.parametrize(
    ("name", "array", "complaint"),
    [
        ("encoder3.pointwise.kernel", None, "missing"),
        ("decoder5.pointwise.bias", None, "missing"),
        ("encoder3.depthwise.kernel", np.zeros((3, 3, 88, 2)), r"expected \[3, 3, 88, 1\]"),
        ("stem.kernel", np.zeros((3, 3, 16)), r"expected \[3, 3, 3, any\]"),
        ("head.bias", np.zeros(2), r"has shape \[2\], expected \[1\]"),
        ("head.bias", np.zeros(1, np.int64), "finite floating-point"),
        ("head.bias", np.array([np.nan], np.float32), "finite floating-point"),
        ("head.bias", np.array([None]), "plain array data"),
    ],
)
def test_wrong_weights_are_refused(
    network: ModuleType,
    shipped: dict[str, np.ndarray],
    tmp_path: Path,
    name: str,
    array: np.ndarray | None,
    complaint: str,
) -> None:
    del shipped[name]
    if array is not None:
        shipped[name] = array
    path = tmp_path / "weights.npz"
    np.savez(path, allow_pickle=True, **shipped)
    with pytest.raises(DepthmaskError, match=complaint) as caught:
        network.load_weights(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: array {name}: ")
    assert "\n" not in message


def test_skips_of_unequal_width_are_refused(network: ModuleType) -> None:
    shipped = network.load_weights(fastdepth.WEIGHTS)
    shipped["decoder4.pointwise.kernel"] = np.zeros((1, 1, 120, 8))
    shipped["decoder4.pointwise.bias"] = np.zeros(8)
    shipped["decoder5.depthwise.kernel"] = np.zeros((5, 5, 8, 1))
    shipped["decoder5.depthwise.bias"] = np.zeros(8)
    shipped["decoder5.pointwise.kernel"] = np.zeros((1, 1, 8, 16))
    with pytest.raises(DepthmaskError, match=r"decoder4\.pointwise\.kernel: has 8 outputs.* 56"):
        network.check_shapes(shipped)


def test_integers_without_a_fitting_scale_are_refused(
    network: ModuleType, shipped: dict[str, np.ndarray], tmp_path: Path
) -> None:
    name = next(name for name, array in shipped.items() if array.dtype == np.int16)
    scale = f"{name.rpartition('.')[0]}.scale"
    path = tmp_path / "weights.npz"
    for broken in (None, np.ones(3, np.float32), np.float32(1), shipped[scale].astype(np.int32)):
        arrays: dict[str, Any] = {key: one for key, one in shipped.items() if key != scale}
        if broken is not None:
            arrays[scale] = broken
        np.savez(path, allow_pickle=False, **arrays)
        with pytest.raises(DepthmaskError, match=rf"weights\.npz: array {name}: "):
            network.load_weights(path)


@pytest.mark.parametrize("content", [None, b"", b"no zip", b"PK\x03\x04 and no more"])
def test_unreadable_weights_are_refused(
    network: ModuleType, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "weights.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DepthmaskError, match=r"weights\.npz: cannot be read") as caught:
        network.load_weights(path)
    assert "\n" not in str(caught.value)


@needs_reference
def test_converter_makes_the_shipped_weights(
    shipped: dict[str, np.ndarray], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("onnx")
    converter = _converter()
    target = tmp_path / "made.npz"
    assert converter.main([str(REFERENCE / "fastdepth_7.onnx"), str(target)]) == 0
    with np.load(target, allow_pickle=False) as archive:
        made = dict(archive)
    assert made.keys() == shipped.keys()
    for name, array in shipped.items():
        assert made[name].dtype == array.dtype
        np.testing.assert_array_equal(made[name], array, err_msg=name)


def test_converter_refuses_another_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("onnx")
    (tmp_path / "other.onnx").write_bytes(b"other")
    assert _converter().main([str(tmp_path / "other.onnx"), str(tmp_path / "made.npz")]) == 2
    assert "expected 6275c23f" in capsys.readouterr().err
    assert not (tmp_path / "made.npz").exists()


def _converter() -> ModuleType:
    spec = importlib.util.spec_from_file_location("converter", ROOT / "tools/convert_fastdepth.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
