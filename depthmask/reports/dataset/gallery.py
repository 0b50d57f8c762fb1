"""The gallery of the report: samples as small pictures, with depth as numbers."""

from __future__ import annotations

import base64
import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import deflate
import numpy as np
from numpy.typing import NDArray

from depthmask.codec.jpeg import encode_jpeg
from depthmask.codec.members import JPG
from depthmask.codec.planes import to_planes
from depthmask.codec.png import encode_png
from depthmask.codec.sample import MILLIMETRES
from depthmask.data import DepthContract, DepthKind, Encoded, Float32, Sample
from depthmask.reports.dataset.label_pictures import label_pictures

MOST_CARDS = 480
MOST_BYTES = 12 << 20
"""The most bytes of all pictures together, as encoded in the page."""
_IMAGE_SIDE = 256
_DEPTH_SIDE = 192
"""The most pixels of the longer side."""
_QUALITY = 85
_MOST_STEPS = 0xFFFF
# The golden section, in 64 bits.
_GOLDEN = 0x9E3779B97F4A7C15


@dataclass(frozen=True, slots=True)
class DepthPicture:
    """A depth map for the script of the page.

    planes: `to_planes` of the depth in whole steps (0: invalid), zlib-compressed, in base64.
    """

    height: int
    width: int
    planes: str


@dataclass(frozen=True, slots=True)
class Card:
    """One sample of the gallery.

    image, mask: `data:` URIs. area: the share of the image that the mask covers.
    label_pictures: name -> `data:` URI of those labels that are pictures or maps.
    """

    number: int
    split: str
    meta: dict[str, Any]
    height: int
    width: int
    area: float
    image: str
    mask: str
    depth: DepthPicture | None
    label_pictures: Mapping[str, str]

    @property
    def bytes(self) -> int:
        """The bytes that its pictures take in the page."""
        pictures = [self.image, self.mask, *self.label_pictures.values()]
        return sum(map(len, pictures)) + (len(self.depth.planes) if self.depth else 0)

    @property
    def background(self) -> str:
        """The key of the background, empty if the description has none."""
        return str(self.meta.get("background", ""))

    @property
    def blend(self) -> str:
        """The name of the blend; empty unless the samples of a scene differ in it."""
        return str(self.meta.get("blend", ""))

    @property
    def foregrounds(self) -> list[str]:
        """The keys of the foregrounds, each once."""
        keys = (layer.get("foreground") for layer in self.meta.get("layers", ()))
        return list(dict.fromkeys(str(key) for key in keys if key is not None))

    @property
    def labels(self) -> list[str]:
        """The labels of the foregrounds and of the instances of the background, each once."""
        labels = (layer.get("label") for layer in [*self.meta.get("layers", ()), *self._own])
        return list(dict.fromkeys(str(label) for label in labels if label))

    def layers(self, *, labels: bool) -> list[str]:
        """A short description of each layer. labels: whether to add the label of the foreground.

        The last one counts the instances of the background by their labels.
        """
        texts = [_layer_text(layer, labels=labels) for layer in self.meta.get("layers", ())]
        counts = Counter(str(one.get("label", "")) for one in self._own)
        own = ", ".join(f"{count} {label}" for label, count in sorted(counts.items()))
        return [*texts, f"on the background: {own}"] if own else texts

    @property
    def _own(self) -> Sequence[Mapping[str, Any]]:
        """The descriptions of the instances of the background."""
        return self.meta.get("background_instances", ())


def evenly_spaced(count: int, most: int) -> list[int]:
    """Up to `most` different numbers below `count`; the first n are evenly spaced for every n.

    Steps of the golden section avoid periods in the data, such as every tenth sample being flipped.
    See Knuth, The Art of Computer Programming 3, 6.4.
    """
    length = min(count, most)
    golden = ((step * _GOLDEN % (1 << 64)) * count >> 64 for step in range(4 * length))
    return list(itertools.islice(dict.fromkeys(itertools.chain(golden, range(count))), length))


def cards_within(cards: Sequence[Card], most_bytes: int = MOST_BYTES) -> list[Card]:
    """The first cards that fit into `most_bytes`, at least one, sorted by number."""
    sizes = itertools.accumulate(card.bytes for card in cards)
    kept = [card for card, size in zip(cards, sizes, strict=True) if size <= most_bytes]
    return sorted(kept or cards[:1], key=lambda card: card.number)


def card(
    number: int, split: str, encoded: Encoded, sample: Sample, contract: DepthContract | None
) -> Card:
    """The card of a sample; a small JPEG is used as it is stored."""
    image, mask = _resized(sample.image, _IMAGE_SIDE), _resized(sample.mask, _IMAGE_SIDE)
    jpeg = encoded.members.get(JPG.name)
    if jpeg is None or image is not sample.image:
        jpeg = encode_jpeg(image, _QUALITY)
    depth = None
    if sample.depth is not None and contract is not None:
        depth = _depth_picture(sample.depth, steps_per_unit(contract))
    return Card(
        number=number,
        split=split,
        meta=sample.meta,
        height=image.shape[0],
        width=image.shape[1],
        area=float(sample.mask.mean() / 255),
        image=data_uri("jpeg", jpeg),
        mask=data_uri("png", encode_png(mask)),
        depth=depth,
        label_pictures={
            name: data_uri("png", encode_png(_thinned(picture)))
            for name, picture in label_pictures(sample)
        },
    )


def steps_per_unit(contract: DepthContract) -> float:
    """The steps of a `DepthPicture` in a unit of depth: 1000 in a metre, fewer for a far range."""
    most = _MOST_STEPS / contract.far
    return min(MILLIMETRES, most) if contract.kind is DepthKind.metric_z else most


def _layer_text(layer: Mapping[str, Any], *, labels: bool) -> str:
    words = [str(layer.get("foreground", "foreground"))]
    if labels and (label := layer.get("label")):
        words.append(f"({label})")
    if (visible := layer.get("visible")) is not None:
        words.append(f"{visible:.0%} visible")
    if (depth_m := layer.get("depth_m")) is not None:
        words.append(f"at {depth_m:.2f} m")
    return " ".join(words)


def data_uri(kind: str, data: bytes) -> str:
    """The bytes of a picture as a `data:` URI."""
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def _resized(picture: NDArray[np.uint8], most: int) -> NDArray[np.uint8]:
    """The picture, made smaller if its longer side has more than `most` pixels."""
    import cv2

    height, width = picture.shape[:2]
    scale = most / max(height, width)
    if scale >= 1:
        return picture
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _thinned(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture; of a large one only every k-th pixel, since labels have no means."""
    height, width = picture.shape[:2]
    stride = -(-max(height, width) // _IMAGE_SIDE)
    return picture[_every(stride, height), _every(stride, width)]


def _every(stride: int, side: int) -> slice:
    """Every k-th pixel of a side, from the middle of the first k; at least one."""
    return slice(min(stride, side) // 2, None, stride)


def _depth_picture(depth: Float32, per_unit: float) -> DepthPicture:
    """The map; of a large one only every k-th pixel, since a mean of near and far is no depth."""
    height, width = depth.shape
    stride = -(-max(height, width) // _DEPTH_SIDE)
    picked = depth[_every(stride, height), _every(stride, width)]
    steps = np.clip(np.rint(np.nan_to_num(picked) * per_unit), 0, _MOST_STEPS).astype(np.uint16)
    packed = deflate.zlib_compress(to_planes(steps).tobytes(), 6)
    height, width = steps.shape
    return DepthPicture(height, width, base64.b64encode(packed).decode())
