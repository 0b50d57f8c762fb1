"""What is planned, placed and blended: recipes, layers, scenes and composites."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthmask.data.assets import Background, BackgroundInstance, Foreground
from depthmask.data.objects import brief, made_often
from depthmask.data.types import Flags, Float32, Meta, Rows, Size, UInt8, UInt16


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
