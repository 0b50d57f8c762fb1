"""Chooses the photographs among files, and checks each one before any work starts."""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

import simplejpeg
from PIL import Image

from depthmask.concurrency import cores, parallel_map
from depthmask.data import LeftOut, Size
from depthmask.engine.display import Display
from depthmask.engine.inputs.containers import Files
from depthmask.errors import DepthmaskError, MachineError, UsageError
from depthmask.stages.source import _colours as colours
from depthmask.stages.source import _images as images
from depthmask.stages.source._formats import SUFFIXES, format_of
from depthmask.stages.source._hidden import is_hidden
from depthmask.storage.fault_list import with_all_faults

_OTHER_PICTURES = frozenset(
    {
        *(".heic", ".heif", ".avif", ".tif", ".tiff", ".bmp", ".gif", ".jfif", ".jp2", ".jxl"),
        *(".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf", ".psd", ".exr", ".hdr"),
    }
)
"""Suffixes of pictures that are not read."""
_KINDS = {b"\xff\xd8": "JPEG", b"\x89PNG\r\n\x1a\n": "PNG"}
"""The first bytes of a file -> its format."""
_DEEP = "I"
"""The first letter of Pillow's modes of grey pictures of more than 8 bits."""
_EXIF = b"eXIf"
"""The name of the chunk of a PNG that may say which side is up."""
_IN_DATASETS = "in folders of datasets"
SKIP = "--skip-damaged"
"""The option that leaves out pictures that cannot be decoded."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A photograph.

    number: of its file. name: its path below the common folder. size: (height, width), upright.
    bytes: of the file. sha256: of its content. kind: JPEG, PNG or WebP. change: why its file cannot
    be copied as it is; empty if it can.
    """

    number: int
    name: str
    size: Size
    bytes: int
    sha256: str
    kind: str
    change: str


@dataclass(frozen=True, slots=True)
class PictureList:
    """The photographs among some files, sorted by name.

    left_out: pictures that are not used, and why. unused: reason -> how many files, of all kinds.
    """

    pictures: tuple[Picture, ...]
    left_out: tuple[LeftOut, ...]
    unused: Counter[str]

    @property
    def sha256(self) -> str:
        """A hash over names and contents."""
        digest = hashlib.sha256()
        for one in self.pictures:
            digest.update(f"{one.sha256} {one.name}\n".encode())
        return digest.hexdigest()


def list_pictures(files: Files, place: str, *, skip_damaged: bool, display: Display) -> PictureList:
    """The photographs among the files, each decoded once; `UsageError` if there is none.

    place: the paths of the files as text. skip_damaged: whether to leave out those that cannot be
    decoded, which are a `UsageError` otherwise.
    """
    names = files.origins
    chosen, left_out, unused = _choose(files)
    if files.links:
        unused["linked"] = files.links
    if not chosen:
        raise UsageError(_nothing(place, names, unused))
    pictures: list[Picture] = []
    damaged: list[LeftOut] = []
    with display.bar("check", len(chosen), "pictures") as advance:
        check = partial(_checked, files, names)
        for result in parallel_map(cores(), check, chosen):
            advance(1)
            if isinstance(result, Picture):
                pictures.append(result)
            else:
                damaged.append(result)
    if damaged and not (skip_damaged and pictures):
        raise UsageError(_refusal(place, damaged, len(chosen)))
    if damaged:
        unused["damaged"] = len(damaged)
    ordered = sorted([*left_out, *damaged], key=lambda one: one.file)
    return PictureList(tuple(pictures), tuple(ordered), unused)


def _choose(files: Files) -> tuple[list[int], list[LeftOut], Counter[str]]:
    """The numbers of the photographs by name, pictures of other formats, and what is unused."""
    names = files.origins
    datasets = {name.removesuffix("plan.json") for name in names if name.endswith("/plan.json")}
    left_out, unused = [], Counter[str]()
    chosen: dict[str, int] = {}
    for number, name in enumerate(names):
        suffix = PurePosixPath(name).suffix.lower()
        if datasets and any(f"{folder}/" in datasets for folder in PurePosixPath(name).parents):
            unused[_IN_DATASETS] += 1
        elif is_hidden(files.names[number]):
            unused["hidden"] += 1
        elif suffix in SUFFIXES:
            unused["named twice"] += name in chosen
            chosen.setdefault(name, number)
        elif suffix in _OTHER_PICTURES:
            left_out.append(LeftOut(name, f"{suffix} is not read; convert it to JPEG or PNG"))
            unused[f"{suffix} (convert to JPEG or PNG)"] += 1
        else:
            unused[suffix or "without a suffix"] += 1
    return [chosen[name] for name in sorted(chosen)], left_out, +unused


def _checked(files: Files, names: Sequence[str], number: int) -> Picture | LeftOut:
    """The picture, decoded once; or why it cannot be used."""
    name = names[number]
    try:
        data = files.read(number)
        return _picture(number, name, files.path / name, data)
    except MachineError:
        raise
    except DepthmaskError as error:
        return LeftOut(name, str(error).removeprefix(f"{files.path / name}: "))


def _picture(number: int, name: str, path: Path, data: bytes) -> Picture:
    """Raises `AssetError` for content that is no picture, or a damaged one."""
    kind = next((kind for start, kind in _KINDS.items() if data.startswith(start)), None)
    kind = kind or format_of(data) or "WebP"
    size, change = _size_of_plain_jpeg(data) if kind == "JPEG" else None, ""
    if size is None:
        upright = images.load(path, data)
        size = upright.height, upright.width
        change = _change(kind, data, upright)
    return Picture(number, name, size, len(data), hashlib.sha256(data).hexdigest(), kind, change)


def _size_of_plain_jpeg(data: bytes) -> Size | None:
    """(height, width) of a whole JPEG that all readers show alike; None if it is none."""
    try:
        with images.opened(io.BytesIO(data)) as image:
            if image.mode not in ("RGB", "L") or images.orientation(image) != 1:
                return None
            if colours.is_converted(image):
                return None
            # An eighth of the size takes less time, and all of the data is read as well.
            simplejpeg.decode_jpeg(data, min_height=1, min_width=1, min_factor=8)
            return image.height, image.width
    except Exception:
        return None  # Pillow decodes more, or says what is wrong.


def _change_of_jpeg(upright: Image.Image) -> str:
    """Why a JPEG has to be encoded again."""
    return upright.mode if upright.mode not in ("RGB", "L") else "with faults in the JPEG data"


def _change(kind: str, data: bytes, upright: Image.Image) -> str:
    """Why the file of a picture has to be encoded again; empty for a plain PNG."""
    if kind not in _KINDS.values():
        return kind
    if images.is_turned(data):
        return "turned upright by EXIF"
    if colours.is_converted(upright):
        return "converted to sRGB"
    if kind == "JPEG":
        return _change_of_jpeg(upright)
    if upright.mode.startswith(_DEEP):
        return "of 16 bits"
    if upright.mode == "P" and upright.has_transparency_data:
        return "with a transparent palette"
    return "PNG with EXIF" if _EXIF in data else ""


def _nothing(place: str, names: Sequence[str], unused: Mapping[str, int]) -> str:
    """The message for an input without a photograph."""
    if not names:
        return f"{place}: the folder is empty; expected photographs (jpg, png, webp) or a dataset"
    if _IN_DATASETS in unused:
        folder = next(name for name in names if name.endswith("/plan.json"))
        return (
            f"{place}: no photographs beside the datasets in it; name one of the datasets, such as "
            f"{PurePosixPath(folder).parent}"
        )
    return (
        f"{place}: neither a dataset nor photographs (jpg, png, webp), nor fg_bg/ and fg_bg_mask/ "
        f"with such; its files are {reasons_text(unused)}"
    )


def reasons_text(unused: Mapping[str, int]) -> str:
    """How many files there are of each kind, as text."""
    return ", ".join(f"{count:,} {reason}" for reason, count in sorted(unused.items()))


def _refusal(place: str, damaged: Sequence[LeftOut], count: int) -> str:
    """The message that names the pictures that cannot be used."""
    faults = [f"{one.file}: {one.reason}" for one in damaged]
    way_on = f"{SKIP} leaves them out" if len(damaged) < count else "no other is left"
    first = f"{len(damaged):,} of {count:,} pictures cannot be used: {faults[0]}; {way_on}"
    return with_all_faults(f"{place}: {first}", faults, f"dataset.json lists all with {SKIP}")
