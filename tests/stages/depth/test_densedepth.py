"""DenseDepth: against the authors' network in Keras 2, its contract, and its runtimes."""

from __future__ import annotations

import importlib.util
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import depthmask
from depthmask.cli.main import main
from depthmask.data import DepthKind, DepthMode
from depthmask.errors import DepthmaskError, SettingError, UsageError
from depthmask.networks import runtime
from depthmask.networks.runtime import Precision, Runtime
from depthmask.stages.depth import densedepth
from depthmask.stages.depth._keras import native_log_muted, set_keras_defaults
from depthmask.stages.depth.densedepth import METRES, DenseDepth, Scale, to_metres
from depthmask.stages.depth.fixed_batch import Resolution
from tests.support.paths import ROOT

REFERENCE = Path(__file__).with_name("densedepth_reference.py")
FULL, HALF = 1664, 832
SHAPES = ("1x160x160", "5x160x160")
LARGER = ("32x160x160", "1x224x224", "1x480x640")
"""Shapes for `pytest -m slow`: Keras 2 alone takes half a minute for them."""

needs_keras_2 = pytest.mark.skipif(
    importlib.util.find_spec("tf_keras") is None, reason="no tf_keras"
)
needs_openvino = pytest.mark.skipif(
    importlib.util.find_spec("openvino") is None or sys.version_info >= (3, 13),
    reason="no openvino, or it cannot convert models in this Python",
)


class Reference:
    """What Keras 2 made: a whole-model HDF5 file, images, and its outputs for them."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "reference.h5"
        self._arrays = np.load(folder / "reference.npz", allow_pickle=False)

    def images(self, shape: str) -> np.ndarray:
        return self._arrays[f"in {shape}"]

    def outputs(self, shape: str) -> np.ndarray:
        return self._arrays[f"out {shape}"][..., 0]


def by_keras_2(shapes: dict[Path, tuple[int, Sequence[str]]]) -> list[Reference]:
    """What Keras 2 makes of shapes: folder -> width of the decoder, shapes."""
    # All at once: half of the time is Python building layers.
    programs = [
        subprocess.Popen(
            [sys.executable, str(REFERENCE), str(folder), str(width), *chosen],
            env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for folder, (width, chosen) in shapes.items()
    ]
    for program in programs:
        output, _ = program.communicate()
        assert program.returncode == 0, output
    return [Reference(folder) for folder in shapes]


@pytest.fixture(scope="module")
def references(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Reference]:
    """By the decoder's width."""
    shapes = {FULL: SHAPES, HALF: SHAPES[:1]}
    made = by_keras_2({tmp_path_factory.mktemp("width"): one for one in shapes.items()})
    return dict(zip(shapes, made, strict=True))


@pytest.fixture(scope="module", autouse=True)
def one_network_at_a_time() -> None:
    """A machine of CI has memory for two."""
    densedepth._network.cache_clear()


def raw(path: Path, images: np.ndarray, **settings: Any) -> np.ndarray:
    """The network's bare output, one image in each call."""
    stage = DenseDepth(weights=str(path), **settings)
    return np.concatenate([stage.run(image[None]) for image in images])


def error(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.abs(found - expected).max() / np.abs(expected).max())


def require_same(reference: Reference, shape: str) -> None:
    """Our network gives the outputs of Keras 2, and the metres of the authors' functions."""
    expected = reference.outputs(shape)
    assert expected.min() > 5
    assert expected.max() < 100
    found = raw(reference.path, reference.images(shape))
    assert error(found, expected) < 1e-4
    # predict() and evaluate() of the authors, word for word.
    expected_m = np.clip(1000 / expected, 10, 1000) / 1000 * 10.0
    assert error(to_metres(found, METRES[Scale.nyu]), expected_m) < 1e-4


@needs_keras_2
@pytest.mark.parametrize(
    ("width", "shape"), [(HALF, SHAPES[0]), *((FULL, shape) for shape in SHAPES)]
)
def test_gives_the_outputs_and_metres_of_keras_2(
    references: dict[int, Reference], width: int, shape: str
) -> None:
    require_same(references[width], shape)


@needs_keras_2
@pytest.mark.slow
def test_gives_the_same_for_larger_shapes(tmp_path: Path) -> None:
    (reference,) = by_keras_2({tmp_path: (FULL, LARGER)})
    for shape in LARGER:
        require_same(reference, shape)


@needs_keras_2
def test_half_pixel_upsampling_would_fail(
    references: dict[int, Reference], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_keras_defaults()
    with native_log_muted():
        from depthmask.networks import densedepth as network

    def half_pixel(length: int) -> np.ndarray:
        places = (np.arange(2 * length) + 0.5) / 2 - 0.5
        distances = np.abs(places.clip(0, length - 1)[:, None] - np.arange(length))
        return np.maximum(0, 1 - distances).astype(np.float32)

    monkeypatch.setattr(network, "aligned_weights", half_pixel)
    densedepth._network.cache_clear()
    reference = references[FULL]
    found = raw(reference.path, reference.images(SHAPES[0]))
    densedepth._network.cache_clear()
    assert error(found, reference.outputs(SHAPES[0])) > 100 * 1e-4


@needs_keras_2
@needs_openvino
def test_openvino_gives_the_same(references: dict[int, Reference]) -> None:
    reference = references[FULL]
    found = raw(reference.path, reference.images(SHAPES[0]), runtime=Runtime.openvino)
    expected = reference.outputs(SHAPES[0])
    assert (np.abs(found - expected) / expected).max() < 1e-3


@pytest.fixture
def images() -> np.ndarray:
    """uint8 [3, 64, 96, 3]: smooth, all different."""
    y, x = np.mgrid[0:64, 0:96]
    planes = [np.stack([y * 3 + i * 9, x * 2, x + y + 7 * i], axis=-1) for i in range(3)]
    return np.stack(planes).clip(0, 255).astype(np.uint8)


def test_neighbours_make_no_difference(random_npz: Path, images: np.ndarray) -> None:
    stage = DenseDepth(weights=str(random_npz), batch=2)
    together = stage.estimate(images)
    assert np.ptp(together) > 0.01, "the network must see something"
    for number in range(len(images)):
        np.testing.assert_array_equal(
            stage.estimate(images[number : number + 1])[0], together[number]
        )


def test_predict_gives_metres(random_npz: Path, images: np.ndarray) -> None:
    stage = DenseDepth(weights=str(random_npz), batch=2)
    rgb = images[:2].astype(np.float32) / np.float32(255)
    depth_m = stage.predict(rgb)
    assert depth_m.shape == (2, 32, 48)
    np.testing.assert_array_equal(depth_m, to_metres(raw(random_npz, rgb), METRES[Scale.nyu]))


@needs_openvino
def test_neighbours_make_no_difference_to_openvino(random_npz: Path, images: np.ndarray) -> None:
    stage = DenseDepth(weights=str(random_npz), batch=2, runtime=Runtime.openvino)
    together = stage.estimate(images)
    np.testing.assert_array_equal(stage.estimate(images[1:2])[0], together[1])
    by_keras = DenseDepth(weights=str(random_npz), batch=2).estimate(images)
    np.testing.assert_allclose(together, by_keras, rtol=1e-3)


@pytest.mark.parametrize(
    ("resolution", "expected"), [(Resolution.image, (50, 70)), (Resolution.native, (32, 48))]
)
def test_other_sizes_are_resized_to_multiples_of_32(
    random_npz: Path, images: np.ndarray, resolution: Resolution, expected: tuple[int, int]
) -> None:
    stage = DenseDepth(weights=str(random_npz), batch=2, resolution=resolution)
    depth_m = stage.estimate(images[:1, :50, :70])
    assert depth_m.dtype == np.float32
    assert depth_m.shape == (1, *expected)
    assert stage.contract((50, 70)).resolution == expected


def test_native_maps_of_160_are_80(random_npz: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def flat(*settings: object) -> Callable[[np.ndarray], np.ndarray]:
        return lambda rgb: np.full((len(rgb), 80, 80, 1), 50, np.float32)

    monkeypatch.setattr(densedepth, "_network", flat)
    stage = DenseDepth(weights=str(random_npz), batch=1, resolution=Resolution.native)
    depth_m = stage.estimate(np.zeros((2, 160, 160, 3), np.uint8))
    assert depth_m.shape == (2, 80, 80)
    assert stage.contract((160, 160)).resolution == (80, 80)


def test_npz_shards_of_native_maps_load_with_numpy_alone(random_npz: Path, tmp_path: Path) -> None:
    settings = ["depth=densedepth", f"depth.weights={random_npz}", "depth.batch=1"]
    settings += ["depth.resolution=native", "writer=npz", "samples=2", "runner.workers=1"]
    out = tmp_path / "out"
    assert main([*settings, "source.rooms=1", "source.furniture=1", f"output={out}"]) == 0
    with np.load(out / "shards" / "train-000000.npz") as arrays:
        depth_m = arrays["depth"]
    assert (depth_m.dtype, depth_m.shape) == (np.float32, (2, 80, 80))
    np.testing.assert_array_equal(depth_m[1], depthmask.open(out)[1].depth)
    assert 0.1 <= depth_m.min() < depth_m.max() <= 10


def test_output_at_and_below_zero_follows_predict() -> None:
    y = np.array([100, 1, 200, 0.5, 0, -0.0, -3], np.float32)
    with np.errstate(divide="ignore"):
        expected_m = np.clip(1000 / y, 10, 1000) / 1000 * 10.0
    depth_m = to_metres(y, METRES[Scale.nyu])
    assert depth_m.dtype == np.float32
    np.testing.assert_array_equal(depth_m, expected_m)
    np.testing.assert_allclose(depth_m, [0.1, 10, 0.1, 10, 10, 0.1, 0.1], rtol=1e-6)


def test_kitti_is_one_to_eighty_metres() -> None:
    y = np.array([1, 8, 80, 160, 0.5], np.float32)
    depth_m = to_metres(y, METRES[Scale.kitti])
    np.testing.assert_allclose(depth_m, [80, 10, 1, 1, 80], rtol=1e-6)


def test_contract(random_npz: Path) -> None:
    stage = DenseDepth(weights=str(random_npz))
    contract = stage.contract((48, 64))
    assert contract.kind is DepthKind.metric_z
    assert contract.mode is DepthMode.estimated
    assert (contract.unit, contract.near, contract.far) == ("m", 0.1, 10.0)
    assert (contract.invalid, contract.clip, contract.estimator) == (0.0, True, "densedepth")
    assert contract.weights_sha256 == stage.weights_sha256
    assert len(stage.weights_sha256) == 64


@pytest.mark.parametrize(
    ("name", "scale", "far"),
    [
        ("kitti.npz", Scale.auto, 80),
        ("kitti.npz", Scale.nyu, 10),
        ("mine.npz", Scale.auto, 10),
        ("mine.npz", Scale.kitti, 80),
    ],
)
def test_scale_is_the_settings_or_the_names(
    random_npz: Path, tmp_path: Path, name: str, scale: Scale, far: float
) -> None:
    (tmp_path / name).symlink_to(random_npz)
    contract = DenseDepth(weights=str(tmp_path / name), scale=scale).contract((48, 64))
    assert contract.near == pytest.approx(0.1 if far == 10 else 1)
    assert contract.far == far


def test_settings_that_change_depth_change_the_cache_key(random_npz: Path) -> None:
    weights = str(random_npz)
    stages = [
        DenseDepth(weights=weights),
        DenseDepth(weights=weights, scale=Scale.kitti),
        DenseDepth(weights=weights, resolution=Resolution.native),
        DenseDepth(weights=weights, runtime=Runtime.openvino),
        DenseDepth(weights=weights, precision=Precision.bfloat16),
    ]
    assert len({stage.cache_key for stage in stages}) == len(stages)


def test_weights_that_change_change_the_cache_key(tmp_path: Path) -> None:
    path = tmp_path / "weights.npz"
    path.write_bytes(b"one")
    before = DenseDepth(weights=str(path)).cache_key
    path.write_bytes(b"other")
    assert DenseDepth(weights=str(path)).cache_key != before


def test_missing_weights_are_a_usage_error() -> None:
    with pytest.raises(UsageError, match=r"weights=no/such\.h5: no such file; .* nyu, kitti"):
        DenseDepth(weights="no/such.h5").check_resources()


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(SettingError):
        DenseDepth(batch=0)


def test_missing_openvino_is_a_usage_error(
    random_npz: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "openvino" else find_spec(name)
    )
    with pytest.raises(UsageError, match=r"pip install 'depthmask\[openvino\]'"):
        DenseDepth(weights=str(random_npz), runtime=Runtime.openvino).check_resources()


@needs_openvino
def test_precision_that_the_cpu_lacks_is_a_usage_error() -> None:
    class Core:
        def get_property(self, device: str, name: str) -> list[str]:
            return ["FP32", "INT8"]

    with pytest.raises(UsageError, match=r"precision=bfloat16: .* it has float32"):
        runtime._precision_hint(Core(), Precision.bfloat16)


def test_not_a_number_is_an_error(
    random_npz: Path, images: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*settings: object) -> Callable[[np.ndarray], np.ndarray]:
        return lambda rgb: np.full((len(rgb), 32, 48, 1), np.nan, np.float32)

    monkeypatch.setattr(densedepth, "_network", broken)
    with pytest.raises(DepthmaskError, match="not a finite number"):
        DenseDepth(weights=str(random_npz)).estimate(images)


def test_contract_loads_no_framework(random_npz: Path) -> None:
    code = (
        "import sys; from depthmask.stages.depth.densedepth import DenseDepth\n"
        "assert 'h5py' not in sys.modules\n"
        f"DenseDepth(weights={str(random_npz)!r}).contract((9, 9), None)\n"
        "assert not {'tensorflow', 'keras', 'jax', 'torch', 'openvino'} & set(sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


def test_stage_pickles_after_use(random_npz: Path, images: np.ndarray) -> None:
    stage = DenseDepth(weights=str(random_npz), batch=2)
    before = stage.estimate(images[:1])
    copy = pickle.loads(pickle.dumps(stage))
    assert copy == stage
    np.testing.assert_array_equal(copy.estimate(images[:1]), before)
