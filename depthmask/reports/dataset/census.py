"""What the descriptions (the JSON) of the samples say, counted."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthmask.data import Size
from depthmask.reports.dataset.histogram import Histogram

CELLS = 80
"""Of the map of placements, each way; a whole number of them on the canvas."""
REACH = 0.5
"""How far the map goes beyond each edge of the canvas, by the canvas."""
SCARCE = 0.05
"""An object of which less is to be seen is hardly there."""
_EXAMPLES = 5
_TOGETHER = 4096


class Census:
    """Counts over all samples, in bounded memory.

    backgrounds, foregrounds: by split, how many samples show each. first: the first sample that
    shows an asset, by (`background` or `foreground`, key). visible: part of each object that is to
    be seen. placement: int64 [CELLS, CELLS], where the middle of each box lies, in a window that
    reaches beyond the canvas. box_sizes: least and greatest [height, width] in pixels. empty,
    scarce: samples of whose objects nothing, or hardly anything, is to be seen.
    """

    def __init__(self, size: Size) -> None:
        self._size = size
        self.samples = 0
        self.objects = 0
        self.described = 0
        self.backgrounds: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.foregrounds: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.first: dict[tuple[str, str], int] = {}
        self.labels: dict[str, str] = {}
        self.member_bytes: Counter[str] = Counter()
        self.visible = Histogram(0.01, 1.0)
        self.distance_m = Histogram(0.01, 100.0)
        self.placement: NDArray[np.int64] = np.zeros((CELLS, CELLS), np.int64)
        self.box_sizes: tuple[Size, Size] | None = None
        self.empty = 0
        self.scarce = 0
        self.empty_examples: list[int] = []
        self._pending: tuple[list[float], list[float], list[list[float]]] = ([], [], [])

    def add(
        self, number: int, split: str, meta: Mapping[str, Any], members: Mapping[str, bytes]
    ) -> None:
        """Count sample `number`. Call in `untrusted`: others may have written the description."""
        self.samples += 1
        for name, data in members.items():
            self.member_bytes[name] += len(data)
        if (background := meta.get("background")) is not None:
            self._asset("background", self.backgrounds[split], str(background), number)
        layers = meta.get("layers", ())
        visible, distances, boxes = self._pending
        seen = []
        for layer in layers:
            if (key := layer.get("foreground")) is not None:
                self._asset("foreground", self.foregrounds[split], str(key), number)
                self.labels[str(key)] = str(layer.get("label", ""))
            if (part := layer.get("visible")) is not None:
                seen.append(float(part))
            if (depth_m := layer.get("depth_m")) is not None:
                distances.append(float(depth_m))
            if (box := layer.get("box")) is not None:
                boxes.append(box)
        self.objects += len(layers)
        if seen:
            visible += seen
            self._note_visible(number, max(seen))
        if len(visible) + len(boxes) > _TOGETHER:
            self.settle()

    def settle(self) -> None:
        """Count what was left for later: NumPy takes a thousand numbers in the time of ten."""
        visible, distances, boxes = self._pending
        self.visible.add(visible)
        self.distance_m.add(distances)
        if boxes:
            self._add_boxes(np.array(boxes, np.float64))
        for pending in self._pending:
            pending.clear()

    def _asset(self, kind: str, counts: Counter[str], key: str, number: int) -> None:
        counts[key] += 1
        self.first.setdefault((kind, key), number)

    def _note_visible(self, number: int, most: float) -> None:
        self.described += 1
        if most < SCARCE:
            self.scarce += 1
        if most == 0:
            self.empty += 1
            if len(self.empty_examples) < _EXAMPLES:
                self.empty_examples.append(number)

    def _add_boxes(self, boxes: NDArray[np.float64]) -> None:
        """Boxes [n, 4]: top, left, height, width in canvas pixels."""
        corner, extent = boxes[:, :2], boxes[:, 2:]
        middle = (corner + extent / 2) / self._size
        cell = np.clip((middle + REACH) / (1 + 2 * REACH) * CELLS, 0, CELLS - 1).astype(np.int64)
        flat = np.bincount(cell[:, 0] * CELLS + cell[:, 1], minlength=CELLS * CELLS)
        self.placement += flat.reshape(CELLS, CELLS)
        least, greatest = extent.min(axis=0), extent.max(axis=0)
        if self.box_sizes is not None:
            least = np.minimum(least, self.box_sizes[0])
            greatest = np.maximum(greatest, self.box_sizes[1])
        self.box_sizes = ((int(least[0]), int(least[1])), (int(greatest[0]), int(greatest[1])))
