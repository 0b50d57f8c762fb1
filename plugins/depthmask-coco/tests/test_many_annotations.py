"""Many annotations at once: the same as one by one, and the same again from the asset store."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from depthmask_coco import _coco_file
from depthmask_coco._coco_file import read_coco
from depthmask_coco._coco_shapes import BadShapeError, coco_shape, usual_polygons
from depthmask_coco._instances import Annotations
from depthmask_coco._kept_annotations import as_plain, from_plain
from depthmask_coco._shapes import Polygons

SIZE = (96, 128)
NAN, INF = float("nan"), float("inf")
NUMBERS: list[Any] = [
    *(True, False, None, "7", "", [], [1.0], {}, NAN, INF, -INF, 10**30, 10**400, -(10**400)),
    *(
        1e9,
        -1e9,
        999999999,
        -0.0,
        0,
        -1,
        -2.0,
        -2.5,
        98.0,
        98.5,
        130,
        131,
        2**53 + 1,
        1e300,
        5e-324,
    ),
]
SEGMENTATIONS: list[Any] = [
    *(None, [], [[]], [[], []], "x", 3, True, {}, [None], [[1, 2, 3, 4]], [[1, 2, 3, 4, 5, 6, 7]]),
    *({"size": [96, 128], "counts": [96, 96, 96 * 126]}, {"size": [96, 128], "counts": "?"}),
    *(
        {"size": [2, 2], "counts": [4]},
        [[1, 2, 3], 7],
        [1, 2, 3, 4, 5, 6],
        [[[1], [2], [3], [4], [5], [6]]],
    ),
]


def polygon(rng: random.Random) -> list[Any]:
    def number(most: int) -> float:
        return rng.choice(
            [rng.uniform(0, most), rng.randint(0, most), round(most * rng.random(), 2)]
        )

    return [number(most) for _ in range(rng.randint(3, 30)) for most in SIZE[::-1]]


def segmentation(rng: random.Random, faults: float) -> Any:
    """Polygons on the photograph, or something else."""
    parts = [polygon(rng) for _ in range(rng.choice([1, 1, 1, 2, 5]))]
    if rng.random() >= faults:
        return parts
    part, kind = rng.choice(parts), rng.randrange(4)
    if kind == 0:
        return rng.choice(SEGMENTATIONS)
    if kind == 1:
        del part[rng.randrange(len(part)) :]
    else:
        part[rng.randrange(len(part))] = rng.choice(NUMBERS)
    return parts


def content(rng: random.Random, faults: float) -> dict[str, Any]:
    annotations: list[Any] = []
    for number in range(rng.randint(40, 600)):
        box = [1, 2.5, 3, 4]
        if rng.random() < faults:
            box[rng.randrange(4)] = rng.choice(NUMBERS)
        category, crowd = 1 + (rng.random() < faults), rng.random() < 0.1
        one = {"id": number, "image_id": 1, "category_id": category, "bbox": box, "iscrowd": crowd}
        annotations.append({**one, "segmentation": segmentation(rng, faults)})
        if rng.random() < faults:
            annotations.append(rng.choice([7, {}, {"id": number}, {**one, "id": str(number)}]))
    image: dict[str, Any] = {"id": 1, "file_name": "a.jpg", "license": 1}
    return {
        # The reader of JSON with NaN knows integers of any size.
        "info": NAN if faults else None,
        "licenses": [{"id": 1, "name": "CC0"}],
        "images": [{**image, "height": SIZE[0], "width": SIZE[1]}],
        "categories": [{"id": 1, "name": "thing"}, *[{"id": 2}] * (faults > 0.01)],
        "annotations": annotations,
    }


def one_by_one(monkeypatch: pytest.MonkeyPatch, data: bytes) -> Annotations:
    with monkeypatch.context() as patch:
        patch.setattr(_coco_file, "usual_polygons", lambda shapes: [None] * len(shapes))
        return read_coco(Path("a.json"), data)


@pytest.mark.parametrize("faults", [0, 0.002, 0.05, 0.5])
@pytest.mark.parametrize("seed", range(8))
def test_files_read_the_same(monkeypatch: pytest.MonkeyPatch, seed: int, faults: float) -> None:
    data = json.dumps(content(random.Random(f"{seed} {faults}"), faults)).encode()
    together = read_coco(Path("a.json"), data)
    assert together == one_by_one(monkeypatch, data)
    assert together.instances
    kept = orjson.loads(orjson.dumps(as_plain(together)))
    assert from_plain(Path("a.json"), kept) == together
    assert together.faults if faults > 0.01 else faults or not together.faults


@pytest.mark.parametrize("seed", range(40))
def test_each_segmentation(seed: int) -> None:
    """Whatever lies beside it, a segmentation that is made is the one that it is by itself."""
    rng = random.Random(seed)
    shapes = [segmentation(rng, 0.1 if seed % 2 else 0) for _ in range(rng.randint(1, 40))]
    made = usual_polygons(shapes)
    assert len(made) == len(shapes)
    assert seed % 2 or None not in made
    for shape, outline in zip(shapes, made, strict=True):
        assert result(shape, outline) == result(shape, None)


def result(shape: Any, outline: Polygons | None) -> Any:
    try:
        return coco_shape(shape, SIZE, outline)
    except BadShapeError as error:
        return str(error)


def test_areas_to_the_last_bit() -> None:
    """Thousands of terms of all magnitudes, which other orders of adding round otherwise."""
    rng = np.random.default_rng(1)
    shapes = [[[*rng.uniform(0, 96, 2 * int(n))]] for n in rng.integers(3, 5000, 60)]
    shapes = [[[float(one) for one in part] for part in shape] for shape in shapes]
    for shape, outline in zip(shapes, usual_polygons(shapes), strict=True):
        assert outline is not None
        one = coco_shape(shape, SIZE)
        assert isinstance(one, Polygons)
        assert (outline.area.hex(), outline.box) == (one.area.hex(), one.box)


def test_a_fault_leaves_other_kinds_alone() -> None:
    """Polygons are made together whatever is beside them, but for numbers at fault."""
    good: list[list[float]] = [[1, 1, 9, 1, 9, 9.5]]
    for other in SEGMENTATIONS[:-1]:
        made = usual_polygons([good, other, good])
        assert made == [coco_shape(good, SIZE), None, coco_shape(good, SIZE)], other
    assert usual_polygons([good, SEGMENTATIONS[-1]]) == [None, None]
    assert usual_polygons([]) == []
