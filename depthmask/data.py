"""The data objects that pass between stages, with their shapes and units.

Height comes before width. Images are RGB. Depth is planar z (distance along the optical axis) in
metres, larger is farther, 0 where it is invalid, unless a `DepthContract` says otherwise.
Arrays and metadata are shared and not copied, so code that receives one must not write into it;
stages get read-only arrays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

UInt8: TypeAlias = NDArray[np.uint8]
"""An array of dtype uint8, such as an image [h, w, 3] or a mask [h, w], 0..255."""
UInt16: TypeAlias = NDArray[np.uint16]
"""An array of dtype uint16, such as an instance map [h, w] of 256 layers or more."""
Float32: TypeAlias = NDArray[np.float32]
"""An array of dtype float32, such as a depth map [h, w] in metres."""
PixelNumbers: TypeAlias = NDArray[np.uint32]
"""uint32 [n]: numbers of pixels, each row * width + column."""
Size: TypeAlias = tuple[int, int]
"""(height, width) in pixels."""
Rows: TypeAlias = tuple[int, int]
"""(first row, row after the last)."""
MOST_BOX_PIXELS = 1 << 25
"""The most pixels of a layer's box; more are a mistake, which would take gigabytes. A cut-out that
fills a canvas of 1024x1024 thirty times over is allowed."""
FAINT_ALPHA = 16
"""The greatest alpha, of 255, that does not show: 6 %. What is fainter everywhere is no cut-out.

It is above the noise of a JPEG mask of quality 95 (8 of 255 at most) and, for
99 of 100 pixels with noise, above that of JPEG of quality 85 (16) and WebP of quality 80 (12). At
quality 75 that is 27, at 50 it is 48, but only in the 8 pixels around an object. Measured on the
masks of DepthMaskDataset, hard and soft. A greater one would cut off soft shadows."""
MOST_HEIGHT_M = 20.0
"""The greatest real height of a foreground, metres; a larger number is most likely centimetres."""
Meta: TypeAlias = dict[str, Any]
"""Free metadata as plain JSON data, up to 64 KiB as JSON; `codec/metadata.py` has the rules.

`keypoints` are a list or a mapping of [x, y] or [x, y, v] in pixels of the image that they come
with: x from the left edge, y from the top edge, so that the first pixel has its centre at 0.5, 0.5.
"""

_MOST_SHOWN, _MOST_LETTERS = 6, 100
"""The most items of a collection, and letters of another value, in the `repr` of an object."""


def sample_key(index: int) -> str:
    """The name of a sample that has none of its own: `000000777`; photographs keep theirs."""
    return f"{index:09d}"


def brief(instance: Any) -> str:
    """The `repr` of a data object: short, without pixels, bytes and fields that are empty."""
    values = {item.name: getattr(instance, item.name) for item in fields(instance)}
    shown = [f"{name}={_in_brief(value)}" for name, value in values.items() if not _is_empty(value)]
    return f"{type(instance).__name__}({', '.join(shown)})"


def _in_brief(value: Any) -> str:
    """A value in a few words; of an array its dtype and shape, as in `uint8 [160, 160, 3]`."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {list(value.shape)}"
    if isinstance(value, bytes):
        return f"{len(value):,} bytes"
    if isinstance(value, (list, tuple, Mapping)) and len(value) > _MOST_SHOWN:
        return f"{len(value):,} items"
    if isinstance(value, (list, tuple)):
        items = ", ".join(map(_in_brief, value))
        return f"[{items}]" if isinstance(value, list) else f"({items})"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {_in_brief(one)}' for key, one in value.items())}}}"
    text = repr(value)
    return text if len(text) <= _MOST_LETTERS or is_dataclass(value) else f"{text[:97]}..."


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, (list, tuple, Mapping)) and not value)


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
class Background:
    """An image into which foregrounds are placed.

    image: uint8 [h, w, 3] RGB. depth_m: float32 [h, w], or None if it was not measured. camera,
    plane: the camera and its floor, or None if unknown. floor: the pixels that show the floor, if a
    placement needs them. guessed: whether a network estimated the depth. meta: free metadata from
    the source, with keypoints in pixels of `image`, or None.
    """

    key: str
    image: UInt8
    depth_m: Float32 | None = None
    camera: Camera | None = None
    plane: Plane | None = None
    floor: PixelNumbers | None = None
    guessed: bool = False
    meta: Meta | None = None

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
    files: how many files it stands for, if it is a folder.
    """

    file: str
    reason: str
    copies: tuple[Path, ...] = ()
    contents: Mapping[str, bytes] = field(default_factory=dict, hash=False)
    files: int = 1

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
    in use, empty where `Source.foreground_labels` has no others. folders: the folders or URLs
    whose files are read; no output may lie in them. hashes: the hash of each file in use, by its
    name below the root, so that a run can name what has changed; empty where no files are read.
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

    __repr__ = brief


@dataclass(frozen=True, slots=True)
class Layer:
    """A foreground placed in a sample: a box in canvas pixels that may reach beyond the canvas.

    top, left, height, width: pixels. depth_m: depth of the foot point (the middle of the box's
    lower edge) if the placement gave one; otherwise, in a composite, the least depth at the foot
    point and of all that the layer hides; None if the background has no geometry. visible: the
    fraction of the foreground's alpha, 0..1, that lies on the canvas and is not hidden by nearer
    layers or background. meta: free metadata, with keypoints in canvas pixels, or None; a placement
    may set some, and in a composite that of the foreground is added, with its keypoints moved along
    with the layer.
    """

    foreground: str
    label: str
    top: int
    left: int
    height: int
    width: int
    flip: bool
    depth_m: float | None = None
    visible: float = 1.0
    meta: Meta | None = field(default=None, hash=False)

    __repr__ = brief


@dataclass(frozen=True, slots=True)
class Recipe:
    """The plan's decisions about a sample, made before any image is opened."""

    index: int
    key: str
    split: str
    background: str
    foregrounds: tuple[tuple[str, bool], ...]
    """(foreground key, flip) in the order of placing."""
    scene: int
    """The number of the scene; it seeds all random choices after the plan."""
    variant: int = 0
    """The index of the sample among those that show this scene."""
    attempt: int = 0
    """The number of earlier draws of assets, which could not be placed."""

    __repr__ = brief


@dataclass(frozen=True, slots=True)
class Scene:
    """The input of a placement.

    background: with its geometry. layers: those placed so far. foregrounds: all of the sample, in
    the order of placing; `foregrounds[len(layers)]` is the next. arrangement: the result of
    `Placement.arrange`.
    """

    index: int
    background: Background
    layers: tuple[Layer, ...] = ()
    foregrounds: tuple[Foreground, ...] = ()
    arrangement: Any = None

    __repr__ = brief

    @property
    def size(self) -> Size:
        """(height, width) of the canvas in pixels."""
        return self.background.image.shape[0], self.background.image.shape[1]


@dataclass(frozen=True, slots=True)
class LayerPixels:
    """The pixels of a layer on the canvas, from `top` and `left` on.

    number: from 1, in the order of placing. alpha: uint8 [h, w], the alpha that the background does
    not hide; whole: uint8 [h, w], the alpha without any occlusion. relief: float32 [h, w], distance
    behind the foot point divided by the height of the layer's box (both in metres), or None.
    least_alpha: from this alpha on, a pixel belongs to the layer.
    """

    number: int
    top: int
    left: int
    alpha: UInt8
    whole: UInt8
    relief: Float32 | None = None
    least_alpha: int = 128

    __repr__ = brief

    @property
    def shown(self) -> NDArray[np.bool_]:
        """Bool [h, w]: the pixels that belong to the layer, unless a layer in front hides them.

        The one rule of layered depth, instance maps and COCO's masks.
        """
        return self.alpha >= self.least_alpha

    @property
    def amodal(self) -> NDArray[np.bool_]:
        """Bool [h, w]: the pixels that would belong to the layer if nothing hid it."""
        return self.whole >= self.least_alpha

    @property
    def window(self) -> tuple[slice, slice]:
        """The layer's rows and columns on the canvas."""
        height, width = self.alpha.shape
        return slice(self.top, self.top + height), slice(self.left, self.left + width)


@dataclass(frozen=True, slots=True)
class Composite:
    """An image of a background with blended layers, and its labels, before depth.

    image: uint8 [h, w, 3]. mask: uint8 [h, w], soft alpha of all layers, 0..255. layers: in the
    order of placing. layer_pixels: the pixels of each layer, from back to front. touched: the rows
    outside of which the image equals the background, None if unknown. blend: the name of the blend
    if the samples of a scene differ in it. fallbacks: the number of layers that were blended in a
    simpler way.
    """

    recipe: Recipe
    image: UInt8
    mask: UInt8
    layers: tuple[Layer, ...]
    background: Background
    layer_pixels: Sequence[LayerPixels] = ()
    touched: Rows | None = None
    blend: str | None = None
    fallbacks: int = 0

    __repr__ = brief

    @property
    def instances(self) -> UInt8 | UInt16:
        """uint8 or uint16 [h, w]: the number of the front layer, 0 for the background.

        Computed at each call, since few samples need it.
        """
        return instance_map(self.mask.shape, self.layer_pixels)

    @property
    def parts(self) -> Sequence[LayerPixels]:
        """`layer_pixels` by its former name, for plugins written before it was renamed."""
        return self.layer_pixels


def instance_map(size: tuple[int, ...], layer_pixels: Sequence[LayerPixels]) -> UInt8 | UInt16:
    """The number of the front layer to which each pixel [h, w] belongs, 0 for the background.

    layer_pixels: the layers, from back to front.
    """
    numbers = np.zeros(size, np.uint8 if len(layer_pixels) < 256 else np.uint16)
    for pixels in layer_pixels:
        np.copyto(numbers[pixels.window], pixels.number, where=pixels.shown)
    return numbers


@dataclass(frozen=True, slots=True)
class StripSource:
    """The background of an image; an encoder codes its strips once for all images on it.

    background: uint8 [h, w, 3], the same array for all these images. touched: the rows outside of
    which image and background are equal.
    """

    background: UInt8
    touched: Rows

    __repr__ = brief


@dataclass(frozen=True, slots=True)
class Sample:
    """A composite and its depth.

    image, mask: as in `Composite`. instances: the label `instances`, or None. depth: float32
    [dh, dw] by the dataset's contract, or None. meta: the recipe, the layers and the camera as JSON
    values. strip_source: the background, where it is known which rows of it the image keeps; None
    for a sample that was read from a file. labels: name -> array or JSON value, as the label stages
    made them.
    """

    key: str
    image: UInt8
    mask: UInt8
    instances: UInt8 | UInt16 | None
    depth: Float32 | None
    meta: dict[str, Any]
    strip_source: StripSource | None = None
    labels: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        height, width = self.image.shape[:2]
        parts = [f"image {height}x{width}", "mask", *self._depth_text()]
        parts += ["instances"] if self.instances is not None else []
        layers = self.meta.get("layers")
        # In a file that was damaged or made elsewhere, anything may stand there.
        all_layers = layers if isinstance(layers, list) else []
        names = [str(one.get("label")) for one in all_layers if isinstance(one, dict)]
        labels = ", ".join(names) if len(names) <= _MOST_SHOWN else f"{len(names)} layers"
        parts += [f"layers [{labels}]"] if names else []
        parts += [f"labels {', '.join(self.labels)}"] if self.labels else []
        return f"Sample({self.key}: {'; '.join(parts)})"

    def _depth_text(self) -> list[str]:
        """The depth map in a few words: its size, and its least and greatest valid value."""
        if self.depth is None:
            return []
        valid = self.depth[self.depth > 0]
        height, width = self.depth.shape
        extent = f" from {valid.min():.3g} to {valid.max():.3g}" if valid.size else " all invalid"
        return [f"depth {height}x{width}{extent}"]

    @property
    def index(self) -> int:
        """The number of the sample, by its description, or by its key without one."""
        return int(self.meta.get("index", self.key))

    @property
    def size(self) -> Size:
        """(height, width) of image and mask."""
        return self.image.shape[0], self.image.shape[1]


@dataclass(frozen=True, slots=True)
class Encoded:
    """A sample as bytes: member name (`jpg`, `mask.png`, `depth.png`, `json`) -> file content.

    arrays: the same content as arrays (`image`, `mask`, `depth`), for writers that store arrays.
    """

    key: str
    members: dict[str, bytes]
    arrays: dict[str, NDArray[Any]]

    __repr__ = brief


class DepthKind(Enum):
    """The quantity that depth values measure."""

    metric_z = "metric_z"
    relative = "relative"
    disparity = "disparity"


class DepthMode(Enum):
    """How the depth of a sample was made."""

    estimated = "estimated"
    """Estimated by a network from the composite."""
    composited = "composited"
    """The background's depth with the layers set into it."""
    exact = "exact"
    """Known from the scene itself, or measured by a sensor; nothing is estimated."""


@dataclass(frozen=True, slots=True)
class DepthContract:
    """The meaning of the values in a depth map.

    Valid values lie in near..far [unit], 0 < near < far; `invalid`, always 0, marks a pixel without
    depth. clip: whether values beyond the range are set to its ends (otherwise they are an error).
    resolution: (height, width) of the maps. estimator, weights_sha256: the stage and the weights
    that made them.
    """

    kind: DepthKind
    unit: str
    near: float
    far: float
    invalid: float
    clip: bool
    resolution: Size
    estimator: str
    weights_sha256: str | None
    mode: DepthMode

    def __post_init__(self) -> None:
        if not (0 < self.near < self.far and self.invalid == 0):
            raise ValueError(
                f"depth contract of {self.estimator}: {self.near:g}..{self.far:g} with "
                f"{self.invalid:g} for invalid; it has to be 0 < near < far, and 0 for invalid"
            )
