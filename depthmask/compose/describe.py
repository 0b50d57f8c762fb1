"""The description of a sample, as its JSON holds it."""

from __future__ import annotations

from typing import Any

import numpy as np

from depthmask.codec.coco import instance_label
from depthmask.data import Camera, Composite, Layer, LayerPixels


def describe(composite: Composite, *, labels: bool = False) -> dict[str, Any]:
    """The recipe, the layers in the order of placing, the camera and metadata, as plain data.

    Boxes are [top, left, height, width] in canvas pixels; depth_m is at the foot point; `meta` of a
    layer and `background_meta` are absent where there is no metadata. labels: add
    the visible pixels of each layer by the instance map, as area, visible_box and counts (COCO's
    run lengths), and `amodal`, the same for the layer without others in front of it.
    """
    recipe = composite.recipe
    meta: dict[str, Any] = {
        "key": recipe.key,
        "index": recipe.index,
        "split": recipe.split,
        "size": list(composite.mask.shape),
        "background": recipe.background,
        "layers": [_layer(layer) for layer in composite.layers],
    }
    if labels:
        instances = composite.instances
        for pixels in composite.layer_pixels:
            layer = meta["layers"][pixels.number - 1]
            layer |= instance_label(instances == pixels.number)
            layer["amodal"] = _amodal(pixels, composite.mask.shape)
    if recipe.attempt:
        meta["attempt"] = recipe.attempt
    if composite.blend:
        meta |= {"scene": recipe.scene, "blend": composite.blend}
    if composite.fallbacks:
        meta["blend_fallbacks"] = composite.fallbacks
    if composite.background.camera is not None:
        meta["camera"] = _camera(composite.background.camera)
    if composite.background.meta is not None:
        meta["background_meta"] = composite.background.meta
    return meta


def _amodal(pixels: LayerPixels, size: tuple[int, ...]) -> dict[str, Any]:
    """The label of a layer as if no other layer were in front of it."""
    mask = np.zeros(size, bool)
    mask[pixels.window] = pixels.whole >= 128
    label = instance_label(mask)
    return {"box" if name == "visible_box" else name: value for name, value in label.items()}


def _layer(layer: Layer) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "foreground": layer.foreground,
        "label": layer.label,
        "box": [layer.top, layer.left, layer.height, layer.width],
        "flip": layer.flip,
        "visible": round(layer.visible, 4),
    }
    if layer.depth_m is not None:
        plain["depth_m"] = round(layer.depth_m, 4)
    if layer.meta is not None:
        plain["meta"] = layer.meta
    return plain


def _camera(camera: Camera) -> dict[str, float]:
    return {name: round(getattr(camera, name), 6) for name in Camera.__slots__}
