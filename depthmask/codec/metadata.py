"""Metadata of assets and layers: plain JSON data, and keypoints that move with their image."""

from __future__ import annotations

import json
from typing import Any

import orjson

from depthmask.data import Meta
from depthmask.errors import UsageError

MOST_BYTES = 64 << 10
"""The most bytes that the metadata of an asset or a layer may take as JSON: each sample has it."""
KEYPOINTS = "keypoints"
FLIP_PAIRS = "flip_pairs"
_DECIMALS = 3
"""Decimals of a keypoint's x and y in pixels."""


def plain_meta(meta: object, owner: str) -> Meta | None:
    """A copy of metadata as JSON has it, with lists for tuples; None if there is none.

    owner: whose metadata it is, for the errors. Raises `UsageError` if it is no plain data, too
    large, or has keypoints of another form than `move_keypoints` expects.
    """
    if meta is None or meta == {}:
        return None
    try:
        text = orjson.dumps(meta)
        plain = orjson.loads(text)
        # `json` refuses dates and enums, which orjson turns into texts, and writes NaN, for which
        # orjson has null.
        is_plain = isinstance(plain, dict) and json.dumps(plain) == json.dumps(meta)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{owner}: meta must be plain JSON data ({error})") from None
    if not is_plain:
        raise UsageError(
            f"{owner}: meta must be a dict of plain JSON data: texts, finite numbers, true, false, "
            "null, lists and dicts"
        )
    if len(text) > MOST_BYTES:
        raise UsageError(
            f"{owner}: meta takes {len(text):,} bytes as JSON, the most is {MOST_BYTES:,}; shorten "
            f"{max(plain, key=lambda name: len(orjson.dumps(plain[name])))!r}"
        )
    _check_keypoints(plain, owner)
    return plain


def move_keypoints(meta: Meta, scale: tuple[float, float], shift: tuple[float, float]) -> Meta:
    """Metadata whose keypoints have moved along with their image, to `point * scale + shift`.

    scale, shift: (vertical, horizontal); shift in pixels. `meta["keypoints"]` is a list of [x, y]
    or [x, y, v], or a mapping from names to these. v is COCO's visibility, which stays; a point
    with v = 0 has no position, and stays as it is. With a negative horizontal scale, which mirrors
    the image, the points of each pair in `meta["flip_pairs"]` (two indices or two names) change
    places. Without keypoints, the result is `meta` itself.
    """
    points = meta.get(KEYPOINTS)
    if not points:
        return meta
    moved = {name: _moved(points[name], scale, shift) for name in _names(points)}
    if scale[1] < 0:
        for one, other in meta.get(FLIP_PAIRS, ()):
            moved[one], moved[other] = moved[other], moved[one]
    return meta | {KEYPOINTS: moved if isinstance(points, dict) else list(moved.values())}


def _moved(
    point: list[float], scale: tuple[float, float], shift: tuple[float, float]
) -> list[float]:
    x, y, *visibility = point
    if visibility == [0]:
        return point
    moved_x, moved_y = x * scale[1] + shift[1], y * scale[0] + shift[0]
    return [round(moved_x, _DECIMALS), round(moved_y, _DECIMALS), *visibility]


def _names(points: list[Any] | dict[str, Any]) -> list[Any]:
    """The names of keypoints, or their indices."""
    return list(points) if isinstance(points, dict) else list(range(len(points)))


def _check_keypoints(meta: Meta, owner: str) -> None:
    points, pairs = meta.get(KEYPOINTS, []), meta.get(FLIP_PAIRS, [])
    if not isinstance(points, (list, dict)) or not all(
        map(_is_point, points.values() if isinstance(points, dict) else points)
    ):
        raise UsageError(
            f"{owner}: meta.keypoints must be a list of [x, y] or [x, y, v], or a mapping from "
            "names to these"
        )
    names = _names(points)
    if not isinstance(pairs, list) or not all(_is_pair(pair, names) for pair in pairs):
        raise UsageError(
            f"{owner}: meta.flip_pairs must be a list of pairs of keypoints, by index or by name"
        )


def _is_point(point: object) -> bool:
    return (
        isinstance(point, list)
        and len(point) in (2, 3)
        and all(type(number) in (int, float) for number in point)
    )


def _is_pair(pair: object, names: list[Any]) -> bool:
    return isinstance(pair, list) and len(pair) == 2 and all(name in names for name in pair)
