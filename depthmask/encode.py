"""The encode block, shared by all writers: a sample as named bytes, and back."""

from __future__ import annotations

import io
import json
from enum import Enum
from typing import Any

import numpy as np
import simplejpeg
from PIL import Image

from depthmask.data import DepthContract, DepthKind, Encoded, Float32, Sample, Size, UInt8, UInt16
from depthmask.errors import DepthmaskError, SettingError
from depthmask.formats.npz import encode_npz
from depthmask.formats.png import encode_png
from depthmask.stage import setting, settings

_LARGEST_FLOAT16 = float(np.finfo(np.float16).max)
MILLIMETRES = 1000
"""Steps of a 16-bit depth PNG in a metre; the value 0 is invalid."""

# Bytes per pixel of 60 composites of the reference photographs at 160x160, 4:2:0.
_JPEG_QUALITIES = (1, 50, 75, 85, 90, 95, 100)
_JPEG_BYTES = (0.03, 0.12, 0.17, 0.22, 0.29, 0.38, 0.62)
_PNG_BYTES = 1.42
_MASK_BYTES = 0.08
_OTHER_BYTES = 3000
"""JSON, and the headers and padding of four members."""


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


class DepthFormat(Enum):
    """How depth maps are stored."""

    png16 = "png16"
    npz = "npz"
    npz16 = "npz16"
    none = "none"


@settings
class Encode:
    """How samples become bytes.

    JPEG by libjpeg-turbo, PNG lossless. Depth as 16-bit PNG in millimetres (0 invalid, rounded by
    half a millimetre at most), or as npz with one array `depth`, float32 (exact) or float16
    (npz16, rounded by 1/2048 at most: 4 mm at 8 m).
    """

    image: ImageFormat = setting(ImageFormat.jpeg, help="format of the composite")
    quality: int = setting(95, ge=1, le=100, help="JPEG quality, of image and mask")
    subsampling: str = setting("420", help="JPEG chroma: 444, 422 or 420")
    mask: MaskFormat = setting(MaskFormat.png, help="format of the mask; png is lossless")
    instances: InstancesFormat = setting(InstancesFormat.none, help="format of the instance map")
    depth: DepthFormat = setting(DepthFormat.png16, help="format of the depth map")

    def __post_init__(self) -> None:
        if self.subsampling not in ("444", "422", "420"):
            raise SettingError("subsampling", self.subsampling, "must be 444, 422 or 420")

    def encode(self, sample: Sample) -> Encoded:
        """The members of a sample: `jpg` or `png`, `mask.png`, `depth.png`, `json` and so on."""
        arrays: dict[str, Any] = {"image": sample.image, "mask": sample.mask}
        members = {self._image_member: self._encode_image(sample.image)}
        if self.mask is MaskFormat.jpeg:
            members["mask.jpg"] = _grey_jpeg(sample.mask, self.quality)
        else:
            members["mask.png"] = encode_png(sample.mask)
        if self.instances is InstancesFormat.png and sample.instances is not None:
            members["instances.png"] = encode_png(sample.instances)
        if sample.depth is not None and self.depth is not DepthFormat.none:
            depth = sample.depth
            if self.depth is DepthFormat.npz16:
                depth = depth.astype(np.float16)
            arrays["depth"] = depth
            if self.depth is DepthFormat.png16:
                members["depth.png"] = encode_png(to_millimetres(depth))
            else:
                members["depth.npz"] = encode_npz({"depth": depth})
        members["json"] = json.dumps(sample.meta, separators=(",", ":")).encode()
        return Encoded(sample.key, members, arrays)

    def check(self, contract: DepthContract | None) -> None:
        """Raise for a depth format that cannot hold what the contract promises."""
        if contract is None:
            return
        if self.depth is DepthFormat.npz16 and contract.far > _LARGEST_FLOAT16:
            raise SettingError("encode.depth", "npz16", f"holds values up to {_LARGEST_FLOAT16:g}")
        if self.depth is not DepthFormat.png16:
            return
        if contract.kind is not DepthKind.metric_z or contract.far * MILLIMETRES > 0xFFFF:
            raise SettingError(
                "encode.depth",
                "png16",
                f"holds metres up to 65.535, and {contract.estimator} gives {contract.kind.name} "
                f"up to {contract.far:g} {contract.unit}; choose encode.depth=npz",
            )

    def bytes_per_sample(self, size: Size, depth: Size | None) -> int:
        """About how many bytes a sample takes, from the means of the reference photographs."""
        jpeg = float(np.interp(self.quality, _JPEG_QUALITIES, _JPEG_BYTES))
        image = _PNG_BYTES if self.image is ImageFormat.png else jpeg
        total = size[0] * size[1] * (image + _MASK_BYTES) + _OTHER_BYTES
        if depth is not None:
            total += depth[0] * depth[1] * _DEPTH_BYTES[self.depth]
        return int(total)

    @property
    def _image_member(self) -> str:
        return "jpg" if self.image is ImageFormat.jpeg else "png"

    def _encode_image(self, image: UInt8) -> bytes:
        if self.image is ImageFormat.png:
            return encode_png(image)
        return simplejpeg.encode_jpeg(
            image, quality=self.quality, colorsubsampling=self.subsampling, fastdct=False
        )


def decode(encoded: Encoded) -> Sample:
    """The sample behind its members, or behind its arrays where a writer kept those."""
    members, arrays = encoded.members, encoded.arrays
    image = arrays.get("image")
    if image is None:
        image = _decode_image(members.get("jpg") or members["png"], "RGB")
    mask = arrays.get("mask")
    if mask is None:
        mask = _decode_image(members.get("mask.png") or members["mask.jpg"], "L")
    instances = members.get("instances.png")
    return Sample(
        key=encoded.key,
        image=image,
        mask=mask,
        instances=None if instances is None else np.array(_open(instances)),
        depth=_decode_depth(encoded),
        meta=json.loads(members["json"]),
    )


def _decode_depth(encoded: Encoded) -> Float32 | None:
    if "depth" in encoded.arrays:
        return np.asarray(encoded.arrays["depth"], np.float32)
    if "depth.png" in encoded.members:
        return from_millimetres(np.asarray(_open(encoded.members["depth.png"])))
    if "depth.npz" in encoded.members:
        with np.load(io.BytesIO(encoded.members["depth.npz"]), allow_pickle=False) as arrays:
            return np.asarray(arrays["depth"], np.float32)
    return None


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


_DEPTH_BYTES = {
    DepthFormat.png16: 0.87,
    DepthFormat.npz: 1.9,
    DepthFormat.npz16: 1.0,
    DepthFormat.none: 0.0,
}


def _grey_jpeg(mask: UInt8, quality: int) -> bytes:
    return simplejpeg.encode_jpeg(
        mask[..., None], quality=quality, colorspace="GRAY", colorsubsampling="Gray", fastdct=False
    )


def _open(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data), formats=["PNG", "JPEG"])


def _decode_image(data: bytes, mode: str) -> UInt8:
    if data[:2] == b"\xff\xd8":
        grey = mode == "L"
        pixels = simplejpeg.decode_jpeg(data, colorspace="GRAY" if grey else "RGB")
        return pixels[..., 0] if grey else pixels
    # A copy: what Pillow gives away by reference cannot be written to, and PyTorch warns.
    return np.array(_open(data).convert(mode))
