"""Metadata: plain data within a limit, and keypoints that move with their image."""

from __future__ import annotations

import datetime
import enum
import json
import uuid
from typing import Any

import numpy as np
import pytest

from depthmask.codec.metadata import MOST_BYTES, move_keypoints, plain_meta
from depthmask.errors import UsageError


class Colour(enum.Enum):
    """An enum, which orjson would write as text."""

    red = "red"


PLAIN: dict[str, Any] = {
    "caption": "eine Tasse \N{HOT BEVERAGE}",
    "row": 2**63,
    "score": 0.1,
    "on": True,
    "none": None,
    "tags": ["a", ["b"]],
    "more": {"page": 3},
    "keypoints": [[1, 2.5], [3, 4, 2], [0, 0, 0]],
    "flip_pairs": [[0, 1]],
}


def test_plain_data_comes_back_as_a_copy() -> None:
    meta = plain_meta(PLAIN, "cup")
    assert meta == PLAIN
    assert meta is not PLAIN
    assert meta["tags"] is not PLAIN["tags"]
    assert json.loads(json.dumps(meta)) == meta


def test_tuples_become_lists() -> None:
    assert plain_meta({"keypoints": {"nose": (1, 2)}}, "cup") == {"keypoints": {"nose": [1, 2]}}


@pytest.mark.parametrize("empty", [None, {}])
def test_no_metadata_is_none(empty: object) -> None:
    assert plain_meta(empty, "cup") is None


@pytest.mark.parametrize(
    "meta",
    [
        {"a": np.float64(1)},
        {"a": np.zeros(2)},
        {"a": {1, 2}},
        {"a": float("nan")},
        {"a": float("inf")},
        {"a": datetime.date(2024, 1, 1)},
        {"a": uuid.UUID(int=0)},
        {"a": Colour.red},
        {"a": b"bytes"},
        {"a": 2**64},
        {"a": "\ud800"},
        {1: "a"},
        ["a"],
        "a",
        0,
    ],
)
def test_other_data_is_refused_in_one_line(meta: object) -> None:
    with pytest.raises(UsageError, match=r"^foreground cup: meta must be .*plain JSON data") as one:
        plain_meta(meta, "foreground cup")
    assert "\n" not in str(one.value)


def test_the_size_is_limited() -> None:
    fits = {"caption": "x" * (MOST_BYTES - len('{"caption":""}'))}
    assert plain_meta(fits, "cup") == fits
    with pytest.raises(UsageError) as caught:
        plain_meta({"row": 1, **fits}, "foreground cup")
    assert str(caught.value) == (
        "foreground cup: meta takes 65,544 bytes as JSON, the most is 65,536; shorten 'caption'"
    )


@pytest.mark.parametrize(
    "keypoints",
    [
        "see the file",
        None,
        [1, 2],
        [1, 2, 2, 3, 4, 2],
        [[1]],
        [[1, 2, 3, 4]],
        [["1", "2"]],
        [[True, 2]],
        {"nose": 3},
        [{"x": 1, "y": 2}],
    ],
)
def test_keypoints_have_one_form(keypoints: object) -> None:
    with pytest.raises(UsageError, match=r"^cup: meta\.keypoints must be a list of \[x, y\]"):
        plain_meta({"keypoints": keypoints}, "cup")


@pytest.mark.parametrize(
    "pairs", [[[0, 2]], [[0]], [0, 1], [["left", "right"]], {"0": 1}, [[0, -1]]]
)
def test_pairs_name_keypoints(pairs: object) -> None:
    with pytest.raises(UsageError, match=r"^cup: meta\.flip_pairs must be a list of pairs"):
        plain_meta({"keypoints": [[1, 2], [3, 4]], "flip_pairs": pairs}, "cup")


def test_keypoints_are_scaled_and_shifted() -> None:
    meta = {"caption": "a", "keypoints": [[1, 2], [1.5, 0.25, 1]]}
    moved = move_keypoints(meta, scale=(10, 2), shift=(-3, 100))
    assert moved == {"caption": "a", "keypoints": [[102, 17], [103, -0.5, 1]]}
    assert meta["keypoints"] == [[1, 2], [1.5, 0.25, 1]]


def test_names_and_unlabelled_points_stay() -> None:
    meta = {"keypoints": {"nose": [1, 2, 2], "tail": [0, 0, 0]}}
    moved = move_keypoints(meta, (1, 1), (5, 6))
    assert moved == {"keypoints": {"nose": [7, 7, 2], "tail": [0, 0, 0]}}


def test_positions_are_rounded_to_a_thousandth() -> None:
    assert move_keypoints({"keypoints": [[1, 1]]}, (1 / 3, 2 / 3), (0, 0))["keypoints"] == [
        [0.667, 0.333]
    ]


def test_a_mirror_changes_the_points_of_pairs() -> None:
    by_index = {"keypoints": [[1, 0, 2], [9, 0, 1], [5, 5]], "flip_pairs": [[0, 1]]}
    by_name = {"keypoints": {"l_eye": [1, 0], "r_eye": [9, 0]}, "flip_pairs": [["l_eye", "r_eye"]]}
    # x -> 10 - x
    assert move_keypoints(by_index, (1, -1), (0, 10))["keypoints"] == [[1, 0, 1], [9, 0, 2], [5, 5]]
    assert move_keypoints(by_name, (1, -1), (0, 10))["keypoints"] == {
        "l_eye": [1, 0],
        "r_eye": [9, 0],
    }
    assert move_keypoints(by_index, (1, 1), (0, 0))["keypoints"] == by_index["keypoints"]
    without = {"keypoints": [[1, 0], [9, 0]]}
    assert move_keypoints(without, (1, -1), (0, 10))["keypoints"] == [[9, 0], [1, 0]]


def test_without_keypoints_there_is_nothing_to_move() -> None:
    meta = {"caption": "a"}
    assert move_keypoints(meta, (1, -1), (0, 10)) is meta
