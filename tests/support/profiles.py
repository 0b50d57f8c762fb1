"""Tiny colour profiles (ICC), and the published colour spaces that they are of."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

D50 = (0.9642, 1.0, 0.8249)
_D65 = (0.3127, 0.3290)
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)


@dataclass(frozen=True)
class Space:
    """An RGB space with the white D65. primaries: (x, y) of each. gamma: None for sRGB's curve."""

    primaries: tuple[tuple[float, float], ...]
    gamma: float | None = None

    def linear(self, values: Floats) -> Floats:
        """Light of values, both 0 to 1."""
        if self.gamma is not None:
            return values**self.gamma
        return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)

    @property
    def to_xyz(self) -> Floats:
        """The matrix from light to XYZ, by which (1, 1, 1) is the white."""
        columns = np.array([xyz_of(one) for one in self.primaries]).T
        return columns * np.linalg.solve(columns, xyz_of(_D65))


SRGB = Space(((0.64, 0.33), (0.30, 0.60), (0.15, 0.06)))
"""https://www.w3.org/Graphics/Color/sRGB"""
DISPLAY_P3 = Space(((0.68, 0.32), (0.265, 0.69), (0.15, 0.06)))
"""https://www.color.org/chardata/rgb/DisplayP3.xalter"""
ADOBE_RGB = Space(((0.64, 0.33), (0.21, 0.71), (0.15, 0.06)), 563 / 256)
"""https://www.adobe.com/digitalimag/pdfs/AdobeRGB1998.pdf"""


def xyz_of(chromaticity: Sequence[float]) -> Floats:
    x, y = chromaticity
    return np.array([x / y, 1, (1 - x - y) / y])


def encoded(light: Floats) -> NDArray[np.uint8]:
    """The values of sRGB for light, which is clipped to 0..1."""
    light = np.clip(light, 0, 1)
    values = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.rint(values * 255).astype(np.uint8)


def in_srgb(values: NDArray[np.uint8], space: Space) -> NDArray[np.uint8]:
    """What values [..., 3] of a space are in sRGB, by the matrices of both; no profile is used."""
    light = space.linear(values / 255)
    return encoded(light @ space.to_xyz.T @ np.linalg.inv(SRGB.to_xyz).T)


def rgb_profile(space: Space, version: int = 2) -> bytes:
    """The profile of a space, as cameras and phones write it: three colourants and a curve."""
    white = xyz_of(_D65)
    scale = np.diag((_BRADFORD @ D50) / (_BRADFORD @ white))
    adapted = np.linalg.inv(_BRADFORD) @ scale @ _BRADFORD @ space.to_xyz
    curve = _parametric(space) if version == 4 else _sampled(space)
    tags = {b"wtpt": xyz_tag(D50)}
    for letter, colourant in zip("rgb", adapted.T, strict=True):
        tags[f"{letter}XYZ".encode()] = xyz_tag(colourant)
        tags[f"{letter}TRC".encode()] = curve
    return profile(b"RGB ", tags, version)


def grey_profile(gamma: float) -> bytes:
    curve = struct.pack(">4s4xIHxx", b"curv", 1, round(gamma * 256))
    return profile(b"GRAY", {b"wtpt": xyz_tag(D50), b"kTRC": curve})


def cmyk_profile(inks: Mapping[tuple[int, ...], Sequence[float]]) -> bytes:
    """Of a press. inks: (c, m, y, k), each 0 or 1 -> Lab; paper is white, all others are black."""
    ramp = bytes(range(256))
    colours: dict[tuple[int, ...], Sequence[float]] = {(0, 0, 0, 0): (100, 0, 0), **inks}
    corners = bytearray()
    for corner in itertools.product((0, 1), repeat=4):
        lightness, a, b = colours.get(corner, (0, 0, 0))
        corners += bytes([round(lightness * 2.55), round(a) + 128, round(b) + 128])
    unit = b"".join(map(_fixed, (1, 0, 0, 0, 1, 0, 0, 0, 1)))
    table = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + unit + ramp * 4 + corners + ramp * 3
    tags = {b"wtpt": xyz_tag(D50), b"A2B0": table}
    return profile(b"CMYK", tags, kind=b"prtr", connection=b"Lab ")


def profile(
    space: bytes,
    tags: Mapping[bytes, bytes],
    version: int = 2,
    kind: bytes = b"mntr",
    connection: bytes = b"XYZ ",
) -> bytes:
    """A profile of these tags: https://www.color.org/specification/ICC.1-2022-05.pdf, 7.2."""
    offset, table, content = 132 + 12 * len(tags), b"", b""
    for name, data in tags.items():
        table += name + struct.pack(">II", offset + len(content), len(data))
        content += data + bytes(-len(data) % 4)
    head = struct.pack(">4xI4s4s4s", version << 24, kind, space, connection) + bytes(12)
    head += b"acsp" + bytes(28) + b"".join(map(_fixed, D50)) + bytes(48)
    size = struct.pack(">I", offset + len(content))
    return size + head + struct.pack(">I", len(tags)) + table + content


def xyz_tag(xyz: Sequence[float] | Floats) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(map(_fixed, xyz))


def _fixed(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))


def _sampled(space: Space) -> bytes:
    light = space.linear(np.linspace(0, 1, 1024))
    return struct.pack(">4s4xI", b"curv", 1024) + np.rint(light * 65535).astype(">u2").tobytes()


def _parametric(space: Space) -> bytes:
    if space.gamma is not None:
        return struct.pack(">4s4xHxx", b"para", 0) + _fixed(space.gamma)
    values = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    return struct.pack(">4s4xHxx", b"para", 3) + b"".join(map(_fixed, values))
