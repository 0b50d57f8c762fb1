"""Which samples are shown, and as what."""

from __future__ import annotations

import base64
import io
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from depthmask.codec.planes import from_planes
from depthmask.codec.sample import DepthFormat, Encode
from depthmask.data import DepthContract, DepthKind, DepthMode, Sample
from depthmask.reports.dataset.gallery import (
    Card,
    DepthPicture,
    card,
    cards_within,
    evenly_spaced,
    steps_per_unit,
)


def contract(**changes: Any) -> DepthContract:
    plain = DepthContract(
        DepthKind.metric_z, "m", 0.1, 20.0, 0.0, False, (12, 10), "test", None, DepthMode.exact
    )
    return replace(plain, **changes)


def picture(uri: str) -> Image.Image:
    head, _, content = uri.partition(",")
    assert head.startswith("data:image/")
    return Image.open(io.BytesIO(base64.b64decode(content)), formats=["JPEG", "PNG"])


def unpacked(depth: DepthPicture) -> np.ndarray:
    planes = np.frombuffer(zlib.decompress(base64.b64decode(depth.planes)), np.uint8)
    return from_planes(planes.reshape(2, depth.height, depth.width))


@pytest.mark.parametrize(("count", "most"), [(1, 5), (7, 7), (10, 4), (400_000, 480), (1000, 999)])
def test_evenly_spaced_numbers_are_all_different(count: int, most: int) -> None:
    numbers = evenly_spaced(count, most)
    assert len(set(numbers)) == len(numbers) == min(count, most)
    assert 0 <= min(numbers) <= max(numbers) < count


def test_the_first_n_numbers_are_spread_evenly() -> None:
    for length in (10, 100, 480):
        gaps = np.diff(sorted([*evenly_spaced(400_000, 480)[:length], 400_000]))
        # The golden section: no gap is more than 2.62 times as long as another.
        assert gaps.max() < 2.7 * 400_000 / length


def test_periods_in_the_data_are_avoided() -> None:
    numbers = np.array(evenly_spaced(400_000, 480))
    for period in (2, 3, 10, 40):
        # Each phase about as often as any other.
        assert np.bincount(numbers % period).min() > 480 / period / 2


def test_small_pictures_are_shown_as_they_are(make_sample: Callable[..., Sample]) -> None:
    sample = make_sample(3)
    assert sample.depth is not None
    encoded = Encode().encode(sample)
    made = card(3, "val", encoded, sample, contract())
    assert (
        made.image == f"data:image/jpeg;base64,{base64.b64encode(encoded.members['jpg']).decode()}"
    )
    assert np.array_equal(np.array(picture(made.mask)), sample.mask)
    assert made.depth is not None
    assert np.array_equal(unpacked(made.depth), np.rint(sample.depth * 1000))
    assert made.area == pytest.approx(sample.mask.mean() / 255)
    (label,) = made.label_pictures.values()
    assert made.bytes == sum(map(len, (made.image, made.mask, made.depth.planes, label)))
    black, first, second = (np.array(picture(label))[0, number] for number in range(3))
    assert black.tolist() == [0, 0, 0]
    assert len({tuple(colour.tolist()) for colour in (black, first, second)}) == 3


def test_instances_of_the_background_are_told_from_layers(
    make_sample: Callable[..., Sample],
) -> None:
    sample = make_sample(3)
    own = [{"label": "mug"}, {"label": "cat"}, {"label": "mug"}]
    labelled = replace(sample, meta={**sample.meta, "background_instances": own})
    plain, made = (
        card(3, "val", Encode().encode(one), one, contract()) for one in (sample, labelled)
    )
    assert made.layers(labels=True) == [
        *plain.layers(labels=True),
        "on the background: 1 cat, 2 mug",
    ]
    assert made.labels == list(dict.fromkeys([*plain.labels, "mug", "cat"]))


def test_large_pictures_become_smaller(make_sample: Callable[..., Sample]) -> None:
    sample = make_sample(0, (300, 900))
    assert sample.depth is not None
    encoded = Encode(depth=DepthFormat.npz).encode(sample)
    made = card(0, "train", encoded, sample, contract(resolution=(300, 900)))
    assert (made.height, made.width) == (85, 256)
    assert picture(made.image).size == picture(made.mask).size == (256, 85)
    assert made.depth is not None
    # Every fifth pixel, from the middle of the first five: no mixture of near and far.
    assert np.array_equal(
        unpacked(made.depth), np.clip(np.rint(sample.depth[2::5, 2::5] * 1000), 0, 65535)
    )


@pytest.mark.parametrize("size", [(1, 8000), (8000, 1), (8, 8192), (2, 300)])
def test_pictures_of_any_aspect_have_pixels(
    make_sample: Callable[..., Sample], size: tuple[int, int]
) -> None:
    sample = make_sample(0, size)
    maps = card(0, "train", Encode(depth=DepthFormat.npz).encode(sample), sample, contract())
    assert maps.depth is not None
    uris = [maps.image, maps.mask, *maps.label_pictures.values()]
    for height, width in [
        (maps.depth.height, maps.depth.width),
        *(picture(uri).size for uri in uris),
    ]:
        assert min(height, width) >= 1
        assert max(height, width) > 100


def test_without_depth(make_sample: Callable[..., Sample]) -> None:
    sample = make_sample(0, depth=False)
    assert (
        card(0, "train", Encode(depth=DepthFormat.npz).encode(sample), sample, None).depth is None
    )


def test_steps_of_depth() -> None:
    assert steps_per_unit(contract()) == 1000
    assert steps_per_unit(contract(far=131.07)) == pytest.approx(500)
    relative = contract(kind=DepthKind.relative, unit="", near=0.01, far=1.0)
    assert steps_per_unit(relative) == 65535


def test_cards_that_fit_are_sorted_by_number() -> None:
    cards = [Card(number, "", {}, 1, 1, 0.0, "x" * 10, "", None, {}) for number in (5, 1, 9)]
    assert [one.number for one in cards_within(cards, 20)] == [1, 5]
    assert [one.number for one in cards_within(cards, 3)] == [5]
    assert cards_within([], 3) == []
