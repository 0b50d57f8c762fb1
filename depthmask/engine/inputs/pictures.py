"""The input that reads DepthMaskDataset's files: pictures with masks and tables of boxes."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import simplejpeg

from depthmask.codec.jpeg import encode_jpeg
from depthmask.codec.members import JPG, JSON, MASK_JPG, MASK_PNG, PNG
from depthmask.codec.png import encode_png
from depthmask.codec.sample import DepthFormat, Encode, ImageFormat, MaskFormat
from depthmask.data import Encoded, Size, sample_key
from depthmask.engine.inputs.base import JobInput
from depthmask.engine.inputs.containers import Files
from depthmask.errors import DepthmaskError, UsageError
from depthmask.plan.numbering import Numbering
from depthmask.plan.shares import MILLION
from depthmask.stages.source import _colours as colours
from depthmask.stages.source import _images as images
from depthmask.stages.source._hidden import is_hidden
from depthmask.storage.dataset_info import DatasetFacts, Leakage, SplitInfo
from depthmask.untrusted import accents_alike, untrusted

_PICTURE = re.compile(r"\.(jpe?g|png)$", re.IGNORECASE)
_COMPOSITE = re.compile(r"(?:^|/)fg_bg/([^/]+)/([^/]+)$")
_MASK = re.compile(r"(?:^|/)fg_bg_mask/([^/]+)/([^/]+)$")
_BOX_TABLE = re.compile(r"(?:^|/)labels/[^/]*label[^/]*\.txt$")
_NUMBER = re.compile(r"(\d+)\.\w+$")
_ORIGINAL_BATCH = 4000
"""The samples in each depth file of DepthMaskDataset."""
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_BITS_AT = 24
"""Where a PNG has the bits of a channel, and the kind of its colours after that."""
_PNG_WITHOUT_ALPHA = (0, 2)
"""Grey and RGB."""
_NO_BOX = np.iinfo(np.int32).min


class PictureInput(JobInput):
    """Images of one size with masks, and with boxes if the files contain them."""

    contract = None
    reads_all_files = True
    numbering = Numbering((("train", MILLION),))

    def __init__(self, paths: Sequence[str], files: Files) -> None:
        self.paths = tuple(paths)
        self.sha256 = files.sha256
        self._files = files
        self._images, self._masks = _pairs(files.names)
        self.samples = len(self._images)
        self.shard_size = _ORIGINAL_BATCH
        self._boxes = self._read_boxes()
        first = self._files.read(self._images[0])
        self.size = _size_of(first, files.names[self._images[0]])
        self._image_member = PNG if _is_png(first) else JPG
        mask = self._files.read(self._masks[0])
        self._mask_member = MASK_PNG if _is_png(mask) else MASK_JPG
        self.sample_bytes = 200 + len(first) + len(mask)
        self.encode = Encode(
            image=ImageFormat.jpeg if self._image_member is JPG else ImageFormat.png,
            mask=MaskFormat.jpeg if self._mask_member is MASK_JPG else MaskFormat.png,
            depth=DepthFormat.none,
        )

    def read(self, index: int) -> Encoded:
        """The files, unchanged but for pictures of another colour space than sRGB."""
        name = self._files.names[self._images[index]]
        image, mask = (self._files.read(one[index]) for one in (self._images, self._masks))
        with untrusted(self._files.names[self._masks[index]]):
            _require_upright(mask)
            _require_grey(mask)
        with untrusted(name):
            _require_upright(image)
            size, member = _size_of(image, name), PNG if _is_png(image) else JPG
            if (size, member) != (self.size, self._image_member):
                raise DepthmaskError(
                    f"a {member.name} of {_size_text(size)}; the first picture is a "
                    f"{self._image_member.name} of {_size_text(self.size)}, and all pictures of a "
                    "dataset must have one format and one size"
                )
            if colours.is_file_converted(image):
                image = self._in_srgb(image, name)
        members = {
            self._image_member.name: image,
            self._mask_member.name: mask,
            JSON.name: orjson.dumps(self._meta(index, name)),
        }
        return Encoded(sample_key(index), members, {})

    def dataset_facts(self) -> DatasetFacts:
        """The facts for `dataset.json`, from the names of the files."""
        names = [self._asset_keys(self._files.names[number]) for number in self._images]
        backgrounds = len({background for background, _ in names})
        foregrounds = len({foreground for _, foreground in names if foreground})
        return {
            "size": self.size,
            "variants": 1,
            "splits": {"train": SplitInfo(MILLION, self.samples, backgrounds, foregrounds)},
            "leakage": Leakage(assets=0, near_duplicates=0),
            "backgrounds": backgrounds,
            "foregrounds": foregrounds,
            "labels": (),
        }

    def _meta(self, index: int, name: str) -> dict[str, Any]:
        background, foreground = self._asset_keys(name)
        layer: dict[str, Any] = {"foreground": foreground, "label": foreground}
        left, top, width, height = self._boxes[index].tolist()
        if left != _NO_BOX:
            layer["box"] = [top, left, height, width]
        return {
            "key": sample_key(index),
            "index": index,
            "split": "train",
            "size": list(self.size),
            "background": background,
            "layers": [layer] if foreground else [],
            "file": name,
        }

    def _in_srgb(self, image: bytes, name: str) -> bytes:
        """An image encoded again in sRGB: few readers of datasets heed the profile of a file."""
        pixels = np.asarray(images.to_rgb(colours.load_picture(Path(name), image)))
        if self._image_member is PNG:
            return encode_png(pixels)
        return encode_jpeg(pixels, self.encode.quality, self.encode.subsampling)

    def _asset_keys(self, name: str) -> tuple[str, str]:
        """(background, foreground) of `fg_bg/bg001/bg001_fg001_000001.jpg`."""
        match = _COMPOSITE.search(name)
        assert match is not None, "it is in fg_bg/"
        background, file = match.groups()
        return background, file.removeprefix(f"{background}_").rpartition("_")[0]

    def _read_boxes(self) -> Any:
        """int32 [samples, 4]: x, y, width and height of each box; `_NO_BOX` if it is unknown."""
        boxes = np.full((self.samples, 4), _NO_BOX, np.int32)
        tables = [
            number for number, name in enumerate(self._files.names) if _BOX_TABLE.search(name)
        ]
        if not tables:
            return boxes
        row_of = {
            _last_two_parts(self._files.names[number]): row
            for row, number in enumerate(self._images)
        }
        for number in tables:
            with untrusted(self._files.names[number]):
                for image, box in _table_rows(self._files.read(number)):
                    if (row := row_of.get(_last_two_parts(image))) is not None:
                        boxes[row] = box
        return boxes


def has_pairs(names: Sequence[str]) -> bool:
    """Whether files are those of DepthMaskDataset: pictures in `fg_bg/`, masks in `fg_bg_mask/`."""
    pictures = [name for name in names if _is_picture(name)]
    return any(map(_COMPOSITE.search, pictures)) and any(map(_MASK.search, pictures))


def _is_picture(name: str) -> bool:
    return _PICTURE.search(name) is not None and not is_hidden(name)


def _pairs(names: Sequence[str]) -> tuple[list[int], list[int]]:
    """The file numbers of the images and of their masks."""
    pictures = [number for number, name in enumerate(names) if _is_picture(name)]
    masks = {
        match.groups(): number for number in pictures if (match := _MASK.search(names[number]))
    }
    images = [number for number in pictures if _COMPOSITE.search(names[number])]
    images.sort(key=lambda number: (_order_number(names[number]), names[number]))
    for number, following in pairwise(images):
        if names[number] == names[following]:
            raise UsageError(f"{names[number]}: the name occurs twice")
    masks_in_order = []
    for number in images:
        match = _COMPOSITE.search(names[number])
        mask = masks.get(match.groups()) if match else None
        if mask is None:
            masks_named = ["/".join(groups) for groups in masks]
            accents = accents_alike("/".join(match.groups()), masks_named) if match else ""
            raise UsageError(f"{names[number]}: no mask of that name in fg_bg_mask/{accents}")
        masks_in_order.append(mask)
    return images, masks_in_order


def _order_number(name: str) -> int:
    """The number at the end of a name, which orders the samples; -1 without a number."""
    match = _NUMBER.search(name)
    return int(match[1]) if match else -1


def _last_two_parts(name: str) -> str:
    """The folder and the file of a path: tables may name other folders above them."""
    return "/".join(name.replace("\\", "/").split("/")[-2:])


def _table_rows(table: bytes) -> Iterator[tuple[str, list[int]]]:
    """Yield the image path and x, y, width, height of each line."""
    for number, line in enumerate(table.decode("utf-8").splitlines(), start=1):
        cells = line.split("\t")
        if len(cells) != 6:
            raise DepthmaskError(
                f"line {number} has {len(cells)} columns; expected image, mask, x, y, width, height"
            )
        yield cells[0], [round(float(cell)) for cell in cells[2:]]


def _require_upright(data: bytes) -> None:
    """Raise `DepthmaskError` for a picture that some programs turn, unlike what belongs to it."""
    if images.is_turned(data):
        raise DepthmaskError("its EXIF orientation turns it, and is not copied; save it upright")


def _require_grey(data: bytes) -> None:
    """Raise `DepthmaskError` for a PNG whose readers would not see the mask: they want 8 bits."""
    bits, kind = data[_PNG_BITS_AT : _PNG_BITS_AT + 2] if _is_png(data) else (8, 0)
    if bits == 16 or kind not in _PNG_WITHOUT_ALPHA:
        raise DepthmaskError(
            "a mask in 16 bits, with a palette or with transparency; save it as 8-bit grey"
        )


def _is_png(data: bytes) -> bool:
    return data.startswith(_PNG_SIGNATURE)


def _size_of(data: bytes, name: str) -> Size:
    """(height, width) from the header of a file."""
    with untrusted(name):
        if data.startswith(_PNG_SIGNATURE):
            width, height = struct.unpack_from(">II", data, 16)
        else:
            height, width, *_ = simplejpeg.decode_jpeg_header(data)
        return height, width


def _size_text(size: Size) -> str:
    return f"{size[0]}x{size[1]}"
