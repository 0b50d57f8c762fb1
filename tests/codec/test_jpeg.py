"""Our JPEG against Pillow's, which is libjpeg-turbo with the accurate transform, too."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from depthmask.codec import jpeg
from depthmask.codec.jpeg import SUBSAMPLINGS, JpegEncoder, encode_jpeg
from depthmask.data import StripSource, UInt8
from tests.support.paths import SHARED

PHOTOS = SHARED / "seed-assets" / "bg"


def pictures() -> list[np.ndarray]:
    """Something smooth with noise and edges; photographs where there are any."""
    y, x = np.mgrid[0:160, 0:160]
    planes = [128 + 90 * np.sin(x / 17 + i) * np.cos(y / 23) + 60 * (x + y > 150) for i in range(3)]
    noise = np.random.default_rng(0).normal(0, 6, (160, 160, 3))
    made = (np.stack(planes, axis=-1) + noise).clip(0, 255).astype(np.uint8)
    photos = sorted(PHOTOS.glob("*"))[:20]
    return [
        made,
        *(np.asarray(Image.open(one).convert("RGB").resize((160, 160))) for one in photos),
    ]


def by_pillow(image: np.ndarray, quality: int, subsampling: str) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(
        file, "JPEG", quality=quality, subsampling=["444", "422", "420"].index(subsampling)
    )
    return file.getvalue()


def decoded(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data), formats=["JPEG"]))


@pytest.mark.parametrize("subsampling", SUBSAMPLINGS)
@pytest.mark.parametrize("quality", [10, 50, 85, 95, 100])
def test_as_good_and_as_small_as_pillows(quality: int, subsampling: str) -> None:
    for image in pictures():
        ours = encode_jpeg(image, quality, subsampling)
        theirs = by_pillow(image, quality, subsampling)
        # Restart markers, and nothing else.
        assert abs(len(ours) / len(theirs) - 1) < 0.025
        assert np.array_equal(decoded(ours), decoded(theirs))


def test_colours_are_in_order() -> None:
    image = np.full((16, 16, 3), (200, 100, 20), np.uint8)
    assert np.abs(decoded(encode_jpeg(image, 95)) - image.astype(int)).max() <= 2


def test_grey() -> None:
    image = pictures()[0][..., 0]
    found = decoded(encode_jpeg(image, 95))
    assert found.shape == (160, 160)
    assert np.abs(found - image.astype(int)).mean() < 1.5


def by_opencv(data: bytes) -> np.ndarray:
    import cv2

    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB))


def by_simplejpeg(data: bytes) -> np.ndarray:
    return simplejpeg.decode_jpeg(data)


def by_tensorflow(data: bytes) -> np.ndarray:
    import tensorflow

    return tensorflow.io.decode_jpeg(data).numpy()


def test_views_are_as_good_as_copies() -> None:
    image = pictures()[0]
    view = image[::-1, 3:90]
    assert encode_jpeg(view, 95) == encode_jpeg(view.copy(), 95)


def composites(
    size: tuple[int, int], count: int
) -> tuple[list[np.ndarray], list[StripSource | None]]:
    """Pictures that differ from their background in a part, in all, or in nothing."""
    big = np.tile(pictures()[0], (2, 2, 1))
    background = big[: size[0], : size[1]].copy()
    rng = np.random.default_rng(count)
    images: list[np.ndarray] = []
    sources: list[StripSource | None] = []
    for number in range(count):
        image, rows = background.copy(), (0, 0)
        top, left = rng.integers(0, size).tolist()
        if number == 5:
            image, rows = big[40 : 40 + size[0], : size[1]].copy(), (0, size[0])
        elif number % 4:
            rows = top, min(top + 30, size[0])
            image[top : top + 30, left : left + 9] ^= 255
        images.append(image)
        sources.append(StripSource(background, rows))
    return images, sources


@pytest.mark.parametrize("subsampling", SUBSAMPLINGS)
@pytest.mark.parametrize("size", [(160, 160), (16, 16), (48, 33), (40, 24), (17, 30), (1, 1)])
@pytest.mark.parametrize("together", [1, 2, 7])
def test_many_as_one_by_one(subsampling: str, size: tuple[int, int], together: int) -> None:
    """Before their background is known, and after; more than eight restart markers."""
    images, sources = composites(size, 14)
    unknown: list[StripSource | None] = [None] * 14
    for quality in (3, 50, 100):
        alone = [encode_jpeg(image, quality, subsampling) for image in images]
        encoder = JpegEncoder(quality, subsampling)
        for known in (sources, unknown):
            found = []
            for first in range(0, 14, together):
                some = slice(first, first + together)
                found += encoder.encode(images[some], known[some])
            assert found == alone


@pytest.fixture
def lines_coded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The lines of pixels of each picture that an encoder has coded."""
    lines: list[int] = []

    def seen(image: np.ndarray, quality: int, subsampling: str) -> bytes:
        lines.append(len(image))
        return encode_jpeg(image, quality, subsampling)

    jpeg._head(160, 160, 50, "420")
    monkeypatch.setattr(jpeg, "encode_jpeg", seen)
    return lines


def test_what_is_as_in_the_background_is_not_coded_again(lines_coded: list[int]) -> None:
    images, sources = composites((160, 160), 12)
    encoder = JpegEncoder(50)
    for image, source in zip(images, sources, strict=True):
        encoder.encode([image], [source])
    # The first picture, the background with the second, and the picture that differs everywhere; of
    # the others the strips that 30 lines of pixels meet.
    assert lines_coded[:2] == [160, 160]
    assert lines_coded.count(160) == 3
    assert len(lines_coded) == 2 + sum(
        source is not None and source.touched[1] > 0 for source in sources[1:]
    )
    assert max(lines for lines in lines_coded if lines < 160) <= 48


class Kept(dict[str, bytes]):
    """Coded backgrounds, as a store has them."""

    def get(self, key: str) -> memoryview | None:  # type: ignore[override]
        """The file of a background."""
        return memoryview(self[key]) if key in self else None

    def keep(self, key: str, content: bytes) -> None:
        """Keep the file of a background."""
        self[key] = content


@pytest.mark.parametrize("rows", [(0, 0), (0, 20), (32, 100), (150, 160), (160, 160), (0, 160)])
def test_a_background_that_is_kept_is_not_coded_again(
    lines_coded: list[int], rows: tuple[int, int]
) -> None:
    background, kept = pictures()[0], Kept()
    image = background.copy()
    image[slice(*rows)] ^= 255
    source = StripSource(background, rows, "table")
    for _ in range(2):
        lines_coded.clear()
        (data,) = JpegEncoder(50, kept=kept).encode([image], [source])
        assert data == encode_jpeg(image, 50)
    assert kept == {"table": encode_jpeg(background, 50)}
    assert sum(lines_coded) == 16 * len(range(rows[0] // 16, -(-rows[1] // 16)))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda background: encode_jpeg(background[:32], 50),
        lambda background: encode_jpeg(background[:, :144], 50),
        lambda background: encode_jpeg(background, 51),
        lambda background: encode_jpeg(background, 50, "444"),
        lambda background: encode_jpeg(background, 50)[:-50],
        lambda background: b"",
    ],
    ids=["height", "width", "quality", "subsampling", "cut", "empty"],
)
def test_a_kept_file_that_does_not_fit_is_not_used(spoil: Callable[[UInt8], bytes]) -> None:
    background = pictures()[0]
    kept = Kept(table=spoil(background))
    source = StripSource(background, (0, 16), "table")
    encoded = JpegEncoder(50, kept=kept).encode([background], [source])
    assert encoded == [encode_jpeg(background, 50)]


def test_coded_backgrounds_stay_within_their_memory(lines_coded: list[int]) -> None:
    backgrounds = [pictures()[0] + np.uint8(level) for level in range(6)]
    most = 3 * len(encode_jpeg(backgrounds[0], 50))
    encoder = JpegEncoder(50, most_bytes=most)
    lines_coded.clear()
    for times in range(3):
        for background in backgrounds:
            source = StripSource(background, (0, 0))
            assert encoder.encode([background], [source]) == [encode_jpeg(background, 50)]
            assert bool(times) == bool(encoder._bytes)
            assert encoder._bytes <= most
    assert len(lines_coded) == 18
    backgrounds.clear()
    del background, source
    assert (encoder._bytes, encoder._backgrounds) == (0, {})


def test_another_array_with_the_same_number_is_another_background() -> None:
    encoder = JpegEncoder(50)
    for level in range(0, 250, 5):
        # Each takes the memory of the one before.
        background = np.full((32, 32, 3), level, np.uint8)
        image = background.copy()
        image[:16] = 7
        for _ in range(4):
            assert encoder.encode([image], [StripSource(background, (0, 16))]) == [
                encode_jpeg(image, 50)
            ]
    del background
    assert not encoder._backgrounds


def test_tables_of_their_own_make_smaller_files_of_the_same_pixels() -> None:
    images, sources = composites((160, 160), 6)
    own = JpegEncoder(50, optimize=True).encode(images, sources)
    for data, image in zip(own, images, strict=True):
        assert data == encode_jpeg(image, 50, optimize=True)
        assert len(data) < 0.95 * len(encode_jpeg(image, 50))
        assert np.array_equal(decoded(data), decoded(encode_jpeg(image, 50)))


def test_more_than_a_picture_has_lines_for() -> None:
    images = [np.full((6560, 8, 3), level, np.uint8) for level in range(0, 220, 20)]
    found = JpegEncoder(50).encode(images, [None] * len(images))
    assert found == [encode_jpeg(image, 50) for image in images]


@pytest.mark.parametrize("read", [by_opencv, by_simplejpeg, by_tensorflow])
def test_other_decoders_know_restart_markers(read: Callable[[bytes], np.ndarray]) -> None:
    data = encode_jpeg(pictures()[0], 95, "444")
    assert data.count(b"\xff\xd0") == 2
    assert np.array_equal(read(data), read(by_pillow(pictures()[0], 95, "444")))
