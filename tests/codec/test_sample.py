"""Samples to bytes and back."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of
from PIL import Image

from depthmask.codec.labels import LabelCodec, LabelOutput
from depthmask.codec.sample import (
    DepthFormat,
    Encode,
    ImageFormat,
    InstancesFormat,
    MaskFormat,
    decode,
    from_millimetres,
    to_millimetres,
)
from depthmask.data import DepthContract, DepthKind, DepthMode, Encoded, Sample
from depthmask.errors import DepthmaskError, SettingError

MakeSample = Callable[..., Sample]
ALL = list(itertools.product(ImageFormat, MaskFormat, InstancesFormat, DepthFormat))
METRES = DepthContract(
    kind=DepthKind.metric_z,
    unit="m",
    near=0.001,
    far=65.535,
    invalid=0.0,
    clip=False,
    resolution=(12, 10),
    estimator="somebody",
    weights_sha256=None,
    mode=DepthMode.exact,
)


def members_alone(encoded: Encoded) -> Encoded:
    """What a reader of an archive has."""
    return Encoded(encoded.key, encoded.members, {})


INSTANCES = LabelOutput("instances", LabelCodec.png, "numbers", 0)


def labels_of(instances: InstancesFormat) -> list[LabelOutput]:
    return [INSTANCES] if instances is InstancesFormat.png else []


@pytest.mark.parametrize(("image", "mask", "instances", "depth"), ALL)
def test_every_combination_comes_back(
    make_sample: MakeSample,
    image: ImageFormat,
    mask: MaskFormat,
    instances: InstancesFormat,
    depth: DepthFormat,
) -> None:
    sample = make_sample(5, (48, 40))
    encode = Encode(image=image, mask=mask, depth=depth, subsampling="444")
    encoded = encode.encode(sample, labels_of(instances))
    expected = [
        "jpg" if image is ImageFormat.jpeg else "png",
        f"mask.{'jpg' if mask is MaskFormat.jpeg else 'png'}",
        *(["instances.png"] if instances is InstancesFormat.png else []),
        *(
            {
                "png16": ["depth.png"],
                "npz": ["depth.npz"],
                "npz16": ["depth.npz"],
                "compact": ["depth.npz"],
                "none": [],
            }[depth.name]
        ),
        "json",
    ]
    assert list(encoded.members) == expected
    found = decode(members_alone(encoded))
    assert (found.key, found.meta) == (sample.key, sample.meta)
    _check_picture(found.image, sample.image, exact=image is ImageFormat.png)
    _check_picture(found.mask, sample.mask, exact=mask is MaskFormat.png)
    if instances is InstancesFormat.png:
        assert found.instances is not None
        assert np.array_equal(found.instances, sample.labels["instances"])
    else:
        assert found.instances is None
    _check_depth(found.depth, sample.depth, depth)


def _check_picture(found: np.ndarray, expected: np.ndarray, *, exact: bool) -> None:
    assert found.dtype == np.uint8
    assert found.shape == expected.shape
    difference = np.abs(found.astype(int) - expected)
    # The pictures are slopes with a few steps from 255 to 0, which JPEG makes soft.
    assert difference.max() == 0 if exact else np.median(difference) <= 2


def _check_depth(found: Any, expected: Any, form: DepthFormat) -> None:
    if form is DepthFormat.none:
        assert found is None
        return
    assert found.dtype == np.float32
    if form is DepthFormat.npz:
        assert np.array_equal(found, expected)
    error = np.abs(found - expected)
    assert (error <= (expected / 2048 if form is DepthFormat.npz16 else 0.0005 + 1e-6)).all()
    assert np.array_equal(found == 0, expected == 0)


def test_arrays_are_the_samples_own(make_sample: MakeSample) -> None:
    sample = make_sample(1)
    encoded = Encode().encode(sample)
    assert set(encoded.arrays) == {"image", "mask", "depth"}
    found = decode(encoded)
    assert found.image is sample.image
    assert found.mask is sample.mask
    assert found.depth is sample.depth
    assert "depth" not in Encode(depth=DepthFormat.none).encode(sample).arrays


def test_a_sample_without_depth_or_instances(make_sample: MakeSample) -> None:
    encoded = Encode().encode(make_sample(1, depth=False))
    assert list(encoded.members) == ["jpg", "mask.png", "json"]
    found = decode(members_alone(encoded))
    assert found.depth is None
    assert found.instances is None


def test_json_is_compact_utf8(make_sample: MakeSample) -> None:
    sample = make_sample(2)
    data = Encode().encode(sample).members["json"]
    assert json.loads(data.decode("utf-8")) == sample.meta
    assert b" " not in data.replace(b"St\\u00fchle", b"")


def test_instances_of_16_bits_come_back(make_sample: MakeSample) -> None:
    instances = np.arange(120, dtype=np.uint16).reshape(12, 10) * 500
    sample = replace(make_sample(0), labels={"instances": instances})
    encoded = Encode().encode(sample, [INSTANCES])
    found = decode(members_alone(encoded)).instances
    assert found is not None
    assert found.dtype == np.uint16
    assert np.array_equal(found, instances)


@pytest.mark.parametrize(("subsampling", "factors"), [("444", 0x11), ("422", 0x21), ("420", 0x22)])
def test_chroma_is_subsampled_as_asked(
    make_sample: MakeSample, subsampling: str, factors: int
) -> None:
    data = Encode(subsampling=subsampling).encode(make_sample(0, (32, 32))).members["jpg"]
    # SOF0: marker, length, precision, height, width, 3 components; then (1, factors, table).
    frame = data.index(b"\xff\xc0")
    assert data[frame + 10 : frame + 12] == bytes((1, factors))


def test_quality_decides_size_and_error(make_sample: MakeSample) -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
    sample = replace(make_sample(0, (32, 32)), image=noise)
    sizes, errors = [], []
    for quality in (1, 50, 95, 100):
        encoded = Encode(quality=quality, subsampling="444").encode(sample)
        sizes.append(len(encoded.members["jpg"]))
        error = decode(members_alone(encoded)).image.astype(int) - noise
        errors.append(float(np.abs(error).mean()))
    assert sizes == sorted(sizes)
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 1.0


def test_pillow_reads_all_pictures(make_sample: MakeSample) -> None:
    members = Encode(mask=MaskFormat.jpeg).encode(make_sample(0), [INSTANCES]).members
    modes = {
        name: Image.open(io.BytesIO(data)).mode for name, data in members.items() if name != "json"
    }
    assert modes == {"jpg": "RGB", "mask.jpg": "L", "instances.png": "L", "depth.png": "I;16"}


def test_the_same_sample_gives_the_same_bytes(make_sample: MakeSample) -> None:
    for image, mask, instances, depth in ALL:
        encode, labels = Encode(image=image, mask=mask, depth=depth), labels_of(instances)
        once, again = (encode.encode(make_sample(3), labels) for _ in range(2))
        assert once.members == again.members


@given(
    arrays_of.arrays(
        np.float32,
        (3, 4),
        elements=st.one_of(st.just(0.0), st.floats(0.0009765625, 10, width=32)),
    )
)
def test_millimetres_are_within_half_a_millimetre(depth_m: np.ndarray) -> None:
    millimetres = to_millimetres(depth_m)
    assert millimetres.dtype == np.uint16
    back = from_millimetres(millimetres)
    assert back.dtype == np.float32
    assert np.abs(back.astype(np.float64) - depth_m).max() <= 0.0005 + 1e-6
    assert np.array_equal(back == 0, depth_m == 0)


def test_all_millimetres_come_back() -> None:
    every = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    assert np.array_equal(to_millimetres(from_millimetres(every)), every)


@pytest.mark.parametrize("value", [-0.001, 65.536, np.nan, np.inf])
def test_depth_beyond_16_bits_is_refused(make_sample: MakeSample, value: float) -> None:
    sample = make_sample(0)
    depth = np.array(sample.depth)
    depth[3, 3] = value
    with pytest.raises(DepthmaskError, match="does not fit 16-bit millimetres"):
        Encode().encode(replace(sample, depth=depth))


@pytest.mark.parametrize("subsampling", ["411", "", "4:2:0"])
def test_unknown_subsampling_is_refused(subsampling: str) -> None:
    with pytest.raises(SettingError, match="must be one of 444, 422, 420"):
        Encode(subsampling=subsampling)


@pytest.mark.parametrize("quality", [0, 101])
def test_quality_has_a_range(quality: int) -> None:
    with pytest.raises(SettingError, match="quality"):
        Encode(quality=quality)


@pytest.mark.parametrize(
    "changes",
    [{"kind": DepthKind.relative}, {"kind": DepthKind.disparity}, {"far": 65.6}],
)
def test_png16_is_refused_for_what_it_cannot_hold(changes: dict[str, Any]) -> None:
    contract = replace(METRES, **changes)
    with pytest.raises(SettingError, match=r"somebody gives .*; choose encode\.depth=npz"):
        Encode().check(contract)
    Encode(depth=DepthFormat.npz).check(contract)
    Encode(depth=DepthFormat.none).check(contract)


def test_npz16_holds_what_float16_holds() -> None:
    Encode(depth=DepthFormat.npz16).check(replace(METRES, kind=DepthKind.relative, far=65504.0))
    with pytest.raises(SettingError, match="holds values up to 65504"):
        Encode(depth=DepthFormat.npz16).check(replace(METRES, far=65600.0))


def test_npz16_keeps_float16_in_bytes_and_arrays(make_sample: MakeSample) -> None:
    encoded = Encode(depth=DepthFormat.npz16).encode(make_sample(0))
    with np.load(io.BytesIO(encoded.members["depth.npz"]), allow_pickle=False) as file:
        assert file["depth"].dtype == np.float16
        assert np.array_equal(file["depth"], encoded.arrays["depth"])
    for found in (decode(encoded), decode(members_alone(encoded))):
        assert found.depth is not None
        assert found.depth.dtype == np.float32


def test_png16_holds_millimetres_to_65_metres() -> None:
    Encode().check(METRES)
    Encode().check(None)


def test_the_estimate_of_bytes_grows_with_what_is_stored() -> None:
    size = (160, 160)
    alone = Encode().expected(size, None).bytes
    assert Encode(depth=DepthFormat.none).expected(size, size).bytes == alone
    with_depth = Encode().expected(size, size).bytes
    assert alone < with_depth < Encode(depth=DepthFormat.npz).expected(size, size).bytes
    assert Encode(image=ImageFormat.png).expected(size, None).bytes > 2 * alone
    assert Encode(quality=50).expected(size, None).bytes < alone


def test_optimized_files_are_smaller_and_show_the_same(make_sample: MakeSample) -> None:
    sample = make_sample(0, (64, 64))
    plain, small = (
        Encode(optimize=optimize, mask=MaskFormat.jpeg, quality=50).encode(sample)
        for optimize in (False, True)
    )
    for member in ("jpg", "mask.jpg"):
        assert len(small.members[member]) < len(plain.members[member])
    one, other = decode(plain), decode(small)
    assert np.array_equal(one.image, other.image)
    assert np.array_equal(one.mask, other.mask)
