"""Placements: the positions and sizes of foregrounds on a background."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np

from depthmask.data import Foreground, Layer, Scene, Size
from depthmask.stage import Stage, setting, settings


@settings
class Placement(Stage):
    """Proposes one layer at a time; the framework accepts those that obey the settings below."""

    kind: ClassVar[str] = "placement"
    reads_geometry: ClassVar[bool] = False
    """Whether `place` needs the background's depth, camera or plane."""
    needs_ground: ClassVar[bool] = False
    """Whether `place` needs a floor; it is fitted to the depth if the source knows none."""
    mostly_outside: ClassVar[str] = (
        "mostly outside of the picture; lower placement.min_visible, or make it smaller"
    )
    """Why a sample is redrawn if too little of a layer is on the canvas; after `; ` what helps."""

    min_visible: float = setting(0.25, ge=0, le=1, help="least visible fraction of each cut-out")
    max_overlap: float = setting(
        0.5,
        ge=0,
        le=1,
        help="largest fraction of a new cut-out that may overlap earlier ones",
    )
    tolerance: float = setting(
        0.5, ge=0, lt=1, help="depth by a network hides only what is farther by this fraction"
    )
    attempts: int = setting(
        100, ge=1, help="proposals for a cut-out before the run stops with an error"
    )

    def labels_in_settings(self) -> Mapping[str, Iterable[Any]]:
        """The labels that each setting names; one that no foreground has ends the run."""
        return {}

    def arrange(self, scene: Scene, rng: np.random.Generator) -> Any:
        """Plan the positions of all foregrounds of a sample at once, before the first `place`.

        The result is `scene.arrangement` in each `place` of this sample; None by default. It is
        not copied or stored. `scene.layers` is empty. rng: a generator of the sample, another than
        that of `place`. Called once for each draw of assets; raises `NoPlaceError` as `place`.
        """
        return None

    @abstractmethod
    def place(
        self, scene: Scene, foreground: Foreground, flip: bool, rng: np.random.Generator
    ) -> Layer:
        """Propose a box [pixels] for the foreground; all random numbers come from `rng`.

        A layer with `depth_m` is hidden by nearer background and nearer layers; a layer without it
        lies in front of earlier layers and of the background, and its depth is then the least of
        that at its foot point and of all that it hides. Raises `NoPlaceError` if no proposal can
        ever fit this background; the sample then draws other assets.
        """


def scaled_size(foreground: Foreground, scale: float) -> Size:
    """(height, width) in pixels of the foreground at `scale`, at least one pixel each."""
    height, width = foreground.size
    return round(height * scale) or 1, round(width * scale) or 1


def scaled_layer(foreground: Foreground, *, top: int, left: int, scale: float, flip: bool) -> Layer:
    """The layer of a foreground at `scale` times its prepared size, without depth."""
    height, width = scaled_size(foreground, scale)
    return Layer(foreground.key, foreground.label, top, left, height, width, flip)
