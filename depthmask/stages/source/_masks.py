"""Reads masks of cut-outs as other programs save them, or says why a file is not one shape."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from depthmask.data import FAINT_ALPHA
from depthmask.stages.source import _images as images
from depthmask.stages.source._folder import AssetError

_FEW = 32
"""Greys or colours. A mask with more has soft edges or the noise of JPEG; maps of classes have
fewer, such as the 21 of Pascal VOC with 255 as void."""
_CLASSES = 20
"""The greatest class number of Pascal VOC, and above that of Cityscapes: both have 255 as void."""
_NEARLY_BLACK = 2
"""The greatest grey that some programs write for black, where there is no 0."""
_BLACK = (0, 0, 0)
_VOID = (224, 224, 192)
"""The colour of the line around objects in the palette of Pascal VOC."""
_SAVE = "save the one object as 255 and the rest as 0, in 8-bit grey"
_SHOWN = 6
"""The greys or colours that a message names."""


def load_mask(path: Path, data: bytes | None = None) -> Image.Image:
    """The alpha that a mask file stands for, 8-bit grey; docs/assets.md has the rules.

    data: the content of the file, if it is in memory. Raises `AssetError`, which names the file, if
    it cannot be decoded or is not one shape.
    """
    data = images.read(path) if data is None else data
    mask = images.load(path, data)
    alpha = _alpha_of(path, mask)
    if alpha is not None:
        return alpha
    shape = _shape_of(path, mask, is_lossy=_is_lossy(data))
    _require_black_around(path, np.asarray(shape))
    return shape


def _shape_of(path: Path, mask: Image.Image, *, is_lossy: bool) -> Image.Image:
    """The shape of a mask by its greys or colours."""
    if is_lossy:
        return _of_noisy(path, images.to_rgb(mask))
    if mask.mode.startswith("I"):
        return _of_deep(path, np.asarray(mask).astype(np.uint16))
    if mask.mode in ("1", "L", "LA"):
        return _of_grey(path, mask.convert("L"))
    return _of_colours(path, images.to_rgb(mask), is_palette=mask.mode == "P")


def _alpha_of(path: Path, mask: Image.Image) -> Image.Image | None:
    """The alpha channel of a mask if the shape is in it; None if it is solid everywhere."""
    rgba = images.to_rgba(mask)
    if rgba is None or np.asarray(rgba)[..., 3].min() >= 255 - FAINT_ALPHA:
        return None
    alpha = rgba.getchannel("A")
    is_shown = np.asarray(alpha) > FAINT_ALPHA
    colours = np.asarray(mask if mask.mode.startswith("I") else rgba.convert("RGB"))[is_shown]
    if (colours == colours[:1]).all():
        return alpha
    grey = np.asarray(rgba.convert("RGB").convert("L"), np.int16)
    if np.abs(grey - np.asarray(alpha))[is_shown].max() <= FAINT_ALPHA:
        return alpha
    raise AssetError(path, f"its colours and its transparency are two shapes; {_SAVE}")


def _require_black_around(path: Path, shape: NDArray[np.uint8]) -> None:
    """Raise `AssetError` for a mask without black, or with the object black on white."""
    white = 255 - FAINT_ALPHA
    if FAINT_ALPHA < shape.min() < white:
        raise AssetError(path, f"it is nowhere black, {shape.min()} of 255 at least; {_SAVE}")
    edges = (shape[0], shape[-1], shape[:, 0], shape[:, -1])
    if shape.min() <= FAINT_ALPHA and min(edge.min() for edge in edges) >= white:
        raise AssetError(
            path,
            "it is white along all edges and black inside, so most likely inverted (an object with "
            f"a hole that fills its file needs transparency of its own in fg/); {_SAVE}",
        )


def _of_colours(path: Path, rgb: Image.Image, *, is_palette: bool) -> Image.Image:
    """The shape of a mask that may be coloured: that of its one colour besides black."""
    counted = rgb.getcolors(_FEW)
    if counted is None:
        return _of_grey(path, _nearly_grey(path, rgb))
    colours: set[Any] = {colour for _, colour in counted}
    is_grey = all(red == green == blue for red, green, blue in colours)
    is_marked = is_palette and len(colours) == 2 and _BLACK in colours
    if is_grey and not is_marked:
        return _of_grey(path, rgb.convert("L"))
    objects = colours - {_BLACK, _VOID}
    if len(objects) != 1 or _BLACK not in colours:
        _refuse(path, "colours", [_hex(*colour) for colour in sorted(colours)])
    return _white((np.asarray(rgb) == objects.pop()).all(axis=2))


def _of_noisy(path: Path, rgb: Image.Image) -> Image.Image:
    """The shape of a mask that was saved with losses; what is nearly black or white is made so."""
    return _of_grey(path, _nearly_grey(path, rgb)).point(_without_noise)


def _nearly_grey(path: Path, rgb: Image.Image) -> Image.Image:
    if _most_colour(np.asarray(rgb)) > FAINT_ALPHA:
        raise AssetError(path, f"a picture in colours is no mask; {_SAVE}")
    return rgb.convert("L")


def _of_grey(path: Path, grey: Image.Image) -> Image.Image:
    """The shape of an 8-bit grey mask, of which 0 and 1 stand for black and white."""
    counts = np.array(grey.histogram(), np.intp)
    if not counts[2:].any():
        return _white(np.asarray(grey) > 0)
    _require_one_object(path, counts, "greys")
    return grey


def _of_deep(path: Path, grey: NDArray[np.uint16]) -> Image.Image:
    """The shape of a 16-bit grey mask, as `_of_grey`."""
    counts = np.bincount(grey.ravel(), minlength=65536)
    if not counts[2:].any():
        return _white(grey > 0)
    _require_one_object(path, counts, "16-bit greys")
    return Image.fromarray((grey >> 8).astype(np.uint8))


def _require_one_object(path: Path, counts: NDArray[np.intp], kind: str) -> None:
    """Raise `AssetError` if there are few greys that are most likely numbers.

    counts: of the pixels of each grey.
    """
    levels = np.flatnonzero(counts)
    if len(levels) <= _FEW and _are_numbers(levels, counts):
        _refuse(path, kind, list(map(str, levels)))


def _are_numbers(levels: NDArray[np.intp], counts: NDArray[np.intp]) -> bool:
    """Whether a few greys are most likely the numbers of classes or objects.

    In a mask of one object, white is most of what is not black. Where numbers have 255 as well, it
    is the void of Pascal VOC, and the numbers are small.
    """
    white = len(counts) - 1
    shown = levels[levels > 0]
    others = shown[shown < white]
    if not len(others):
        return False
    is_solid = shown >= white - FAINT_ALPHA * (white // 255)
    if not is_solid.any():
        return len(shown) > 1 or 2 * int(shown[0]) < white
    if others[-1] <= _CLASSES and (levels[0] == 0 or others[-1] > _NEARLY_BLACK):
        return True
    # Noise around a small object may be more than the object.
    shades = shown[~is_solid & (shown > _CLASSES)]
    return bool(counts[shades].max(initial=0) > counts[shown[is_solid]].sum())


def _refuse(path: Path, kind: str, values: list[str]) -> NoReturn:
    """Raise the error about a mask of several classes; names the first greys or colours."""
    more = ", ..." if len(values) > _SHOWN else ""
    raise AssetError(
        path,
        f"its {kind} {', '.join(values[:_SHOWN])}{more} are most likely class or object numbers, "
        f"and a cut-out is one object; {_SAVE}",
    )


def _hex(red: int, green: int, blue: int) -> str:
    return f"#{red:02x}{green:02x}{blue:02x}"


def _most_colour(rgb: NDArray[np.uint8]) -> int:
    """The greatest difference between the channels of a pixel."""
    red, green, blue = (rgb[..., channel] for channel in range(3))
    most, least = np.maximum(red, green), np.minimum(red, green)
    return int((np.maximum(most, blue) - np.minimum(least, blue)).max())


def _white(is_object: NDArray[np.bool_]) -> Image.Image:
    return Image.fromarray(is_object.astype(np.uint8) * 255)


def _without_noise(level: int) -> int:
    if level <= FAINT_ALPHA:
        return 0
    return 255 if level >= 255 - FAINT_ALPHA else level


def _is_lossy(data: bytes) -> bool:
    """Whether a file is a JPEG, an AVIF, a HEIC, or a WebP with losses."""
    is_video = data[4:8] == b"ftyp"
    return (
        is_video or data.startswith(b"\xff\xd8") or (data.startswith(b"RIFF") and b"VP8 " in data)
    )
