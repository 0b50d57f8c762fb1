"""What remains visible of the instances of a background once layers lie over it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from depthmask.data import (
    Background,
    BackgroundInstance,
    Flags,
    InstancePixels,
    LayerPixels,
    Rows,
    UInt8,
)


def visible_instances(
    background: Background, layer_pixels: Sequence[LayerPixels], min_visible: float
) -> tuple[InstancePixels, ...]:
    """The instances of which at least `min_visible` of their pixels, and one, are visible.

    A pixel is hidden where it belongs to a layer, by the rule of `LayerPixels.shown`. They are
    numbered after the layers, in the order of the background.
    """
    if not background.instances:
        return ()
    first = len(layer_pixels) + 1
    kept = _visible(background, _covered(background, layer_pixels), min_visible)
    return tuple(InstancePixels(number, *pixels) for number, pixels in enumerate(kept, first))


def add_to_mask(mask: UInt8, instances: Sequence[InstancePixels]) -> list[Rows]:
    """Set the visible pixels of the instances that are in the mask, uint8 [h, w], to 255.

    Returns the rows of each of them.
    """
    rows = []
    for one in instances:
        if one.instance.is_in_mask:
            np.copyto(mask[one.instance.window], np.uint8(255), where=one.shown)
            rows.append((one.instance.top, one.instance.top + len(one.shown)))
    return rows


def _visible(
    background: Background, covered: Flags, min_visible: float
) -> Iterator[tuple[BackgroundInstance, Flags, float]]:
    """Yield each instance of which enough is visible, its visible pixels, and their fraction."""
    for instance in background.instances:
        shown = instance.mask & ~covered[instance.window]
        shown.setflags(write=False)
        visible = int(np.count_nonzero(shown)) / int(np.count_nonzero(instance.mask))
        if visible > 0 and visible >= min_visible:
            yield instance, shown, visible


def _covered(background: Background, layer_pixels: Sequence[LayerPixels]) -> Flags:
    """Bool [h, w]: the pixels that belong to a layer."""
    covered = np.zeros(background.image.shape[:2], bool)
    for pixels in layer_pixels:
        covered[pixels.window] |= pixels.shown
    return covered
