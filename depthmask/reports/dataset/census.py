"""Counts over the descriptions, the JSON members, of all samples."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthmask.data import Size
from depthmask.reports.dataset.histogram import Histogram

CELLS = 80
"""The cells of the placement map in each direction; the canvas is a whole number of cells."""
REACH = 0.5
"""How far the map extends beyond each edge of the canvas, as a fraction of the canvas."""
HARDLY_VISIBLE = 0.05
"""A foreground with a smaller visible share counts as hardly visible."""
_MOST_EXAMPLES = 5
_MOST_PENDING = 4096
"""The numbers that are collected before NumPy counts them."""


class Census:
    """Counts over all samples, in bounded memory.

    layers: the number of layers in all samples. with_visibility: the samples whose descriptions say
    how much of each layer is visible. backgrounds, foregrounds: by split, how many samples show
    each asset. labels: the label of each foreground; layers_by_label: how many layers have each,
    and instances_by_label: how many instances of backgrounds. first_samples: (`label`, label),
    (`background`, key) or (`foreground`, key) -> the first sample that shows the class or the
    asset. visible: the visible share of each layer. placement: int64 [CELLS, CELLS], the number of
    boxes with their centre in each cell, in a window larger than the canvas. box_sizes: the least
    and the greatest (height, width) in pixels. empty: samples without a visible layer.
    nearly_empty: samples in which every layer is hardly visible.
    """

    def __init__(self, size: Size) -> None:
        self._size = size
        self.samples = 0
        self.layers = 0
        self.with_visibility = 0
        self.backgrounds: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.foregrounds: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.first_samples: dict[tuple[str, str], int] = {}
        self.labels: dict[str, str] = {}
        self.layers_by_label: Counter[str] = Counter()
        self.instances_by_label: Counter[str] = Counter()
        self.member_bytes: Counter[str] = Counter()
        self.visible = Histogram(0.01, 1.0)
        self.distance_m = Histogram(0.01, 100.0)
        self.placement: NDArray[np.int64] = np.zeros((CELLS, CELLS), np.int64)
        self.box_sizes: tuple[Size, Size] | None = None
        self.empty = 0
        self.nearly_empty = 0
        self.empty_examples: list[int] = []
        self._pending: tuple[list[float], list[float], list[list[float]]] = ([], [], [])

    def add(
        self, number: int, split: str, meta: Mapping[str, Any], members: Mapping[str, bytes]
    ) -> None:
        """Count sample `number`. Call in `untrusted`: the description may have any content."""
        self.samples += 1
        for name, data in members.items():
            self.member_bytes[name] += len(data)
        if (background := meta.get("background")) is not None:
            self._count_asset("background", self.backgrounds[split], str(background), number)
        layers = meta.get("layers", ())
        visible, distances, boxes = self._pending
        shares = []
        for layer in layers:
            if (key := layer.get("foreground")) is not None:
                self._count_asset("foreground", self.foregrounds[split], str(key), number)
                label = self.labels[str(key)] = str(layer.get("label", ""))
                self.layers_by_label[label] += 1
                if label:
                    self.first_samples.setdefault(("label", label), number)
            if (share := layer.get("visible")) is not None:
                shares.append(float(share))
            if (depth_m := layer.get("depth_m")) is not None:
                distances.append(float(depth_m))
            if (box := layer.get("box")) is not None:
                boxes.append(box)
        own = meta.get("background_instances", ())
        for one in own:
            label = str(one.get("label", ""))
            self.instances_by_label[label] += 1
            if label:
                self.first_samples.setdefault(("label", label), number)
        self.layers += len(layers)
        if shares:
            visible += shares
            self._count_visible(number, max(shares))
        if len(visible) + len(boxes) > _MOST_PENDING:
            self.count_pending()

    def count_pending(self) -> None:
        """Count the collected numbers: NumPy counts a thousand in the time of ten."""
        visible, distances, boxes = self._pending
        self.visible.add(visible)
        self.distance_m.add(distances)
        if boxes:
            self._add_boxes(np.array(boxes, np.float64))
        for pending in self._pending:
            pending.clear()

    def _count_asset(self, kind: str, counts: Counter[str], key: str, number: int) -> None:
        counts[key] += 1
        self.first_samples.setdefault((kind, key), number)

    def _count_visible(self, number: int, most: float) -> None:
        self.with_visibility += 1
        if most < HARDLY_VISIBLE:
            self.nearly_empty += 1
        if most == 0:
            self.empty += 1
            if len(self.empty_examples) < _MOST_EXAMPLES:
                self.empty_examples.append(number)

    def _add_boxes(self, boxes: NDArray[np.float64]) -> None:
        """Count boxes [n, 4]: top, left, height, width in canvas pixels."""
        corner, extent = boxes[:, :2], boxes[:, 2:]
        centre = (corner + extent / 2) / self._size
        cell = np.clip((centre + REACH) / (1 + 2 * REACH) * CELLS, 0, CELLS - 1).astype(np.int64)
        flat = np.bincount(cell[:, 0] * CELLS + cell[:, 1], minlength=CELLS * CELLS)
        self.placement += flat.reshape(CELLS, CELLS)
        least, greatest = extent.min(axis=0), extent.max(axis=0)
        if self.box_sizes is not None:
            least = np.minimum(least, self.box_sizes[0])
            greatest = np.maximum(greatest, self.box_sizes[1])
        self.box_sizes = ((int(least[0]), int(least[1])), (int(greatest[0]), int(greatest[1])))
