"""From a recipe to a composite: place the foregrounds, resolve occlusion, blend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat

import numpy as np

from depthmask.compose.asset_cache import AssetCache
from depthmask.compose.layer_stack import LayerStack, foot_depth
from depthmask.compose.light import cast_shadow, match_colours
from depthmask.data import Background, Composite, Foreground, Layer, Recipe, Rows, Scene
from depthmask.errors import NoPlaceError
from depthmask.plan.rng import Stream
from depthmask.stages.blend.base import Blend
from depthmask.stages.placement.base import Placement
from depthmask.timing import Laps


@dataclass(frozen=True, slots=True)
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
        self._blend = blend
        self._assets = library
        self._stream = Stream(seed, "placement")

    def place(self, recipe: Recipe, laps: Laps) -> PlacedRecipe:
        """Place every foreground of the recipe.

        Raises `NoPlaceError` if no proposal fits for one of them.
        """
        background = self._assets.background(recipe.background)
        foregrounds = [(self._assets.foreground(key), flip) for key, flip in recipe.foregrounds]
        laps("source")
        size = background.image.shape[0], background.image.shape[1]
        tolerance = self._placement.tolerance if background.guessed else 0.0
        stack = LayerStack(size, background.depth_m, tolerance)
        placed: tuple[Layer, ...] = ()
        rng = self._stream.at(recipe.scene, recipe.attempt)
        for foreground, flip in foregrounds:
            scene = Scene(recipe.scene, background, placed)
            layer = self._first_fitting(scene, stack, foreground, flip, rng)
            if layer is None:
                raise self._no_place(recipe, foreground.key)
            placed = (*placed, layer)
        layers = tuple(map(_completed, placed, repeat(background), stack.visible))
        laps("place")
        return PlacedRecipe(recipe, background, stack, layers)

    def blend(self, placed: PlacedRecipe) -> Composite:
        """Blend all layers into the background, back to front."""
        recipe, background, stack = placed.recipe, placed.background, placed.stack
        canvas, blend, fallbacks = background.image.copy(), self._blend.variant(recipe.variant), 0
        layer_pixels = stack.layer_pixels
        rows = [(one.top, one.top + len(one.alpha)) for one in layer_pixels]
        for layer, patch, top, left in stack.patches:
            if blend.match:
                patch = match_colours(canvas, patch, top, left, blend.match)
            if blend.shadow:
                rows.append(cast_shadow(canvas, background, layer, blend.shadow))
            fallbacks += not blend.blend(canvas, patch, top, left)
        return Composite(
            recipe,
            canvas,
            stack.mask,
            placed.layers,
            background,
            layer_pixels,
            _hull(rows),
            blend.name if self._blend.variants > 1 else None,
            fallbacks,
        )

    def _first_fitting(
        self,
        scene: Scene,
        stack: LayerStack,
        foreground: Foreground,
        flip: bool,
        rng: np.random.Generator,
    ) -> Layer | None:
        """Add the first proposal that fits to the stack, and return it; None if none fits."""
        for _ in range(self._placement.attempts):
            layer = self._placement.place(scene, foreground, flip, rng)
            fits = stack.add(
                layer,
                self._assets.scaled_foreground(layer),
                min_visible=self._placement.min_visible,
                max_overlap=self._placement.max_overlap,
            )
            if fits:
                return layer
        return None

    def _no_place(self, recipe: Recipe, key: str) -> NoPlaceError:
        stage = self._placement
        return NoPlaceError(
            f"no place for {key} on {recipe.background} in "
            f"placement.attempts={stage.attempts} proposals of placement={stage.name} with "
            f"placement.min_visible={stage.min_visible:g} and "
            f"placement.max_overlap={stage.max_overlap:g}; loosen one of them"
        )


def _hull(rows: Sequence[Rows]) -> Rows:
    """The smallest range that contains all non-empty ranges."""
    if len(rows) == 1:
        return rows[0]
    non_empty = [(first, stop) for first, stop in rows if first < stop]
    return min(non_empty)[0], max(stop for _, stop in non_empty)


def _completed(layer: Layer, background: Background, visible: float) -> Layer:
    """The layer with its depth and its visible fraction.

    A new layer is made field by field, since `replace` takes five times as long.
    """
    depth_m = layer.depth_m
    return Layer(
        layer.foreground,
        layer.label,
        layer.top,
        layer.left,
        layer.height,
        layer.width,
        layer.flip,
        foot_depth(background, layer) if depth_m is None else depth_m,
        visible,
    )
