"""The description of a sample, as its JSON holds it."""

from __future__ import annotations

from typing import Any

from depthmask.data import Camera, Composite, InstancePixels, Layer


def describe(composite: Composite) -> dict[str, Any]:
    """The recipe, the layers in the order of placing, the camera and metadata, as plain data.

    Boxes are [top, left, height, width] in canvas pixels; depth_m is at the foot point; `meta` of a
    layer and `background_meta` are absent where there is no metadata, and `background_instances`
    where the background shows none.
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
    if composite.background_instances:
        meta["background_instances"] = [*map(describe_instance, composite.background_instances)]
    return meta


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


def describe_instance(pixels: InstancePixels) -> dict[str, Any]:
    """An instance of the background; its box is that of all its pixels, visible or not."""
    one = pixels.instance
    plain: dict[str, Any] = {
        "label": one.label,
        "box": [one.top, one.left, *one.mask.shape],
        "visible": round(pixels.visible, 4),
    }
    if one.is_crowd:
        plain["iscrowd"] = 1
    if one.meta is not None:
        plain["meta"] = one.meta
    return plain


def _camera(camera: Camera) -> dict[str, float]:
    return {name: round(getattr(camera, name), 6) for name in Camera.__slots__}
