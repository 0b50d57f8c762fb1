"""From a recipe to a composite: place the foregrounds, resolve occlusion, blend."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from depthmask.codec.metadata import move_keypoints, plain_meta
from depthmask.compose.asset_cache import AssetCache
from depthmask.compose.background_instances import add_to_mask, visible_instances
from depthmask.compose.layer_depth import layer_depths
from depthmask.compose.layer_stack import (
    LayerStack,
    Misfit,
    box_on_canvas,
    is_surely_unseen,
)
from depthmask.compose.light import cast_shadow, match_colours
from depthmask.compose.results import checked_layer
from depthmask.data import (
    Background,
    Composite,
    Foreground,
    Layer,
    Meta,
    Recipe,
    Rows,
    Scene,
    Size,
    UInt8,
)
from depthmask.errors import NoPlaceError, UsageError
from depthmask.plan.rng import Stream
from depthmask.stage.calls import StageCalls, StageError
from depthmask.stages.blend.base import Blend, Patch
from depthmask.stages.placement.base import Placement
from depthmask.timing import Laps

_CROWDED = (
    "other cut-outs are in the way; raise placement.max_overlap, lower placement.min_visible or "
    "objects"
)
_HIDDEN = "hidden by what is nearer; lower placement.min_visible or raise placement.tolerance"
_MOSTLY = 0.5
"""A layer of which less is visible although more of its box is on the canvas is hidden."""
_WATCHED_ONE_IN = 64
"""One sample in this many is watched for changes beside the patches, which takes 20 us each."""


@dataclass(slots=True)
class PlacedRecipe:
    """A recipe whose foregrounds are placed. layers: in the order of placing."""

    recipe: Recipe
    background: Background
    stack: LayerStack
    layers: tuple[Layer, ...]


class Composer:
    """Makes composites. The result depends on seed, stages and recipe alone."""

    def __init__(self, seed: int, placement: Placement, blend: Blend, library: AssetCache) -> None:
        self._placement = placement
        self._assets = library
        self._stream = Stream(seed, "placement")
        self._arranging = Stream(seed, "arrangement")
        self._arranges = type(placement).arrange is not Placement.arrange
        self._placing = StageCalls(placement, "place")
        self._variants = [blend.variant(number) for number in range(blend.variants)]
        self._blending = [StageCalls(one, "blend") for one in self._variants]

    def place(self, recipe: Recipe, laps: Laps) -> PlacedRecipe:
        """Place every foreground of the recipe.

        Raises `NoPlaceError` if no proposal fits for one of them.
        """
        background = self._assets.background(recipe.background)
        foregrounds = tuple([self._assets.foreground(key) for key, _ in recipe.foregrounds])
        laps("source")
        size = background.image.shape[0], background.image.shape[1]
        tolerance = self._placement.tolerance if background.guessed else 0.0
        nearest_m = partial(self._assets.nearest_m, background.key)
        stack = LayerStack(size, background.depth_m, tolerance, nearest_m)
        placed: tuple[Layer, ...] = ()
        arrangement = self._arrangement(recipe, background, foregrounds)
        rng = self._stream.at(recipe.scene, recipe.attempt)
        for foreground, (_, flip) in zip(foregrounds, recipe.foregrounds, strict=True):
            scene = Scene(recipe.scene, background, placed, foregrounds, arrangement)
            layer = self._first_fitting(scene, stack, foreground, flip, rng, recipe.variant)
            placed = (*placed, layer)
        depths = layer_depths(background, stack.layers)
        numbered = [depths[number] for number in range(1, len(placed) + 1)]
        try:
            layers = tuple(map(_completed, placed, foregrounds, numbered, stack.visible))
        except UsageError as error:
            raise StageError(self._placement, str(error)) from None
        laps("place")
        return PlacedRecipe(recipe, background, stack, layers)

    def blend(self, placed: PlacedRecipe) -> Composite:
        """Blend all layers into the background, back to front.

        The arrays are read-only.
        """
        recipe, background, stack = placed.recipe, placed.background, placed.stack
        canvas, blend, fallbacks = background.image.copy(), self._variants[recipe.variant], 0
        layer_pixels = stack.layer_pixels
        rows = [(one.top, one.top + len(one.alpha)) for one in layer_pixels]
        for layer, patch, top, left in stack.patches:
            if blend.match:
                patch = match_colours(canvas, patch, top, left, blend.match)
            if blend.shadow:
                rows.append(cast_shadow(canvas, background, layer, blend.shadow))
            fallbacks += not self._blend_patch(recipe, canvas, patch, top, left)
        instances = visible_instances(background, layer_pixels, self._placement.min_visible)
        rows += add_to_mask(stack.mask, instances)
        canvas.setflags(write=False)
        stack.mask.setflags(write=False)
        return Composite(
            recipe,
            canvas,
            stack.mask,
            placed.layers,
            background,
            layer_pixels,
            _hull(rows),
            blend.name if len(self._variants) > 1 else None,
            fallbacks,
            instances,
        )

    def _blend_patch(
        self, recipe: Recipe, canvas: UInt8, patch: Patch, top: int, left: int
    ) -> bool:
        """Blend a patch into the canvas; returns False if the blend used a simpler method."""
        calls = self._blending[recipe.variant]
        before = canvas.copy() if recipe.index % _WATCHED_ONE_IN == 0 else None
        with calls:
            as_asked = self._variants[recipe.variant].blend(canvas, patch, top, left)
        if not isinstance(as_asked, bool | np.bool_):
            raise calls.returned(as_asked, "True, or False for a simpler method")
        if before is not None:
            _require_change_in_box(calls, before, canvas, patch, top, left)
        return bool(as_asked)

    def _arrangement(
        self, recipe: Recipe, background: Background, foregrounds: tuple[Foreground, ...]
    ) -> Any:
        """The arrangement of the placement for all foregrounds of the recipe."""
        if not self._arranges:
            # Setting a generator that nobody uses would take a microsecond of each sample.
            return None
        scene = Scene(recipe.scene, background, foregrounds=foregrounds)
        with StageCalls(self._placement, "arrange"):
            return self._placement.arrange(scene, self._arranging.at(recipe.scene, recipe.attempt))

    def _first_fitting(
        self,
        scene: Scene,
        stack: LayerStack,
        foreground: Foreground,
        flip: bool,
        rng: np.random.Generator,
        variant: int,
    ) -> Layer:
        """Add the first proposal that fits to the stack, and return it; `NoPlaceError` if none.

        variant: of the blend, which may have colours of its own.
        """
        settings, rejected = self._placement, []
        placing, place, size = self._placing, settings.place, scene.size
        min_visible, max_overlap = settings.min_visible, settings.max_overlap
        alpha = self._assets.alpha(foreground)
        for _ in range(settings.attempts):
            with placing:
                returned = place(scene, foreground, flip, rng)
            layer = checked_layer(placing, returned, foreground)
            if is_surely_unseen(layer, alpha, size, min_visible):
                rejected.append((layer, Misfit.unseen))
                continue
            scaled = self._assets.scaled_foreground(layer, variant)
            misfit = stack.add(layer, scaled, min_visible=min_visible, max_overlap=max_overlap)
            if misfit is None:
                return layer
            rejected.append((layer, misfit))
        raise self._no_place(scene, foreground.key, rejected)

    def _no_place(
        self, scene: Scene, key: str, rejected: Sequence[tuple[Layer, Misfit]]
    ) -> NoPlaceError:
        """The error for a foreground of which no proposal fits; its reason is the most frequent."""
        stage = self._placement
        reasons = Counter(self._reason(layer, misfit, scene.size) for layer, misfit in rejected)
        ((reason, count),) = reasons.most_common(1)
        return NoPlaceError(
            f"no place for {key} on {scene.background.key} in "
            f"placement.attempts={stage.attempts} proposals with "
            f"placement.min_visible={stage.min_visible:g} and "
            f"placement.max_overlap={stage.max_overlap:g}; {count} times {reason}",
            reason=reason,
            foreground=key,
        )

    def _reason(self, layer: Layer, misfit: Misfit, canvas: Size) -> str:
        if misfit is Misfit.crowded:
            return _CROWDED
        on_canvas = box_on_canvas(layer, canvas) / (layer.height * layer.width)
        return _HIDDEN if on_canvas > _MOSTLY else self._placement.mostly_outside


def _require_change_in_box(
    calls: StageCalls, before: UInt8, canvas: UInt8, patch: Patch, top: int, left: int
) -> None:
    """Raise `StageError` if a blend has changed pixels outside of the patch's box.

    before: the canvas before; its pixels in the box are overwritten.
    """
    height, width = patch.alpha.shape
    box = slice(top, top + height), slice(left, left + width)
    before[box] = canvas[box]
    if not np.array_equal(before, canvas):
        raise calls.fault(
            f"changed pixels outside of the patch, which is {height} x {width} at ({top}, {left})"
        )


def _hull(rows: Sequence[Rows]) -> Rows:
    """The smallest range that contains all non-empty ranges."""
    if len(rows) == 1:
        return rows[0]
    non_empty = [(first, stop) for first, stop in rows if first < stop]
    return min(non_empty)[0], max(stop for _, stop in non_empty)


def _completed(
    layer: Layer, foreground: Foreground, depth_m: float | None, visible: float
) -> Layer:
    """The layer with its depth, its visible fraction and all its metadata.

    A new layer is made field by field, since `replace` takes five times as long.
    """
    return Layer(
        layer.foreground,
        layer.label,
        layer.top,
        layer.left,
        layer.height,
        layer.width,
        layer.flip,
        depth_m,
        visible,
        None if layer.meta is None and foreground.meta is None else _meta(layer, foreground),
    )


def _meta(layer: Layer, foreground: Foreground) -> Meta | None:
    """The metadata of the foreground, moved into the layer's box, and over it that of the layer."""
    of_layer = plain_meta(layer.meta, f"the layer of {layer.foreground}")
    if foreground.meta is None:
        return of_layer
    height, width = foreground.size
    down, across = layer.height / height, layer.width / width
    moved = (
        move_keypoints(foreground.meta, (down, -across), (layer.top, layer.left + layer.width))
        if layer.flip
        else move_keypoints(foreground.meta, (down, across), (layer.top, layer.left))
    )
    return moved | (of_layer or {})
