"""From a recipe to a composite: place the foregrounds, resolve occlusion, blend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat

import numpy as np

from depthmask.compose.cover import Cover, foot_depth
from depthmask.compose.library import Library
from depthmask.compose.light import cast_shadow, matched
from depthmask.data import Background, Composite, Foreground, Layer, Recipe, Rows, Scene
from depthmask.errors import NoPlaceError
from depthmask.plan.rng import Stream
from depthmask.stages.blend.base import Blend
from depthmask.stages.placement.base import Placement
from depthmask.timing import Laps


@dataclass(frozen=True, slots=True)
class Placed:
    """A recipe with placed foregrounds. layers: in the order of placing."""

    recipe: Recipe
    background: Background
    cover: Cover
    layers: tuple[Layer, ...]


class Composer:
    """Makes composites. The result depends on seed, stages and recipe alone."""

    def __init__(self, seed: int, placement: Placement, blend: Blend, library: Library) -> None:
        self._placement = placement
        self._blend = blend
        self._library = library
        self._stream = Stream(seed, "placement")

    def place(self, recipe: Recipe, laps: Laps) -> Placed:
        """Place every foreground of the recipe.

        Raises `NoPlaceError` if no proposal fits for one of them.
        """
        background = self._library.background(recipe.background)
        foregrounds = [(self._library.foreground(key), flip) for key, flip in recipe.foregrounds]
        laps("source")
        size = background.image.shape[0], background.image.shape[1]
        tolerance = self._placement.tolerance if background.guessed else 0.0
        cover = Cover(size, background.depth_m, tolerance)
        placed: tuple[Layer, ...] = ()
        rng = self._stream.at(recipe.scene, recipe.attempt)
        for foreground, flip in foregrounds:
            scene = Scene(recipe.scene, background, placed)
            layer = self._placed(scene, cover, foreground, flip, rng)
            if layer is None:
                raise self._no_place(recipe, foreground.key)
            placed = (*placed, layer)
        layers = tuple(map(_labelled, placed, repeat(background), cover.visible))
        laps("place")
        return Placed(recipe, background, cover, layers)

    def blend(self, placed: Placed) -> Composite:
        """Blend all layers into the background, back to front."""
        recipe, background, cover = placed.recipe, placed.background, placed.cover
        canvas, blend, fallbacks = background.image.copy(), self._blend.variant(recipe.variant), 0
        layer_pixels = cover.layer_pixels
        rows = [(one.top, one.top + len(one.alpha)) for one in layer_pixels]
        for layer, patch, top, left in cover.patches:
            if blend.match:
                patch = matched(canvas, patch, top, left, blend.match)
            if blend.shadow:
                rows.append(cast_shadow(canvas, background, layer, blend.shadow))
            fallbacks += not blend.blend(canvas, patch, top, left)
        return Composite(
            recipe,
            canvas,
            cover.mask,
            placed.layers,
            background,
            layer_pixels,
            _hull(rows),
            blend.name if self._blend.variants > 1 else None,
            fallbacks,
        )

    def _placed(
        self,
        scene: Scene,
        cover: Cover,
        foreground: Foreground,
        flip: bool,
        rng: np.random.Generator,
    ) -> Layer | None:
        """The first proposal that fits, added to the cover; None if none fits."""
        for _ in range(self._placement.attempts):
            layer = self._placement.place(scene, foreground, flip, rng)
            fits = cover.add(
                layer,
                self._library.cut_out(layer),
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
    some = [(first, stop) for first, stop in rows if first < stop]
    return min(some)[0], max(stop for _, stop in some)


def _labelled(layer: Layer, background: Background, visible: float) -> Layer:
    """The layer with its depth and visible fraction; `replace` takes five times as long."""
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
