"""The stage: settings, sizes, contract and output."""

from __future__ import annotations

import importlib.util
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from depthmask import DepthKind, DepthmaskError, DepthMode, Resolution, SettingError, UsageError
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from tiny_models import REFERENCE, SEED, model, red

from depthmask_onnx import _runtime
from depthmask_onnx._images import Filter, Fit
from depthmask_onnx._runtime import Runtime
from depthmask_onnx.estimator import Layout, Onnx

Save = Callable[..., str]

runtimes = pytest.mark.parametrize(
    "runtime",
    [
        Runtime.onnxruntime,
        pytest.param(
            Runtime.openvino,
            marks=pytest.mark.skipif(
                importlib.util.find_spec("openvino") is None, reason="no openvino"
            ),
        ),
    ],
)


def onnx_stage(weights: str, **settings: Any) -> Onnx:
    return Onnx(weights=weights, **{"near": 1e-3, "far": 1e3, **settings})


@runtimes
def test_metres_of_a_model_of_any_size(save: Save, images: np.ndarray, runtime: Runtime) -> None:
    stage = onnx_stage(save(red(factor=8.0)), scale=0.5, near=0.25, far=3.0, runtime=runtime)
    depth_m = stage.estimate(images)
    assert depth_m.dtype == np.float32
    expected_m = (images[..., 0].astype(np.float32) / 255 * 4).clip(0.25, 3)
    np.testing.assert_allclose(depth_m, expected_m, rtol=1e-6)


@runtimes
def test_nhwc_with_white_mean_and_std(save: Save, images: np.ndarray, runtime: Runtime) -> None:
    path = save(red(axis=3, shape=("n", "h", "w", 3), out=("n", "h", "w", 1)))
    stage = onnx_stage(
        path, layout=Layout.nhwc, white=255.0, mean=[-20.0, 0, 0], std=[2.0, 1, 1], runtime=runtime
    )
    expected = (images[..., 0].astype(np.float32) + 20) / 2
    np.testing.assert_allclose(stage.estimate(images), expected, rtol=1e-6)


@pytest.mark.skipif(importlib.util.find_spec("openvino") is None, reason="no openvino")
def test_threads_begin_with_openvino_one_after_another(
    save: Save, images: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two that begin together can wait for each other for ever."""
    begun: list[int] = []

    class Watched:
        def __enter__(self) -> None:
            begun.append(threading.get_ident())

        def __exit__(self, *error: object) -> None:
            """Nothing."""

    monkeypatch.setattr(_runtime, "_FIRST_CALLS", Watched())
    stage = onnx_stage(save(red(factor=7.0)), runtime=Runtime.openvino)
    for _ in range(2):
        stage.estimate(images)
    assert begun
    assert len(set(begun)) == len(begun)


def test_disparity_says_so_and_zero_becomes_near(save: Save) -> None:
    stage = onnx_stage(save(red()), measures=DepthKind.disparity, near=0.01)
    contract = stage.contract((12, 16))
    assert (contract.kind, contract.unit) == (DepthKind.disparity, "")
    assert (contract.near, contract.far, contract.clip) == (0.01, 1e3, True)
    disparity = stage.estimate(np.zeros((1, 12, 16, 3), np.uint8))
    np.testing.assert_array_equal(disparity, np.float32(0.01))


def test_contract(save: Save) -> None:
    stage = onnx_stage(save(red()), near=0.5, far=8.0)
    contract = stage.contract((48, 64), None)
    assert (contract.kind, contract.unit) == (DepthKind.metric_z, "m")
    assert (contract.near, contract.far, contract.invalid) == (0.5, 8.0, 0.0)
    assert (contract.resolution, contract.mode) == ((48, 64), DepthMode.estimated)
    assert contract.estimator == "onnx"
    assert contract.weights_sha256 == stage.weights_sha256
    assert len(stage.weights_sha256) == 64


def test_without_clip_values_beyond_are_an_error(save: Save, images: np.ndarray) -> None:
    path = save(red(factor=100.0))
    with pytest.raises(DepthmaskError, match=r"beyond near=1\.\.far=50; widen .* clip=true"):
        onnx_stage(path, near=1.0, far=50.0, clip=False).estimate(images)
    kept = onnx_stage(path, near=1e-3, far=200.0, clip=False)
    assert kept.estimate(images.clip(1)).max() > 50


@pytest.mark.parametrize("axes", [("n", "h", "w"), ("n", 1, "h", "w")])
def test_outputs_with_and_without_a_channel(
    save: Save, images: np.ndarray, axes: tuple[Any, ...]
) -> None:
    keep = int(len(axes) == 4)
    node = helper.make_node("ReduceMax", ["image"], ["depth"], axes=[1], keepdims=keep)
    depth = onnx_stage(save(model([node], out=axes))).estimate(images)
    np.testing.assert_allclose(depth, images.max(axis=-1) / np.float32(255), rtol=1e-6, atol=1e-3)


@pytest.mark.parametrize(("resolution", "expected"), [("image", (12, 16)), ("native", (6, 10))])
def test_fixed_size_and_fixed_batch(
    save: Save, images: np.ndarray, resolution: str, expected: tuple[int, int]
) -> None:
    stage = onnx_stage(
        save(red(shape=(1, 3, 6, 10), out=(1, 1, 6, 10))), resolution=Resolution[resolution]
    )
    depth = stage.estimate(images)
    assert depth.shape == (5, *expected)
    assert stage.contract((12, 16)).resolution == expected
    assert stage.batch_size == 4
    small = Image.fromarray(images[4]).resize((10, 6), Image.Resampling.BILINEAR)
    red_part = np.asarray(small)[..., 0] / np.float32(255)
    if resolution == "native":
        np.testing.assert_allclose(depth[4], red_part.clip(1e-3), rtol=1e-6)


def test_native_size_of_a_model_that_gives_less_than_it_takes(save: Save) -> None:
    node = helper.make_node("AveragePool", ["r"], ["depth"], kernel_shape=[2, 2], strides=[2, 2])
    whole = red()
    whole.graph.node[1].output[0] = "r"
    whole.graph.node.append(node)
    stage = onnx_stage(save(whole), resolution=Resolution.native)
    assert stage.contract((12, 16)).resolution == (6, 8)
    assert stage.estimate(np.zeros((0, 12, 16, 3), np.uint8)).shape == (0, 6, 8)


@pytest.mark.parametrize(
    ("fit", "size", "multiple", "image", "expected"),
    [
        # null: the size of the image, rounded up.
        (Fit.stretch, None, 14, (160, 160), (168, 168)),
        (Fit.cover, None, 14, (154, 160), (154, 168)),
        (Fit.stretch, [518, 518], 14, (160, 240), (518, 518)),
        # Computed by hand from Resize.get_size of MiDaS and Depth Anything.
        (Fit.cover, [518, 518], 14, (160, 160), (518, 518)),
        (Fit.cover, [518, 518], 14, (480, 640), (518, 686)),
        (Fit.cover, [518, 518], 14, (480, 848), (518, 910)),
        (Fit.contain, [256, 256], 32, (480, 640), (192, 256)),
        (Fit.contain, [256, 256], 32, (100, 2000), (32, 256)),
    ],
)
def test_size_for_the_model(
    save: Save,
    fit: Fit,
    size: list[int] | None,
    multiple: int,
    image: tuple[int, int],
    expected: tuple[int, int],
) -> None:
    stage = onnx_stage(
        save(red()), fit=fit, size=size, multiple=multiple, resolution=Resolution.native
    )
    assert stage.contract(image).resolution == expected


def test_bicubic(save: Save, images: np.ndarray) -> None:
    path = save(red())
    both = [onnx_stage(path, size=[24, 32], filter=one).estimate(images) for one in Filter]
    assert np.abs(both[0] - both[1]).max() > 0.01
    picture = Image.fromarray(images[0]).resize((32, 24), Image.Resampling.BICUBIC)
    native = onnx_stage(
        path, size=[24, 32], filter=Filter.bicubic, resolution=Resolution.native
    ).estimate(images[:1])
    expected = (np.asarray(picture)[..., 0] / np.float32(255)).clip(1e-3)
    np.testing.assert_allclose(native[0], expected, rtol=1e-6)


def test_float16(save: Save, images: np.ndarray) -> None:
    node = helper.make_node("ReduceMax", ["image"], ["depth"], axes=[1], keepdims=1)
    depth = onnx_stage(save(model([node], element=TensorProto.FLOAT16))).estimate(images)
    assert depth.dtype == np.float32
    np.testing.assert_allclose(depth, images.max(-1) / 255, atol=1e-3)


def test_inputs_that_are_weights_are_no_inputs(save: Save, images: np.ndarray) -> None:
    # PyTorch wrote such files until 2019; FastDepth's is one.
    old = red()
    for tensor in old.graph.initializer:
        info = helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
        old.graph.input.append(info)
    assert onnx_stage(save(old)).estimate(images).shape == (5, 12, 16)


def test_names_of_input_and_output(save: Save, images: np.ndarray) -> None:
    path = save(red())
    named = onnx_stage(path, input="image", output="depth").estimate(images)
    np.testing.assert_array_equal(named, onnx_stage(path).estimate(images))
    with pytest.raises(SettingError, match=r"input=rgb: .*model\.onnx has no such input; it has"):
        onnx_stage(path, input="rgb").contract((12, 16))
    with pytest.raises(SettingError, match=r"output=z: .*has no such output; it has: depth"):
        onnx_stage(path, output="z").contract((12, 16))


def test_neighbours_make_no_difference(save: Save, images: np.ndarray) -> None:
    kernel = np.random.default_rng(1).normal(size=(1, 3, 3, 3)).astype(np.float32)
    node = helper.make_node("Conv", ["image", "k"], ["depth"], pads=[1, 1, 1, 1])
    path = save(model([node], tensors=[numpy_helper.from_array(kernel, "k")]))
    stage = onnx_stage(path, near=1e-6)
    batched = stage.estimate(images)
    for number in range(len(images)):
        alone = stage.estimate(images[number : number + 1])
        np.testing.assert_array_equal(alone[0], batched[number])
    np.testing.assert_array_equal(stage.estimate(images[::-1])[::-1], batched)
    for threads in (1, 3):
        other = onnx_stage(path, near=1e-6, threads=threads, batch=2)
        np.testing.assert_array_equal(other.estimate(images), batched)
        assert (other.batch_size, other.parallel_runs) == (2, threads)


def test_pickled_stage_gives_the_same(save: Save, images: np.ndarray) -> None:
    stage = onnx_stage(save(red()))
    expected = stage.estimate(images)
    copy = pickle.loads(pickle.dumps(stage))
    assert copy == stage
    np.testing.assert_array_equal(copy.estimate(images), expected)


def test_cache_key_knows_content_and_settings_but_not_the_name(save: Save) -> None:
    path, copy = save(red()), save(red(), "copy.onnx")
    other = save(red(factor=2.0), "other.onnx")
    stages = [
        onnx_stage(path),
        onnx_stage(other),
        onnx_stage(path, batch=2),
        onnx_stage(path, near=0.2),
    ]
    assert len({stage.cache_key for stage in stages}) == 4
    assert onnx_stage(copy).cache_key == onnx_stage(path).cache_key


def test_file_that_changes_is_looked_at_anew(save: Save) -> None:
    path = save(red())
    before = onnx_stage(path).weights_sha256
    save(red(factor=2.0, shape=("batch", 3, "h", "w")))
    assert onnx_stage(path).weights_sha256 != before


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"near": 5.0, "far": 5.0}, "near=5: must be less than a finite far=5"),
        ({"near": 0.0}, "near=0: must be more than 0"),
        ({"far": float("inf")}, "must be less than a finite far=inf"),
        ({"size": [3]}, "must be \\[height, width\\]"),
        ({"size": [0, 4]}, "must be at least 1"),
        ({"mean": [0.5]}, "mean=.*must be three numbers"),
        ({"mean": [0.5, 0.5, float("nan")]}, "mean=.*must be three numbers"),
        ({"std": [1.0, 1.0, 0.0]}, "std=.*must be more than 0"),
        ({"white": 0.0}, "white=0: must be more than 0"),
        ({"scale": -1.0}, "scale=-1"),
        ({"batch": 0}, "batch=0"),
    ],
)
def test_settings_out_of_range(settings: dict[str, Any], text: str) -> None:
    with pytest.raises(SettingError, match=text):
        Onnx(weights="x.onnx", **settings)


def test_output_of_a_wrong_rank_is_refused_early(save: Save) -> None:
    node = helper.make_node("ReduceMax", ["image"], ["depth"], axes=[2, 3], keepdims=0)
    path = save(model([node], out=("n", 3)))
    with pytest.raises(UsageError, match=r"'depth' is float32 \[1, 3\] for .* \[1, 3, 12, 16\]"):
        onnx_stage(path).contract((12, 16))


def test_output_of_three_channels_is_refused_early(save: Save) -> None:
    path = save(model([helper.make_node("Relu", ["image"], ["depth"])], out=("n", 3, "h", "w")))
    with pytest.raises(UsageError, match=r"\[1, 3, 12, 16\] .* expected floats \[1, 1, h, w\]"):
        onnx_stage(path).contract((12, 16))


def test_not_a_number_is_an_error(save: Save, images: np.ndarray) -> None:
    whole = red(factor=-1.0)
    whole.graph.node[1].output[0] = "minus"
    whole.graph.node.append(helper.make_node("Log", ["minus"], ["depth"]))
    with pytest.raises(DepthmaskError, match=r"model\.onnx: output 'depth' has .* not finite"):
        onnx_stage(save(whole)).estimate(images)


@pytest.mark.parametrize(
    ("made", "settings", "text"),
    [
        ({"shape": (1, 1, 8, 8)}, {}, "layout=nchw: .* takes 1 channels"),
        ({"shape": (1, 8, 8, 3)}, {}, "layout=nchw: .* takes 8 channels"),
        ({"shape": (3, 8, 8)}, {}, "input 'image' has 3 axes, expected 4"),
        ({"shape": (1, 3, 8, 8)}, {"size": [8, 9]}, "size=.* takes 8x8 only"),
        ({"shape": ("n", 3, 10**6, 10**6)}, {}, "batch=4: too many images of 1000000x1000000"),
        ({"element": TensorProto.UINT8}, {}, "input 'image' is of ONNX type 2, expected float32"),
    ],
)
def test_inputs_that_are_refused_early(
    save: Save, made: dict[str, Any], settings: dict[str, Any], text: str
) -> None:
    path = save(model([helper.make_node("Relu", ["image"], ["depth"])], out=None, **made))
    with pytest.raises(UsageError, match=text):
        onnx_stage(path, **settings).contract((12, 16))


def test_two_inputs_are_refused(save: Save) -> None:
    two = red()
    two.graph.input.append(helper.make_tensor_value_info("camera", TensorProto.FLOAT, [3, 3]))
    with pytest.raises(UsageError, match="expected one input, it has image, camera"):
        onnx_stage(save(two)).contract((12, 16))


@runtimes
def test_model_that_the_runtime_does_not_take(save: Save, runtime: Runtime) -> None:
    path = save(model([helper.make_node("NoSuchThing", ["image"], ["depth"])]))
    with pytest.raises(UsageError, match=rf"model\.onnx: {runtime.name} cannot load it") as caught:
        onnx_stage(path, runtime=runtime).contract((12, 16))
    assert "\n" not in str(caught.value)


@runtimes
def test_model_that_fails_on_this_size(save: Save, runtime: Runtime) -> None:
    tensors = [numpy_helper.from_array(np.array([-1, 1, 7, 7], np.int64), "to")]
    node = helper.make_node("Reshape", ["image", "to"], ["depth"], "odd")
    path = save(model([node], tensors=tensors))
    with pytest.raises(UsageError, match=f"{runtime.name} failed on an input of") as caught:
        onnx_stage(path, runtime=runtime).contract((12, 16))
    assert "\n" not in str(caught.value)


def test_runtime_that_is_not_installed(save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(SettingError, match=r"runtime=openvino: .*pip install openvino"):
        onnx_stage(save(red(factor=3.0)), runtime=Runtime.openvino).contract((12, 16))


def test_import_loads_no_runtime() -> None:
    code = (
        "import sys, depthmask_onnx.plugin as p; p.depthmask_stages(); "
        "assert not {'onnxruntime', 'openvino', 'onnx', 'tensorflow'} & set(sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.skipif(not REFERENCE.is_dir(), reason=f"no {REFERENCE}")
@runtimes
def test_fastdepth_gives_the_authors_prediction(runtime: Runtime) -> None:
    rgb = np.load(REFERENCE / "rgb.npy", allow_pickle=False).astype(np.float32)
    expected_m = np.load(REFERENCE / "pred.npy", allow_pickle=False).reshape(224, 224)
    stage = Onnx(weights=str(REFERENCE / "fastdepth_7.onnx"), runtime=runtime)
    for depth_m in (stage.predict(rgb[None])[0], stage.estimate(as_bytes(rgb)[None])[0]):
        np.testing.assert_allclose(depth_m, expected_m, atol=2e-5, rtol=0)


def as_bytes(rgb: np.ndarray) -> np.ndarray:
    return np.round(rgb * 255).astype(np.uint8)


@pytest.mark.skipif(not (REFERENCE.is_dir() and SEED.is_dir()), reason=f"no {REFERENCE.parent}")
def test_fastdepth_equals_the_built_in_one() -> None:
    from depthmask.stages.depth.fastdepth import FastDepth

    paths = sorted(SEED.iterdir())[:16]
    seed = np.stack([np.asarray(Image.open(path).convert("RGB")) for path in paths])
    ours_m = Onnx(weights=str(REFERENCE / "fastdepth_7.onnx")).estimate(seed)
    error_m = np.abs(ours_m - FastDepth().estimate(seed))
    assert error_m.mean() < 1e-3
    assert error_m.max() < 1e-2
