"""Files of weights that are not what they should be: one line, nothing runs, no memory taken."""

from __future__ import annotations

import importlib.util
import json
import pickle
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import h5py
import numpy as np
import pytest

from depthmask.errors import UsageError
from depthmask.networks import densedepth_weights, keras_hdf5
from depthmask.networks.densedepth_weights import Layout, array_shapes, check, load
from depthmask.stages.depth.densedepth import DenseDepth
from tests.support.paths import ROOT

MEGABYTES = 1 << 20


@pytest.mark.parametrize(
    ("encoder", "width", "parameters"),
    [
        # nyu.h5, and what the authors' code makes by default.
        ("DenseNet-169", 1664, 42_816_089),
        ("DenseNet-169", 832, 21_523_805),
    ],
)
def test_shapes_add_up_to_the_authors_networks(encoder: str, width: int, parameters: int) -> None:
    shapes = array_shapes(Layout(encoder, width))
    assert len(shapes) == 864
    assert sum(int(np.prod(shape)) for shape in shapes.values()) == parameters


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize(
    "layout", [Layout("DenseNet-169", 832), Layout("DenseNet-169", 16), Layout("DenseNet-201", 48)]
)
def test_layout_is_read_from_the_file(
    legacy_hdf5: Callable[..., Any], tmp_path: Path, layout: Layout, whole: bool
) -> None:
    with legacy_hdf5(tmp_path / "weights.h5", layout=layout, whole=whole):
        pass
    assert check(tmp_path / "weights.h5") == layout


def test_arrays_come_back_as_float32(
    random_arrays: dict[str, np.ndarray], random_npz: Path, tmp_path: Path
) -> None:
    halves = {name: one.astype(np.float16) for name, one in random_arrays.items()}
    _npz(tmp_path / "half.npz", halves)
    for path, tolerance in ((random_npz, 0), (tmp_path / "half.npz", 1e-3)):
        _, arrays = load(path)
        assert arrays.keys() == random_arrays.keys()
        for name, one in arrays.items():
            assert one.dtype == np.float32
            np.testing.assert_allclose(one, random_arrays[name], rtol=tolerance, atol=tolerance)


def test_legacy_file_gives_its_arrays(legacy_hdf5: Callable[..., Any], tmp_path: Path) -> None:
    path = tmp_path / "weights.h5"
    with legacy_hdf5(path) as file:
        file["model_weights/conv1/conv/conv1/conv/kernel:0"][...] = 0.5
        # As TensorFlow names it where the model was built a second time.
        file.move("model_weights/conv3/conv3/bias:0", "model_weights/conv3/conv3_2/bias_1:0")
        file["model_weights/conv3/conv3_2/bias_1:0"][...] = 7
    _, arrays = load(path)
    assert (arrays["conv1_conv.kernel"] == 0.5).all()
    assert arrays["conv3.bias"] == [7]
    assert not arrays["bn.gamma"].any()


MARK = "was-here"
"""In the current folder, which is the test's own."""


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


class Marker:
    """Leaves a file behind when it is unpickled."""

    def __reduce__(self) -> Any:
        return (open, (MARK, "w"))


def test_the_marker_marks() -> None:
    pickle.loads(pickle.dumps(Marker())).close()
    assert Path(MARK).exists()


Change = Callable[[h5py.File, Path, Callable[..., None]], None]


def _lambda(file: h5py.File, folder: Path, add: Callable[..., None]) -> None:
    file["model_weights"].create_group("lambda_1").attrs["weight_names"] = np.zeros(0)
    code = pickle.dumps(Marker()).hex()
    config = {"layers": [{"class_name": "Lambda", "config": {"function": [code, None, None]}}]}
    file.attrs["model_config"] = json.dumps(config)


def _external_link(file: h5py.File, folder: Path, add: Callable[..., None]) -> None:
    with h5py.File(folder / "elsewhere.h5", "w") as other:
        other.create_group("bn")
    del file["model_weights/bn"]
    file["model_weights/bn"] = h5py.ExternalLink(str(folder / "elsewhere.h5"), "/bn")


def _soft_loop(file: h5py.File, folder: Path, add: Callable[..., None]) -> None:
    del file["model_weights/conv1/bn"]
    file["model_weights/conv1/bn"] = h5py.SoftLink("/model_weights/conv1/bn")


def _soft_root(file: h5py.File, folder: Path, add: Callable[..., None]) -> None:
    file.move("model_weights", "weights")
    file["model_weights"] = h5py.SoftLink("/weights")


def _hard_loop(file: h5py.File, folder: Path, add: Callable[..., None]) -> None:
    file["model_weights/bn/again"] = file["model_weights"]


def _shared(file: h5py.File, folder: Path, add: Callable[..., None]) -> None:
    del file["model_weights/bn/bn/gamma:0"]
    file["model_weights/bn/bn/gamma:0"] = file["model_weights/bn/bn/beta:0"]


def _replace(**options: Any) -> Change:
    """Another array in the place of the last batch norm's gamma."""

    def change(file: h5py.File, folder: Path, add: Callable[..., None]) -> None:
        del file["model_weights/bn/bn/gamma:0"]
        file["model_weights/bn/bn"].create_dataset("gamma:0", **options)

    return change


def _other_file(file: h5py.File, folder: Path, add: Callable[..., None]) -> None:
    _replace(shape=(1664,), dtype="f4", external=[("/etc/passwd", 0, 6656)])(file, folder, add)


def _virtual(file: h5py.File, folder: Path, add: Callable[..., None]) -> None:
    layout = h5py.VirtualLayout((1664,), "f4")
    layout[:] = h5py.VirtualSource("elsewhere.h5", "x", (1664,))
    del file["model_weights/bn/bn/gamma:0"]
    file["model_weights/bn/bn"].create_virtual_dataset("gamma:0", layout)


def _named_type(file: h5py.File, folder: Path, add: Callable[..., None]) -> None:
    file["model_weights/bn/type"] = np.dtype("f4")


def _missing(file: h5py.File, folder: Path, add: Callable[..., None]) -> None:
    del file["model_weights/up2_convA/up2_convA/bias:0"]


def _no_layer(file: h5py.File, folder: Path, add: Callable[..., None]) -> None:
    del file["model_weights/bn"].attrs["weight_names"]


def _nested(file: h5py.File, folder: Path, add: Callable[..., None]) -> None:
    file["model_weights/bn/bn"].attrs["weight_names"] = np.zeros(0)


def _twice(file: h5py.File, folder: Path, add: Callable[..., None]) -> None:
    file["model_weights/bn/bn"].create_dataset("gamma_1:0", data=np.zeros(1664, "f4"))


def _unexpected_layer(file: h5py.File, folder: Path, add: Callable[..., None]) -> None:
    add(file["model_weights"], "dense", "kernel", (4, 4))


def _unexpected_array(file: h5py.File, folder: Path, add: Callable[..., None]) -> None:
    add(file["model_weights"], "conv3", "shadow", (4, 4))


def _control_characters(file: h5py.File, folder: Path, add: Callable[..., None]) -> None:
    add(file["model_weights"], "x\n\x1b[2J", "kernel", (4, 4))


def _width(width: int) -> Change:
    def change(file: h5py.File, folder: Path, add: Callable[..., None]) -> None:
        del file["model_weights/conv2"]
        add(file["model_weights"], "conv2", "kernel", (1, 1, 1664, width))

    return change


CHANGES: dict[str, tuple[Change, str]] = {
    "lambda": (_lambda, r"layer lambda_1: is no part of DenseDepth"),
    "external link": (_external_link, r"layer bn: is a link to another file, /.*elsewhere\.h5"),
    "soft link loop": (_soft_loop, r"layer conv1/bn: is a soft link"),
    "soft link to all": (_soft_root, r"layer model_weights: is a soft link"),
    "hard link loop": (_hard_loop, r"layer bn/again: is linked twice, or in a circle"),
    "shared array": (_shared, r"layer bn/bn/gamma:0: is linked twice"),
    "wrong shape": (
        _replace(data=np.zeros(1663, "f4")),
        r"layer bn: gamma: has shape \[1663\], expected \[1664\]",
    ),
    "10^12 numbers, none there": (
        _replace(shape=(10**6, 10**6), dtype="f4"),
        r"layer bn/bn/gamma:0: declares shape .* 4,000,000,000,000 bytes, and has 0",
    ),
    "10^12 numbers, compressed": (
        _replace(shape=(10**6, 10**6), dtype="f4", chunks=(1000, 1000), compression="gzip"),
        r"layer bn/bn/gamma:0: is chunked",
    ),
    "float64": (_replace(data=np.zeros(1664)), r"bn/bn/gamma:0: has type float64, expected"),
    "integers": (_replace(data=np.zeros(1664, "i4")), r"bn/bn/gamma:0: has type int32"),
    "strings": (_replace(data=np.array([b"a"] * 3)), r"bn/bn/gamma:0: has type \|S1"),
    "no numbers": (_replace(dtype="f4", data=h5py.Empty("f4")), r"bn/bn/gamma:0: has type"),
    "numbers of another file": (_other_file, r"bn/bn/gamma:0: has its numbers in another file"),
    "virtual array": (_virtual, r"bn/bn/gamma:0: is chunked or virtual"),
    "type with a name": (_named_type, r"bn/type: is neither an array nor a group"),
    "missing array": (_missing, r"layer up2_convA: bias: missing"),
    "no layer": (_no_layer, r"bn/bn/\S+: belongs to no layer"),
    "layer in a layer": (_nested, r"bn/bn: is a layer within a layer"),
    "array twice": (_twice, r"bn/bn/gamma\S*: is there twice"),
    "unexpected layer": (_unexpected_layer, r"layer dense: is no part of DenseDepth"),
    "unexpected array": (_unexpected_array, r"layer conv3: shadow: is no part of DenseDepth"),
    "control characters": (_control_characters, r"layer x\\n\\x1b\[2J: is no part"),
    "no width": (_width(0), r"layer conv2: kernel: has shape \[1, 1, 1664, 0\]"),
}


@pytest.fixture(scope="module")
def bad_files(
    tmp_path_factory: pytest.TempPathFactory,
    legacy_hdf5: Callable[..., Any],
    add_array: Callable[..., None],
) -> dict[str, Path]:
    """By the name of the case."""
    folder = tmp_path_factory.mktemp("bad")
    paths = {case: folder / f"{number}.h5" for number, case in enumerate(CHANGES)}
    for case, path in paths.items():
        with legacy_hdf5(path) as file:
            CHANGES[case][0](file, folder, add_array)
    return paths


@pytest.mark.parametrize("case", CHANGES)
def test_bad_file_is_one_line_with_file_and_layer(bad_files: dict[str, Path], case: str) -> None:
    path = bad_files[case]
    with pytest.raises(UsageError, match=CHANGES[case][1]) as caught:
        DenseDepth(weights=str(path)).check_resources()
    message = str(caught.value)
    assert message.startswith(f"{path}: layer ")
    assert message.isprintable()
    assert len(message) < 400
    assert not Path(MARK).exists()


def test_bad_files_take_no_memory(
    bad_files: dict[str, Path], legacy_hdf5: Callable[..., Any], tmp_path: Path
) -> None:
    with legacy_hdf5(tmp_path / "good.h5"):
        pass
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from depthmask.networks.densedepth_weights import check\n"
        "from depthmask.errors import UsageError\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "check(Path(sys.argv[1])); before = peak()\n"
        "for path in sys.argv[2:]:\n"
        "    try: check(Path(path)); sys.exit(path)\n"
        "    except UsageError: pass\n"
        "print((peak() - before) * 1024)\n"
    )
    paths = [tmp_path / "good.h5", *bad_files.values()]
    ran = subprocess.run(
        [sys.executable, "-c", code, *map(str, paths)], cwd=ROOT, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    assert int(ran.stdout) < 20 * MEGABYTES


def test_lambda_behind_a_usual_name_does_not_run(
    legacy_hdf5: Callable[..., Any], tmp_path: Path
) -> None:
    with legacy_hdf5(tmp_path / "weights.h5") as file:
        _lambda(file, tmp_path, lambda *_: None)
        del file["model_weights/lambda_1"]
    load(tmp_path / "weights.h5")
    assert not Path(MARK).exists()


def test_numbers_that_are_none_are_refused(legacy_hdf5: Callable[..., Any], tmp_path: Path) -> None:
    with legacy_hdf5(tmp_path / "weights.h5") as file:
        file["model_weights/bn/bn/beta:0"][3] = np.nan
    check(tmp_path / "weights.h5")
    with pytest.raises(UsageError, match=r"weights\.h5: layer bn: beta: .* not finite"):
        load(tmp_path / "weights.h5")


def test_array_beyond_the_end_is_refused(legacy_hdf5: Callable[..., Any], tmp_path: Path) -> None:
    path = tmp_path / "weights.h5"
    with legacy_hdf5(path):
        pass
    with h5py.File(path) as file:
        checked = keras_hdf5.LegacyHdf5(path, file)
        array = file["model_weights/conv3/conv3/bias:0"]
        checked._file_bytes = array.id.get_offset() + 3
        with pytest.raises(UsageError, match=r"layer conv3/b: declares .* and ends at byte"):
            checked._check_storage(array, "conv3/b")


def test_too_many_objects_are_refused(
    legacy_hdf5: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keras_hdf5, "OBJECTS_MAX", 1000)
    with legacy_hdf5(tmp_path / "weights.h5"):
        pass
    with pytest.raises(UsageError, match=r"more than 1,000 groups and arrays"):
        check(tmp_path / "weights.h5")


@pytest.mark.parametrize("keep", [0, 4, 100, 5000, 0.5, -1])
def test_truncated_file_is_refused(
    legacy_hdf5: Callable[..., Any], tmp_path: Path, keep: float
) -> None:
    path = tmp_path / "weights.h5"
    with legacy_hdf5(path):
        pass
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.truncate(int(size * keep) if 0 < keep < 1 else int(keep) % size)
    with pytest.raises(
        UsageError, match=r"weights\.h5: (cannot be read as HDF5|is neither)"
    ) as caught:
        check(path)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "content", [b"<html>not found</html>", b"version https://git-lfs", b"\x80\x04"]
)
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "weights.h5").write_bytes(content)
    with pytest.raises(UsageError, match=r"\.h5: is neither HDF5 .* nor npz: it begins with"):
        check(tmp_path / "weights.h5")


def test_unreadable_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot be read: Is a directory"):
        check(tmp_path)


@pytest.mark.parametrize(
    ("layers", "complaint"),
    [
        # A small classifier, another network's encoder, and a file of Keras 3.
        ({"conv2d": {"kernel": (3, 3, 3, 8), "bias": (8,)}}, r"layer conv2d: is no part"),
        ({"conv1_conv": {"kernel": (7, 7, 3, 64)}}, r"layer conv2: kernel: missing"),
        ({"fc1000": {"kernel": (1664, 1000)}}, r"layer fc1000: is no part"),
    ],
)
def test_another_network_is_refused(
    add_array: Callable[..., None],
    tmp_path: Path,
    layers: dict[str, dict[str, tuple[int, ...]]],
    complaint: str,
) -> None:
    with h5py.File(tmp_path / "weights.h5", "w") as file:
        for layer, arrays in layers.items():
            for name, shape in arrays.items():
                add_array(file.require_group("model_weights"), layer, name, shape)
    with pytest.raises(UsageError, match=complaint):
        check(tmp_path / "weights.h5")


def test_file_of_keras_3_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "model.weights.h5", "w") as file:
        file["layers/conv2d/vars/0"] = np.zeros(4, "f4")
    with pytest.raises(UsageError, match=r"layers/conv2d/vars/0: belongs to no layer"):
        check(tmp_path / "model.weights.h5")


def _npz(path: Path, arrays: dict[str, np.ndarray], **members: bytes) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w") as stream:
                np.lib.format.write_array(stream, array, allow_pickle=True)
        for name, content in members.items():
            archive.writestr(name, content)


HEADER = b"\x93NUMPY\x01\x00\x76\x00" + b"%-117s\n"
HUGE = HEADER % b"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000, 1000000)}"
LONG_HEADER = b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + bytes(1 << 20)


@pytest.mark.parametrize(
    ("arrays", "members", "complaint"),
    [
        ({"bn.gamma": np.array([Marker()])}, {}, r"layer bn: gamma: has type object"),
        ({"bn.gamma": np.zeros(3)}, {}, r"layer bn: gamma: has type float64"),
        ({}, {"bn.gamma.npy": HUGE}, r"layer bn: gamma: declares shape .* and has 0"),
        ({}, {"bn.gamma.npy": LONG_HEADER}, r"layer bn: gamma: is no plain array"),
        ({}, {"bn.gamma": b""}, r"layer bn: gamma: is no array"),
        ({}, {"bn.gamma.npy": b"x"}, r"cannot be read as plain array data"),
        ({"conv2d.kernel": np.zeros(3, "f4")}, {}, r"layer conv2d: is no part of DenseDepth"),
        ({}, {}, r"weights\.npz"),
    ],
)
def test_bad_npz_is_refused(
    tmp_path: Path, arrays: dict[str, np.ndarray], members: dict[str, bytes], complaint: str
) -> None:
    path = tmp_path / "weights.npz"
    _npz(path, arrays, **members)
    with pytest.raises(UsageError, match=complaint) as caught:
        check(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert str(caught.value).isprintable()
    assert not Path(MARK).exists()


def test_npz_with_a_broken_array_is_refused(
    random_arrays: dict[str, np.ndarray], tmp_path: Path
) -> None:
    path = tmp_path / "weights.npz"
    _npz(path, random_arrays)
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        member = archive.getinfo("up1_convA.kernel.npy")
    middle = member.header_offset + member.compress_size // 2
    content[middle : middle + 64] = bytes(64)
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"layer up1_convA\.kernel: cannot be read"):
        load(path)


def test_encoders_are_the_smaller_first() -> None:
    smaller, larger = densedepth_weights.ENCODERS.values()
    assert smaller[2] < larger[2]


def test_converter_keeps_the_numbers(
    legacy_hdf5: Callable[..., Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with legacy_hdf5(tmp_path / "in.h5") as file:
        file["model_weights/bn/bn/gamma:0"][...] = np.arange(1664)
    assert _converter().main([str(tmp_path / "in.h5"), str(tmp_path / "out.npz")]) == 0
    assert "DenseNet-169, decoder width 16, 864 arrays" in capsys.readouterr().out
    layout, arrays = load(tmp_path / "out.npz")
    assert layout == Layout("DenseNet-169", 16)
    np.testing.assert_array_equal(arrays["bn.gamma"], np.arange(1664))


def test_converter_refuses_another_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in.h5").write_bytes(b"other")
    assert _converter().main([str(tmp_path / "in.h5"), str(tmp_path / "out.npz")]) == 2
    assert capsys.readouterr().err.startswith(f"error: {tmp_path / 'in.h5'}: is neither")
    assert not (tmp_path / "out.npz").exists()


def _converter() -> ModuleType:
    spec = importlib.util.spec_from_file_location("converter", ROOT / "tools/convert_densedepth.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
