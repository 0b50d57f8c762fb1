"""Backgrounds, foregrounds, and what a source says of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from depthmask.data.objects import brief
from depthmask.data.types import Flags, Float32, Meta, PixelNumbers, Size, UInt8


@dataclass(frozen=True, slots=True)
class Camera:
    """A pinhole camera above a floor, for pixel centres at (x + 0.5, y + 0.5).

    f_px: focal length in pixels. cx, cy: principal point in pixels from the top-left corner.
    height_m: height of the optical centre above the floor, 0 if unknown. pitch: downward tilt in
    radians.
    """

    f_px: float
    cx: float
    cy: float
    height_m: float
    pitch: float


@dataclass(frozen=True, slots=True)
class Plane:
    """The plane of all points X with dot(normal, X) = offset_m.

    In camera coordinates, metres: x right, y down, z forward.
    """

    normal: tuple[float, float, float]
    offset_m: float


@dataclass(frozen=True, slots=True)
class BackgroundInstance:
    """An instance that a background shows by itself, such as an annotated person.

    label: its class. mask: bool [h, w], its pixels from row `top` and column `left` of the image
    on, trimmed so that all four edges have one. is_crowd: whether it is a region of several, as
    COCO's `iscrowd`. is_in_mask: whether the mask of a sample has its visible pixels, too. meta:
    free metadata, such as ids, with keypoints in pixels of the image, or None.
    """

    label: str
    mask: Flags
    top: int = 0
    left: int = 0
    is_crowd: bool = False
    is_in_mask: bool = False
    meta: Meta | None = None

    __repr__ = brief

    @property
    def window(self) -> tuple[slice, slice]:
        """Its rows and columns of the image."""
        height, width = self.mask.shape
        return slice(self.top, self.top + height), slice(self.left, self.left + width)


@dataclass(frozen=True, slots=True)
class Background:
    """An image into which foregrounds are placed.

    image: uint8 [h, w, 3] RGB. depth_m: float32 [h, w], or None if it was not measured. camera,
    plane: the camera and its floor, or None if unknown. floor: the pixels that show the floor, if a
    placement needs them. guessed: whether a network estimated the depth. meta: free metadata from
    the source, with keypoints in pixels of `image`, or None. instances: what the image shows by
    itself and the labels of samples have, too; empty if nothing is annotated.
    """

    key: str
    image: UInt8
    depth_m: Float32 | None = None
    camera: Camera | None = None
    plane: Plane | None = None
    floor: PixelNumbers | None = None
    guessed: bool = False
    meta: Meta | None = None
    instances: tuple[BackgroundInstance, ...] = ()

    __repr__ = brief


@dataclass(frozen=True, slots=True)
class Foreground:
    """An image with alpha, trimmed to its visible pixels.

    rgba: uint8 [h, w, 4], straight (not premultiplied) alpha. relief_m: float32 [h, w], depth
    relative to the foot point, or None. height_m: real height of the whole foreground, or None.
    meta: free metadata from the source, with keypoints in pixels of `rgba`, or None.
    """

    key: str
    label: str
    rgba: UInt8
    relief_m: Float32 | None = None
    height_m: float | None = None
    meta: Meta | None = None

    __repr__ = brief

    @property
    def size(self) -> Size:
        """(height, width) in pixels."""
        return self.rgba.shape[0], self.rgba.shape[1]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An asset that is not used.

    file: the file at fault, relative to the source's root, or another name of the asset. The run
    keeps in `quarantine/` of the output, with the reason beside each: copies, files that it copies;
    contents, of what is no file, such as the row of a table: name of the new file -> its bytes. A
    name may have folders (`rows/12.csv`); none leads out of `quarantine/`. reason: what is wrong,
    and what to do (`HEIC; save as JPEG or PNG`); a run counts assets that have the same reason.
    files: how many files it stands for, if it is a folder. kind: what it is, in the singular, such
    as an annotation; `files` counts those then. names: those of the copies below that,
    in their order; by default the name of each with that of its folder.
    """

    file: str
    reason: str
    copies: tuple[Path, ...] = ()
    contents: Mapping[str, bytes] = field(default_factory=dict, hash=False)
    files: int = 1
    names: tuple[str, ...] = ()
    kind: str = "file"

    __repr__ = brief


@dataclass(frozen=True, slots=True)
class AssetFiles:
    """The number of files of a kind that are in use, and their total size in bytes."""

    count: int
    bytes: int


@dataclass(frozen=True, slots=True)
class AssetCatalogue:
    """The result of checking a source: the assets in use, and facts about them.

    digest: a hash of the names and contents of all assets in use. left_out: the assets that are
    not used. files: how many files of each kind are in use (`backgrounds`, `foregrounds`,
    `foreground_masks`, `background_depths`), empty where a source renders its pictures. licences:
    how many assets have each licence, by kind (`backgrounds`, `foregrounds`). backgrounds,
    foregrounds: the keys in use, sorted; empty where those are all that the source lists. origin:
    the folder or URL of the assets, empty for assets that are not files. notes: what the user
    should know before the run, each in one line. foreground_labels: the labels of the foregrounds
    in use and of instances of backgrounds, empty where `Source.foreground_labels` has no others.
    folders: the folders or URLs whose files are read; no output may lie in them. hashes: the hash
    of each file in use, by its name below the root, so that a run can name what has changed; empty
    where no files are read.
    background_splits, foreground_splits: key -> the split (`train`, `val`, `test`) whose samples
    alone may have the asset; assets without one are divided by their looks. background_licences,
    foreground_licences: key -> the licence of the asset, for those that have one.
    """

    digest: str
    left_out: tuple[LeftOut, ...] = ()
    files: Mapping[str, AssetFiles] = field(default_factory=dict)
    licences: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    backgrounds: tuple[str, ...] = ()
    foregrounds: tuple[str, ...] = ()
    origin: str = ""
    notes: tuple[str, ...] = ()
    foreground_labels: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    hashes: Mapping[str, str] = field(default_factory=dict, hash=False)
    background_splits: Mapping[str, str] = field(default_factory=dict, hash=False)
    foreground_splits: Mapping[str, str] = field(default_factory=dict, hash=False)
    background_licences: Mapping[str, str] = field(default_factory=dict, hash=False)
    foreground_licences: Mapping[str, str] = field(default_factory=dict, hash=False)

    __repr__ = brief
