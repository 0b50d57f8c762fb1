"""The input that reads photographs: pictures of any sizes and formats, without masks."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from depthmask.codec.members import JPG, JSON, MASK_PNG, PNG
from depthmask.codec.png import encode_png
from depthmask.codec.sample import DepthFormat, Encode, ImageFormat
from depthmask.data import AssetCatalogue, Encoded, Sample, Size
from depthmask.engine.inputs.base import JobInput
from depthmask.engine.inputs.containers import Files
from depthmask.engine.inputs.keys import keys_of
from depthmask.engine.inputs.picture_list import Picture, PictureList, reasons_text
from depthmask.errors import DepthmaskError, UsageError
from depthmask.plan.numbering import Numbering
from depthmask.plan.shares import MILLION
from depthmask.reports.dataset.formatting import counted
from depthmask.stages.source import _colours as colours
from depthmask.stages.source import _images as images
from depthmask.storage.dataset_info import DatasetFacts, Leakage, SplitInfo

_OTHER_BYTES = 1000
"""The JSON and the empty mask of a sample whose picture is copied."""
_SIDES = (8, 8192)
"""The least and the greatest side of an image in a dataset."""


class Photographs(JobInput):
    """Photographs with empty masks, named after their files, upright by EXIF, in sRGB.

    JPEG files are copied, and PNG files if all are PNG; the others are encoded, and so is a file
    that says which side is up, or has the profile of another colour space: few readers heed it.
    """

    contract = None
    shard_size = None
    numbering = Numbering((("train", MILLION),))
    named = True

    def __init__(
        self,
        paths: Sequence[str],
        files: Files,
        listed: PictureList,
        *,
        skip_damaged: bool = False,
        resized: Size | None = None,
        encode: Encode | None = None,
    ) -> None:
        """Choose format and sizes of the images.

        resized: the size of all images; None if they keep theirs. encode: the settings by which all
        images are encoded; None to copy as many files as possible.
        """
        self.paths = tuple(paths)
        self.sha256 = listed.sha256
        self._files, self._listed, self._skip_damaged = files, listed, skip_damaged
        self._resized, self._encodes_all = resized, encode is not None
        self._pictures = listed.pictures
        self._keys = keys_of([one.name for one in self._pictures])
        self.samples = len(self._pictures)
        self.encode = encode or Encode(image=_format_of(self._pictures), depth=DepthFormat.none)
        sizes = sorted({resized} if resized else {one.size for one in self._pictures}, key=_order)
        self.size = sizes[-1]
        self.smallest = sizes[0] if len(sizes) > 1 else None
        self.sample_bytes = self._mean_bytes()

    def adapted(self, size: Size | None, encode: Encode | None) -> JobInput:
        """Photographs of this size; `UsageError` without a size if one is too large or small."""
        if size is None:
            self._check_sides()
        return Photographs(
            self.paths,
            self._files,
            self._listed,
            skip_damaged=self._skip_damaged,
            resized=size,
            encode=encode,
        )

    def read(self, index: int) -> Encoded:
        """The file of a picture as it is, or its pixels encoded, with an empty mask."""
        picture = self._pictures[index]
        data = self._files.read(picture.number)
        if hashlib.sha256(data).hexdigest() != picture.sha256:
            raise DepthmaskError(
                f"{self.name_of(index)}: has changed since the run began; run the command again"
            )
        meta = self._meta(index)
        if not self._is_copied(picture):
            return self._encoded(index, data, meta)
        member = JPG if self.encode.image is ImageFormat.jpeg else PNG
        members = {
            member.name: data,
            MASK_PNG.name: _empty_mask(picture.size),
            JSON.name: orjson.dumps(meta),
        }
        return Encoded(self._keys[index], members, {})

    def dataset_facts(self) -> DatasetFacts:
        """The facts for `dataset.json`: each picture is a background."""
        return {
            "size": self.size,
            "smallest": self.smallest,
            "named": True,
            "variants": 1,
            "splits": {"train": SplitInfo(MILLION, self.samples, self.samples, 0)},
            "leakage": Leakage(assets=0, near_duplicates=0),
            "backgrounds": self.samples,
            "foregrounds": 0,
            "labels": (),
        }

    @property
    def description(self) -> dict[str, Any]:
        """The paths, a hash over the pictures, and how they become images."""
        how = {
            "resized": self._resized is not None,
            "encoded": self._encodes_all,
            "skip_damaged": self._skip_damaged,
        }
        return {**super().description, "photographs": how}

    @property
    def catalogue(self) -> AssetCatalogue:
        """The pictures that are not used."""
        return replace(super().catalogue, left_out=self._listed.left_out)

    @property
    def stem(self) -> str:
        """The name of the folder that all pictures have in common."""
        return self._files.path.name or "photographs"

    @property
    def lines(self) -> Sequence[str]:  # type: ignore[override]
        """Number and sizes of the pictures, the files that are not used, and what is encoded."""
        return list(self._lines())

    def name_of(self, index: int) -> str:
        """The path of a picture."""
        return str(self._files.path / self._pictures[index].name)

    def size_of(self, index: int) -> Size:
        """The size of a picture."""
        return self._resized or self._pictures[index].size

    @property
    def typical_size(self) -> Size:
        """A square with the mean number of pixels."""
        pixels = sum(math.prod(self.size_of(index)) for index in range(self.samples))
        side = max(1, round(math.sqrt(pixels / self.samples)))
        return side, side

    def _lines(self) -> Iterator[str]:
        sizes = [self.smallest, self.size] if self.smallest else [self.size]
        text = " to ".join(f"{height}x{width}" for height, width in sizes)
        nested = any("/" in one.name for one in self._pictures)
        below = " and the folders below" if nested else ""
        made = " (resized)" if self._resized else ""
        photographs = counted(self.samples, "photograph")
        yield f"input     {photographs} of {text}{made} in {self.place}{below}"
        if unused := self._listed.unused:
            yield f"not used  {counted(sum(unused.values()), 'file')}: {reasons_text(unused)}"
        changes = Counter(self._change(one) for one in self._pictures if not self._is_copied(one))
        if changes:
            encoded = sum(changes.values())
            others = "; the others are copied" if encoded < self.samples else ""
            pictures, form = counted(encoded, "picture"), self.encode.image.name
            yield f"encoded   {pictures} as {form}: {reasons_text(changes)}{others}"

    def _is_copied(self, picture: Picture) -> bool:
        is_of_format = picture.kind.lower() == self.encode.image.name
        return is_of_format and not (picture.change or self._resized or self._encodes_all)

    def _change(self, picture: Picture) -> str:
        """Why a picture is not copied."""
        return "resized" if self._resized else picture.change or picture.kind

    def _encoded(self, index: int, data: bytes, meta: dict[str, Any]) -> Encoded:
        picture = images.load(Path(self.name_of(index)), data)
        size = self._resized or (picture.height, picture.width)
        sample = Sample(
            key=self._keys[index],
            image=colours.resize_picture(picture, size),
            mask=np.zeros(size, np.uint8),
            instances=None,
            depth=None,
            meta=meta,
        )
        return replace(self.encode.encode(sample), arrays={})

    def _meta(self, index: int) -> dict[str, Any]:
        key = self._keys[index]
        return {
            "key": key,
            "index": index,
            "split": "train",
            "size": list(self.size_of(index)),
            "background": key,
            "layers": [],
            "file": self._pictures[index].name,
        }

    def _mean_bytes(self) -> int:
        """The mean bytes of the members of a sample."""
        total = 0
        for picture in self._pictures:
            size = self._resized or picture.size
            expected = self.encode.expected(size, None).bytes
            total += picture.bytes + _OTHER_BYTES if self._is_copied(picture) else expected
        return -(-total // self.samples)

    def _check_sides(self) -> None:
        """Raise `UsageError` unless every image can be one of a dataset."""
        for picture in self._pictures:
            height, width = picture.size
            if min(picture.size) < _SIDES[0] or max(picture.size) > _SIDES[1]:
                raise UsageError(
                    f"{self._files.path / picture.name}: {height}x{width} pixels, and the sides of "
                    f"an image are {_SIDES[0]} to {_SIDES[1]:,}; size=[H,W] resizes all pictures"
                )


def _format_of(pictures: Sequence[Picture]) -> ImageFormat:
    """PNG if all pictures are PNG; otherwise JPEG."""
    is_png = all(picture.kind == "PNG" for picture in pictures)
    return ImageFormat.png if is_png else ImageFormat.jpeg


def _order(size: Size) -> tuple[int, int, int]:
    return (size[0] * size[1], *size)


@lru_cache(maxsize=16)
def _empty_mask(size: Size) -> bytes:
    return encode_png(np.zeros(size, np.uint8))
