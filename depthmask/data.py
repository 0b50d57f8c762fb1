"""The data objects that pass between stages, with their shapes and units.

Height comes before width. Images are RGB. Depth is planar z (distance along the optical axis) in
metres, larger is farther, 0 where it is invalid, unless a `DepthContract` says otherwise.
Arrays and metadata are shared and not copied, so code that receives one must not write into it;
stages get read-only arrays.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

UInt8: TypeAlias = NDArray[np.uint8]
"""An array of dtype uint8, such as an image [h, w, 3] or a mask [h, w], 0..255."""
UInt16: TypeAlias = NDArray[np.uint16]
"""An array of dtype uint16, such as an instance map [h, w] of 256 layers or more."""
Float32: TypeAlias = NDArray[np.float32]
"""An array of dtype float32, such as a depth map [h, w] in metres."""
Flags: TypeAlias = NDArray[np.bool_]
"""An array of dtype bool, such as the pixels [h, w] of an instance."""
PixelNumbers: TypeAlias = NDArray[np.uint32]
"""uint32 [n]: numbers of pixels, each row * width + column."""
Size: TypeAlias = tuple[int, int]
"""(height, width) in pixels."""
Rows: TypeAlias = tuple[int, int]
"""(first row, row after the last)."""
MOST_BOX_PIXELS = 1 << 25
"""The most pixels of a layer's box; more are a mistake, which would take gigabytes. A cut-out that
fills a canvas of 1024x1024 thirty times over is allowed."""
MOST_INSTANCES = 10_000
"""The most instances of a background: instance maps have 65,535 numbers, also for layers."""
MOST_INSTANCE_PIXELS = 1 << 27
"""The most pixels of all instances of a background together, each with its box, on a large canvas:
134 MB. On a smaller one it is 64 times the canvas, or 4 million if that is more."""
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

C = TypeVar("C", bound=type)
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


def made_often(cls: C) -> C:
    """Give a frozen dataclass with slots an `__init__` that takes a fifth of the time.

    That of `dataclass` calls `object.__setattr__` for each field, as the class refuses to set one.
    Here an object gets its fields as one of a class with the same slots that does not refuse.
    Subclasses keep the `__init__` of `dataclass`. The text of the function has names of fields
    alone; `dataclass` makes its own in the same way.
    """
    values: dict[str, Any] = {
        "frozen": cls,
        "open": type(cls.__name__, (), {"__slots__": cls.__slots__}),  # type: ignore[attr-defined]
        "become": object.__dict__["__class__"].__set__,
        "inherited": cls.__init__,  # type: ignore[misc]
        "missing": MISSING,
    }
    items = fields(cls)
    names = [item.name for item in items]
    assert not hasattr(cls, "__post_init__")
    assert not values.keys() & names
    assert all(item.init and not item.kw_only for item in items)
    parameters = ", ".join([_parameter(item, values) for item in items])
    lines = [
        f"def make({', '.join(values)}):",
        f" def __init__(self, {parameters}):",
        *(f"  if {name} is missing: {name} = make_{name}()" for name in names
          if f"make_{name}" in values),
        f"  if self.__class__ is not frozen: return inherited(self, {', '.join(names)})",
        "  become(self, open)",
        *(f"  self.{name} = {name}" for name in names),
        "  self.__class__ = frozen",
        " return __init__",
    ]  # fmt: skip
    # With the names of the module, by which type hints are looked up.
    makers: dict[str, Any] = {}
    exec("\n".join(lines), vars(sys.modules[cls.__module__]), makers)  # noqa: S102
    made = makers["make"](**values)
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    made.__annotations__ = cls.__init__.__annotations__  # type: ignore[misc]
    cls.__init__ = made  # type: ignore[misc]
    return cls


def _parameter(item: Field[Any], values: dict[str, Any]) -> str:
    """The parameter of a field as code; adds its default, or what makes that, to the values."""
    if item.default_factory is not MISSING:
        values[f"make_{item.name}"] = item.default_factory
        return f"{item.name}=missing"
    if item.default is not MISSING:
        values[f"default_{item.name}"] = item.default
        return f"{item.name}=default_{item.name}"
    return item.name


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


@made_often
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


@made_often
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


@made_often
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


@made_often
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
class InstancePixels:
    """What of an instance of the background no layer hides.

    number: in the instance map, after those of the layers. instance: as it was before. shown: bool
    [h, w], the pixels of `instance.mask` that are still visible. visible: the fraction of them,
    0..1.
    """

    number: int
    instance: BackgroundInstance
    shown: Flags
    visible: float

    __repr__ = brief


@made_often
@dataclass(frozen=True, slots=True)
class Composite:
    """An image of a background with blended layers, and its labels, before depth.

    image: uint8 [h, w, 3]. mask: uint8 [h, w], soft alpha of all layers, 0..255, and 255 on visible
    pixels of instances that are in the mask. layers: in the order of placing. layer_pixels: the
    pixels of each layer, from back to front. touched: the rows outside of which the image equals
    the background and the mask is 0, None if unknown. blend: the name of the blend if the samples
    of a scene differ in it. fallbacks: the number of layers that were blended in a simpler way.
    background_instances: those of the background of which enough is visible, in its order.
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
    background_instances: tuple[InstancePixels, ...] = ()

    __repr__ = brief

    @property
    def instances(self) -> UInt8 | UInt16:
        """uint8 or uint16 [h, w]: the number of the front layer, 0 for the background.

        Computed at each call, since few samples need it.
        """
        return instance_map(self.mask.shape, self.layer_pixels)

    @property
    def all_instances(self) -> UInt8 | UInt16:
        """As `instances`, with those of the background behind the layers."""
        return instance_map(self.mask.shape, self.layer_pixels, self.background_instances)

    @property
    def parts(self) -> Sequence[LayerPixels]:
        """`layer_pixels` by its former name, for plugins written before it was renamed."""
        return self.layer_pixels


def instance_map(
    size: tuple[int, ...],
    layer_pixels: Sequence[LayerPixels],
    background_instances: Sequence[InstancePixels] = (),
) -> UInt8 | UInt16:
    """The number of the front layer to which each pixel [h, w] belongs, 0 for the background.

    layer_pixels: the layers, from back to front. background_instances: what lies behind all of
    them. Of two of these that share a pixel, the one with fewer pixels has it, of equal ones the
    later one; a crowd has only what no other has.
    """
    count = len(layer_pixels) + len(background_instances)
    numbers = np.zeros(size, np.uint8 if count < 256 else np.uint16)
    for one in sorted(background_instances, key=_from_back_to_front):
        np.copyto(numbers[one.instance.window], one.number, where=one.shown)
    for pixels in layer_pixels:
        np.copyto(numbers[pixels.window], pixels.number, where=pixels.shown)
    return numbers


def _from_back_to_front(pixels: InstancePixels) -> tuple[bool, int]:
    """The order of instances of a background: crowds first, then by the pixels of each."""
    return not pixels.instance.is_crowd, -int(np.count_nonzero(pixels.instance.mask))


@made_often
@dataclass(frozen=True, slots=True)
class StripSource:
    """The background of an image; an encoder codes its strips once for all images on it.

    background: uint8 [h, w, 3], the same array for all these images. touched: the rows outside of
    which image and background are equal, and the mask is 0. key: of the background in its source,
    under which the strips are stored; None if they are not.
    """

    background: UInt8
    touched: Rows
    key: str | None = None

    __repr__ = brief


@made_often
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
        own = self.meta.get("background_instances")
        parts += (
            [f"{len(own)} instances of the background"] if own and isinstance(own, list) else []
        )
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


@made_often
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
