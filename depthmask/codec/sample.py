"""The settings under `encode`; encodes samples to members, and decodes them."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import repeat
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from depthmask.caching import CACHE_BYTES
from depthmask.codec.density import PHOTOGRAPHS, Densities, optimized
from depthmask.codec.jpeg import SUBSAMPLINGS, JpegEncoder, KeptFiles, encode_jpeg
from depthmask.codec.labels import LabelOutput, decode_labels, encode_label
from depthmask.codec.members import (
    DEPTH_ARRAYS,
    DEPTH_NPZ,
    DEPTH_PNG,
    JPG,
    JSON,
    MASK_JPG,
    MASK_PNG,
    PNG,
    Member,
    in_order,
    names_of,
)
from depthmask.codec.npz import encode_npz, read_npz
from depthmask.codec.pictures import MOST_PIXELS, decode_grey, decode_image
from depthmask.codec.planes import from_planes, to_planes
from depthmask.codec.png import encode_png
from depthmask.data import DepthContract, DepthKind, Encoded, Float32, Sample, Size, UInt8, UInt16
from depthmask.errors import DepthmaskError, SettingError
from depthmask.stage import setting, settings
from depthmask.untrusted import untrusted

_LARGEST_FLOAT16 = float(np.finfo(np.float16).max)
MILLIMETRES = 1000
"""Steps of a 16-bit depth PNG in a metre; the value 0 is invalid."""

_PICTURES = {field: names_of(field) for field in ("image", "mask")}

_JSON_BYTES = 250
"""The description of a sample with one object."""
_PHOTOGRAPHS = (PHOTOGRAPHS, PHOTOGRAPHS)


class ImageFormat(Enum):
    """How composites are stored."""

    jpeg = "jpeg"
    png = "png"


class MaskFormat(Enum):
    """How masks are stored."""

    png = "png"
    jpeg = "jpeg"


class InstancesFormat(Enum):
    """How instance maps are stored."""

    none = "none"
    png = "png"


class LayerLabels(Enum):
    """What the JSON says about each layer beside its box."""

    none = "none"
    coco = "coco"


class DepthFormat(Enum):
    """How depth maps are stored."""

    png16 = "png16"
    npz = "npz"
    npz16 = "npz16"
    compact = "compact"
    none = "none"


@dataclass(frozen=True, slots=True)
class SizeEstimate:
    """The estimated size of an encoded sample.

    members: the number of members. bytes: the size of all members together. arrays: the size of
    each array in bytes.
    """

    members: int
    bytes: int
    arrays: dict[str, int]


@settings
class Encode:
    """How samples become bytes.

    JPEG by libjpeg-turbo, PNG lossless. Depth as 16-bit PNG in millimetres (0 invalid, rounded by
    half a millimetre at most), or npz with one array: `depth`, float32 (exact) or float16 (npz16,
    rounded by 1/2048 at most: 4 mm at 8 m), or `depth_planes`, the same millimetres in a quarter of
    the bytes of float32 (compact; `depthmask.codec.planes` says how to read it).
    """

    image: ImageFormat = setting(ImageFormat.jpeg, help="format of the composite")
    quality: int = setting(95, ge=1, le=100, help="JPEG quality, of image and mask")
    subsampling: str = setting("420", help="chroma subsampling of JPEG: 444, 422 or 420")
    optimize: bool = setting(
        False, help="JPEG files a sixth smaller, in three times the time; the pixels are the same"
    )
    mask: MaskFormat = setting(MaskFormat.png, help="format of the mask; png is lossless")
    instances: InstancesFormat = setting(
        InstancesFormat.none, help="format of the instance map; png is short for labels=[instances]"
    )
    depth: DepthFormat = setting(DepthFormat.png16, help="format of the depth map")
    labels: LayerLabels = setting(
        LayerLabels.none, help="labels of each object; coco is short for labels=[coco]"
    )

    def __post_init__(self) -> None:
        if self.subsampling not in SUBSAMPLINGS:
            raise SettingError(
                "subsampling", self.subsampling, f"must be one of {', '.join(SUBSAMPLINGS)}"
            )

    def encode(self, sample: Sample, labels: Sequence[LabelOutput] = ()) -> Encoded:
        """The members of a sample: `jpg` or `png`, `mask.png`, `depth.png`, `json` and so on.

        labels: those labels of the sample that become members.
        """
        # For one picture, to code its background as well would be in vain.
        alone = replace(sample, strip_source=None)
        (encoded,) = Encoder(self, labels).encode([alone])
        return encoded

    def encode_around(
        self, sample: Sample, image: bytes, labels: Sequence[LabelOutput] = ()
    ) -> Encoded:
        """The members of a sample whose image is already encoded."""
        arrays: dict[str, Any] = {"image": sample.image, "mask": sample.mask}
        members = {self._image_member.name: image}
        if self.mask is MaskFormat.jpeg:
            members[MASK_JPG.name] = encode_jpeg(sample.mask, self.quality, optimize=self.optimize)
        else:
            members[MASK_PNG.name] = encode_png(sample.mask)
        if sample.depth is not None and self.depth is not DepthFormat.none:
            member, arrays_of_depth = self._encode_depth(sample.depth)
            members.update(member)
            arrays.update(arrays_of_depth)
        members[JSON.name] = orjson.dumps(sample.meta, option=orjson.OPT_SERIALIZE_NUMPY)
        if labels:
            for output in labels:
                if output.member is not None:
                    members[output.member] = encode_label(output, sample.labels[output.name])
            members = in_order(members)
        return Encoded(sample.key, members, arrays)

    def check(self, contract: DepthContract | None) -> None:
        """Raise `SettingError` for a depth format that cannot hold the values of the contract."""
        if contract is None:
            return
        if self.depth is DepthFormat.npz16 and contract.far > _LARGEST_FLOAT16:
            raise SettingError("encode.depth", "npz16", f"holds values up to {_LARGEST_FLOAT16:g}")
        if self.depth not in (DepthFormat.png16, DepthFormat.compact):
            return
        if contract.kind is not DepthKind.metric_z or contract.far * MILLIMETRES > 0xFFFF:
            raise SettingError(
                "encode.depth",
                self.depth.name,
                f"holds metres up to 65.535, and {contract.estimator} gives {contract.kind.name} "
                f"up to {contract.far:g} {contract.unit}; choose encode.depth=npz",
            )

    def expected(
        self, size: Size, depth: Size | None, densities: tuple[Densities, Densities] = _PHOTOGRAPHS
    ) -> SizeEstimate:
        """The estimate for a sample, from the sizes of canvas and depth map.

        densities: of images and masks, and of depth maps.
        """
        arrays = {"image": 3 * size[0] * size[1], "mask": size[0] * size[1]}
        members = ["image", "mask", "json"]
        if depth is not None and self.depth is not DepthFormat.none:
            members.append("depth")
            small = self.depth in (DepthFormat.npz16, DepthFormat.compact)
            arrays["depth"] = depth[0] * depth[1] * (2 if small else 4)
        pictures, depths = densities
        total = self._picture_bytes(size, pictures) + self.depth_bytes(depth, depths)
        return SizeEstimate(len(members), int(total + _JSON_BYTES), arrays)

    def depth_bytes(self, depth: Size | None, densities: Densities = PHOTOGRAPHS) -> float:
        """The estimated bytes of a depth map of this size."""
        if depth is None or self.depth is DepthFormat.none:
            return 0.0
        return densities.depth_bytes(self.depth.name, depth[0] * depth[1])

    def _picture_bytes(self, size: Size, densities: Densities) -> float:
        """The estimated bytes of image and mask."""
        pixels = size[0] * size[1]
        image = densities.image_bytes(self.image.name, pixels, self.quality, self.subsampling)
        if self.image is ImageFormat.jpeg and self.optimize:
            image = optimized(image)
        return image + densities.mask_bytes(self.mask.name, pixels)

    @property
    def _image_member(self) -> Member:
        return JPG if self.image is ImageFormat.jpeg else PNG

    def _encode_depth(self, depth: Float32) -> tuple[dict[str, bytes], dict[str, Any]]:
        """The depth map as a member, and as an array."""
        if self.depth is DepthFormat.png16:
            return {DEPTH_PNG.name: encode_png(to_millimetres(depth))}, {"depth": depth}
        if self.depth is DepthFormat.compact:
            array: dict[str, Any] = {"depth_planes": to_planes(to_millimetres(depth))}
        else:
            array = {"depth": depth.astype("f2" if self.depth is DepthFormat.npz16 else "f4")}
        return {DEPTH_NPZ.name: encode_npz(array)}, array


class Encoder:
    """Encodes many samples with images of one size, to the same bytes as `Encode.encode`."""

    def __init__(
        self,
        settings: Encode,
        labels: Sequence[LabelOutput] = (),
        kept: KeptFiles | None = None,
        most_bytes: int = CACHE_BYTES,
    ) -> None:
        """labels: those labels of the samples that become members.

        kept: has coded backgrounds. most_bytes: of memory for them.
        """
        self._settings = settings
        self._labels = labels
        self._jpeg = JpegEncoder(
            settings.quality,
            settings.subsampling,
            optimize=settings.optimize,
            kept=kept,
            most_bytes=most_bytes,
        )

    def encode(self, samples: Sequence[Sample]) -> Iterator[Encoded]:
        """The encoded samples, in order."""
        pictures = [sample.image for sample in samples]
        if self._settings.image is ImageFormat.png:
            images: Iterable[bytes] = map(encode_png, pictures)
        else:
            images = self._jpeg.encode(pictures, [sample.strip_source for sample in samples])
        return map(self._settings.encode_around, samples, images, repeat(self._labels))


def decode(encoded: Encoded, most_pixels: int = MOST_PIXELS) -> Sample:
    """Decode a sample from its members, or take its arrays where a writer stored those.

    most_pixels: the most pixels that a picture may have. Raises `DepthmaskError`, which names the
    member, if one has more or cannot be decoded.
    """
    with untrusted(encoded.key):
        image = _picture(encoded, "image", "RGB", most_pixels)
        mask = _picture(encoded, "mask", "L", most_pixels)
        if mask.shape != image.shape[:2]:
            raise DepthmaskError(f"a mask of {mask.shape} for an image of {image.shape}")
        labels = decode_labels(encoded)
        return Sample(
            key=encoded.key,
            image=image,
            mask=mask,
            instances=labels.get("instances"),
            depth=_decode_depth(encoded, most_pixels),
            meta=_meta(encoded),
            labels=labels,
        )


def _picture(encoded: Encoded, field: str, mode: str, most_pixels: int) -> UInt8:
    """The array of this name, or the first member that carries it, decoded to `mode`."""
    pixels = encoded.arrays.get(field)
    if pixels is not None:
        if pixels.dtype != np.uint8 or pixels.ndim != (3 if mode == "RGB" else 2):
            raise DepthmaskError(f"{field}: {pixels.dtype} {pixels.shape} is not a picture")
        return pixels
    names = _PICTURES[field]
    name = next((name for name in names if name in encoded.members), None)
    if name is None:
        raise DepthmaskError(f"no {' and no '.join(names)}")
    with untrusted(name):
        return decode_image(encoded.members[name], mode, most_pixels)


def _decode_depth(encoded: Encoded, most_pixels: int) -> Float32 | None:
    """The depth map of a sample, from its arrays or else from its member; None without one."""
    members, arrays = encoded.members, encoded.arrays
    if DEPTH_PNG.name in members and "depth" not in arrays:
        with untrusted(DEPTH_PNG.name):
            return from_millimetres(
                decode_grey(members[DEPTH_PNG.name], most_pixels).astype(np.uint16)
            )
    if DEPTH_NPZ.name in members and DEPTH_ARRAYS.isdisjoint(arrays):
        data = members[DEPTH_NPZ.name]
        with untrusted(DEPTH_NPZ.name):
            arrays = read_npz(io.BytesIO(data), len(data))
    if "depth_planes" in arrays:
        return _unfolded(arrays["depth_planes"])
    depth = arrays.get("depth")
    if depth is not None and depth.ndim != 2:
        raise DepthmaskError(f"a depth map of {depth.shape}")
    return None if depth is None else np.asarray(depth, np.float32)


def _unfolded(planes: NDArray[Any]) -> Float32:
    """The depth map of `depth_planes`; `DepthmaskError` for an array of another kind."""
    if planes.dtype != np.uint8 or planes.ndim != 3 or len(planes) != 2:
        raise DepthmaskError(f"depth_planes: {planes.dtype} {planes.shape}")
    return from_millimetres(from_planes(planes))


def _meta(encoded: Encoded) -> dict[str, Any]:
    with untrusted(JSON.name):
        meta = orjson.loads(encoded.members[JSON.name])
        if not isinstance(meta, dict):
            raise DepthmaskError("not the description of a sample")
        return meta


def to_millimetres(depth_m: Float32) -> UInt16:
    """Metres -> uint16 millimetres, rounded; invalid stays 0."""
    millimetres = np.rint(depth_m * np.float32(MILLIMETRES))
    if not (millimetres.min() >= 0 and millimetres.max() <= 0xFFFF):
        raise DepthmaskError(
            f"depth {depth_m.min():g}..{depth_m.max():g} m does not fit 16-bit millimetres"
        )
    return millimetres.astype(np.uint16)


def from_millimetres(millimetres: UInt16) -> Float32:
    """uint16 millimetres -> float32 metres."""
    return (millimetres / np.float32(MILLIMETRES)).astype(np.float32)
