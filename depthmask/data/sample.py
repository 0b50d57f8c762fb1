"""A finished sample, as arrays and as the bytes of files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from depthmask.data.objects import MOST_SHOWN, brief, made_often
from depthmask.data.types import Float32, Rows, Size, UInt8, UInt16


def sample_key(index: int) -> str:
    """The name of a sample that has none of its own: `000000777`; photographs keep theirs."""
    return f"{index:09d}"


@made_often
@dataclass(frozen=True, slots=True)
class StripSource:
    """The background of an image; an encoder codes its strips once for all images on it.

    background: uint8 [h, w, 3], the same array for all these images. touched: the rows outside of
    which image and background are equal, and the mask is 0. key: of the background in its source,
    under which the strips are stored; None if they are not.
    """

    background: UInt8
    touched: Rows
    key: str | None = None

    __repr__ = brief


@made_often
@dataclass(frozen=True, slots=True)
class Sample:
    """A composite and its depth.

    image, mask: as in `Composite`. instances: the label `instances`, or None. depth: float32
    [dh, dw] by the dataset's contract, or None. meta: the recipe, the layers and the camera as JSON
    values. strip_source: the background, where it is known which rows of it the image keeps; None
    for a sample that was read from a file. labels: name -> array or JSON value, as the label stages
    made them.
    """

    key: str
    image: UInt8
    mask: UInt8
    instances: UInt8 | UInt16 | None
    depth: Float32 | None
    meta: dict[str, Any]
    strip_source: StripSource | None = None
    labels: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        height, width = self.image.shape[:2]
        parts = [f"image {height}x{width}", "mask", *self._depth_text()]
        parts += ["instances"] if self.instances is not None else []
        layers = self.meta.get("layers")
        # In a file that was damaged or made elsewhere, anything may stand there.
        all_layers = layers if isinstance(layers, list) else []
        names = [str(one.get("label")) for one in all_layers if isinstance(one, dict)]
        labels = ", ".join(names) if len(names) <= MOST_SHOWN else f"{len(names)} layers"
        parts += [f"layers [{labels}]"] if names else []
        own = self.meta.get("background_instances")
        parts += (
            [f"{len(own)} instances of the background"] if own and isinstance(own, list) else []
        )
        parts += [f"labels {', '.join(self.labels)}"] if self.labels else []
        return f"Sample({self.key}: {'; '.join(parts)})"

    def _depth_text(self) -> list[str]:
        """The depth map in a few words: its size, and its least and greatest valid value."""
        if self.depth is None:
            return []
        valid = self.depth[self.depth > 0]
        height, width = self.depth.shape
        extent = f" from {valid.min():.3g} to {valid.max():.3g}" if valid.size else " all invalid"
        return [f"depth {height}x{width}{extent}"]

    @property
    def index(self) -> int:
        """The number of the sample, by its description, or by its key without one."""
        return int(self.meta.get("index", self.key))

    @property
    def size(self) -> Size:
        """(height, width) of image and mask."""
        return self.image.shape[0], self.image.shape[1]


@made_often
@dataclass(frozen=True, slots=True)
class Encoded:
    """A sample as bytes: member name (`jpg`, `mask.png`, `depth.png`, `json`) -> file content.

    arrays: the same content as arrays (`image`, `mask`, `depth`), for writers that store arrays.
    """

    key: str
    members: dict[str, bytes]
    arrays: dict[str, NDArray[Any]]

    __repr__ = brief
