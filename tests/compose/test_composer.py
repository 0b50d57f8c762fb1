"""From recipes to composites."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from depthmask.compose.asset_cache import AssetCache
from depthmask.compose.composer import Composer
from depthmask.compose.describe import describe
from depthmask.data import (
    Background,
    Camera,
    Composite,
    Foreground,
    Layer,
    Plane,
    Recipe,
    Scene,
)
from depthmask.errors import DepthmaskError, NoPlaceError
from depthmask.plan.rng import Stream
from depthmask.stage import setting, stage
from depthmask.stage.calls import StageError
from depthmask.stages.blend.alpha import Alpha
from depthmask.stages.placement.base import Placement, scaled_layer
from depthmask.stages.placement.random import Positions, Random
from depthmask.stages.source.base import Source
from depthmask.timing import Laps

MakeForeground = Callable[..., Foreground]
MakeRecipe = Callable[..., Recipe]
SIZE = (16, 20)


@stage("fixed")
class Fixed(Placement):
    """One corner after another, along the diagonal."""

    step: int = setting(3, ge=0, help="pixels from one object to the next")
    start: int = setting(1, help="first corner")

    def place(
        self, scene: Scene, foreground: Foreground, flip: bool, rng: np.random.Generator
    ) -> Layer:
        corner = self.start + self.step * len(scene.layers)
        return scaled_layer(foreground, top=corner, left=corner, scale=1, flip=flip)


@stage("distant")
class Distant(Placement):
    """Far behind everything."""

    def place(
        self, scene: Scene, foreground: Foreground, flip: bool, rng: np.random.Generator
    ) -> Layer:
        layer = scaled_layer(foreground, top=1, left=1, scale=1, flip=flip)
        return replace(layer, depth_m=99.0)


@stage("noting")
class Noting(Placement):
    """A double size, and notes in the metadata of the layer."""

    note: Any = setting(None, help="more metadata")

    def place(
        self, scene: Scene, foreground: Foreground, flip: bool, rng: np.random.Generator
    ) -> Layer:
        number = len(scene.layers)
        meta = {"caption": f"over {foreground.key}", "number": number}
        if self.note is not None:
            meta["note"] = self.note
        layer = scaled_layer(foreground, top=2, left=3, scale=2 if number == 0 else 1, flip=flip)
        return replace(layer, meta=meta)


@stage("arranging")
class Arranging(Placement):
    """A position for each foreground, by generators of their own; remembers its calls."""

    most: int = setting(9, help="the most foregrounds")

    def __post_init__(self) -> None:
        self.arranged: list[Scene] = []
        self.asked: list[Scene] = []

    def arrange(self, scene: Scene, rng: np.random.Generator) -> list[np.ndarray]:
        if len(scene.foregrounds) > self.most:
            raise NoPlaceError("too many")
        self.arranged.append(scene)
        return [child.random((99, 2)) for child in rng.spawn(len(scene.foregrounds))]

    def place(
        self, scene: Scene, foreground: Foreground, flip: bool, rng: np.random.Generator
    ) -> Layer:
        self.asked.append(scene)
        assert scene.foregrounds[len(scene.layers)] is foreground
        chances = scene.arrangement[len(scene.layers)][rng.integers(99)]
        top, left = (chances * SIZE).astype(int).tolist()
        return scaled_layer(foreground, top=top, left=left, scale=1, flip=flip)


@stage("arranging_for_nothing")
class ArrangingForNothing(Random):
    """Draws numbers for an arrangement that nobody looks at."""

    def arrange(self, scene: Scene, rng: np.random.Generator) -> float:
        return rng.random()


@pytest.fixture
def room() -> Background:
    """Grey; depth grows by a metre from row to row."""
    depth = np.arange(1, 17, dtype=np.float32)[:, None] * np.ones(20, np.float32)
    return Background("room", np.full((*SIZE, 3), 100, np.uint8), depth)


@pytest.fixture
def compose_with(
    make_source: Callable[..., Source], make_foreground: MakeForeground, room: Background
) -> Callable[..., Composer]:
    """A composer over the room, with red, green and a blue cut-out of two halves."""
    halves = make_foreground("blue", (4, 6), colour=(0, 0, 255))
    rgba = halves.rgba.copy()
    rgba[:, :3, 3] = 0

    def make(placement: Placement, *, seed: int = 0, background: Background = room) -> Composer:
        source = make_source(
            background,
            make_foreground("red", (4, 6), colour=(255, 0, 0)),
            make_foreground("green", (5, 5), 128, (0, 255, 0)),
            replace(halves, rgba=rgba),
        )
        library = AssetCache(source, SIZE, lambda key: source.background(key, SIZE))
        return Composer(seed, placement, Alpha(), library)

    return make


def composed(composer: Composer, recipe: Recipe) -> Composite:
    return composer.blend(composer.place(recipe, Laps()))


def same(one: Composite, other: Composite) -> bool:
    return (
        np.array_equal(one.image, other.image)
        and np.array_equal(one.mask, other.mask)
        and np.array_equal(one.instances, other.instances)
        and (one.layers, one.recipe) == (other.layers, other.recipe)
    )


def test_one_opaque_object_by_hand(
    compose_with: Callable[..., Composer], make_recipe: MakeRecipe
) -> None:
    recipe = make_recipe(3, "room", "red")
    found = composed(compose_with(Fixed(start=2)), recipe)
    inside = np.zeros(SIZE, bool)
    inside[2:6, 2:8] = True
    assert np.array_equal(found.mask, inside * 255)
    assert np.array_equal(found.instances, inside)
    assert (found.image[inside] == (255, 0, 0)).all()
    assert (found.image[~inside] == 100).all()
    # Its uppermost row, 2, covers what is 3 m away, and its foot stands at 6 m.
    assert found.layers == (Layer("red", "a red", 2, 2, 4, 6, False, 3.0, 1.0),)
    assert found.recipe is recipe
    assert found.background.key == "room"


def test_later_objects_lie_in_front(
    compose_with: Callable[..., Composer], make_recipe: MakeRecipe
) -> None:
    recipe = make_recipe(0, "room", "red", "green")
    found = composed(compose_with(Fixed(start=1, step=2)), recipe)
    # Red: rows 1..4, columns 1..6. Green at half strength: rows and columns 3..7.
    assert found.image[1, 1].tolist() == [255, 0, 0]
    assert found.image[3, 3].tolist() == [127, 128, 0]
    assert found.image[7, 7].tolist() == [50, 178, 50]
    assert found.mask[3, 3] == 255
    assert found.mask[7, 7] == 128
    assert found.instances[1, 1] == 1
    assert found.instances[3, 3] == 2
    # 2 x 4 of the 24 pixels of red shine through by 127 / 255.
    assert found.layers[0].visible == pytest.approx((16 + 8 * 127 / 255) / 24)
    assert found.layers[1].visible == 1.0


def test_flip_mirrors_the_object_in_its_box(
    compose_with: Callable[..., Composer], make_recipe: MakeRecipe
) -> None:
    composer = compose_with(Fixed(start=2))
    straight = composed(composer, make_recipe(0, "room", "blue"))
    mirrored = composed(composer, make_recipe(0, "room", "!blue"))
    assert straight.mask[2:6, 2:8].any(axis=0).tolist() == [False] * 3 + [True] * 3
    assert mirrored.mask[2:6, 2:8].any(axis=0).tolist() == [True] * 3 + [False] * 3
    assert [one.layers[0].flip for one in (straight, mirrored)] == [False, True]


@pytest.mark.parametrize("start", [-2, 14])
def test_objects_across_the_edge_are_cut(
    compose_with: Callable[..., Composer], make_recipe: MakeRecipe, start: int
) -> None:
    composer = compose_with(Fixed(start=start, min_visible=0.1))
    found = composed(composer, make_recipe(0, "room", "red"))
    rows, columns = (slice(0, 2), slice(0, 4)) if start < 0 else (slice(14, 16), slice(14, 20))
    expected = np.zeros(SIZE, np.uint8)
    expected[rows, columns] = 255
    assert np.array_equal(found.mask, expected)
    assert found.layers[0].visible == pytest.approx((expected > 0).sum() / 24)
    assert found.layers[0].depth_m == (1.0 if start < 0 else 15.0)


def test_where_nothing_fits_the_error_names_the_settings(
    compose_with: Callable[..., Composer], make_recipe: MakeRecipe
) -> None:
    composer = compose_with(Fixed(start=14, min_visible=0.9, max_overlap=0.25, attempts=7))
    with pytest.raises(DepthmaskError) as caught:
        composed(composer, make_recipe(12, "room", "red"))
    assert str(caught.value) == (
        "no place for red on room in placement.attempts=7 proposals "
        "with placement.min_visible=0.9 and placement.max_overlap=0.25; "
        "7 times mostly outside of the picture; lower placement.min_visible, or make it smaller"
    )
    assert caught.value.exit_code == 1


def test_an_error_of_no_place_has_the_most_frequent_reason(
    compose_with: Callable[..., Composer], make_recipe: MakeRecipe
) -> None:
    def reason(stage: Placement, *foregrounds: str) -> tuple[str, str | None]:
        with pytest.raises(NoPlaceError) as caught:
            composed(compose_with(stage), make_recipe(0, "room", *foregrounds))
        return caught.value.reason.partition(";")[0], caught.value.foreground

    outside = "mostly outside of the picture"
    assert reason(Fixed(start=14, min_visible=0.9), "red") == (outside, "red")
    assert reason(Fixed(start=99), "red") == (outside, "red")
    crowded = "other cut-outs are in the way"
    assert reason(Fixed(step=1, max_overlap=0.1), "red", "green") == (crowded, "green")
    # The room is nearer than 99 m everywhere.
    assert reason(Distant(), "red") == ("hidden by what is nearer", "red")


def test_too_much_overlap_is_an_error_too(
    compose_with: Callable[..., Composer], make_recipe: MakeRecipe
) -> None:
    composer = compose_with(Fixed(step=1, max_overlap=0.1))
    with pytest.raises(DepthmaskError, match="no place for green"):
        composed(composer, make_recipe(0, "room", "red", "green"))


def test_proposals_are_drawn_until_one_fits(
    compose_with: Callable[..., Composer], make_recipe: MakeRecipe
) -> None:
    placement = Random(positions=Positions.crossing, min_visible=1.0, max_overlap=0.0)
    composer = compose_with(placement)
    for index in range(60):
        found = composed(composer, make_recipe(index, "room", "red", "!blue"))
        assert [one.visible for one in found.layers] == [1.0, 1.0]
        assert (found.mask > 0).sum() == 24 + 12


def test_a_sample_does_not_depend_on_the_others(
    compose_with: Callable[..., Composer], make_recipe: MakeRecipe
) -> None:
    recipes = [make_recipe(index, "room", "red", "!green", "blue") for index in range(12)]
    placement = Random(min_scale=0.5, max_scale=2.0)
    one = compose_with(placement)
    in_order = [composed(one, recipe) for recipe in recipes]
    again = [composed(one, recipe) for recipe in reversed(recipes)][::-1]
    alone = [composed(compose_with(placement), recipe) for recipe in recipes]
    for first, second, third in zip(in_order, again, alone, strict=True):
        assert same(first, second)
        assert same(first, third)
    assert len({found.image.tobytes() for found in in_order}) == 12
    other = composed(compose_with(placement, seed=1), recipes[0])
    assert not same(other, in_order[0])


def test_the_background_is_left_alone(
    compose_with: Callable[..., Composer], make_recipe: MakeRecipe, room: Background
) -> None:
    composer = compose_with(Fixed())
    found = composed(composer, make_recipe(0, "room", "red"))
    assert (room.image == 100).all()
    assert not np.shares_memory(found.image, room.image)
    second = composed(composer, make_recipe(1, "room", "blue"))
    assert (second.image[1:5, 1:4] == 100).all()


def test_without_geometry_layers_have_no_depth(
    compose_with: Callable[..., Composer], make_recipe: MakeRecipe, room: Background
) -> None:
    composer = compose_with(Fixed(), background=replace(room, depth_m=None))
    found = composed(composer, make_recipe(0, "room", "red"))
    assert found.layers[0].depth_m is None
    assert "depth_m" not in describe(found)["layers"][0]


@pytest.mark.parametrize(
    ("flip", "keypoints"),
    [
        # A layer of 8x12 at (2, 3) shows the foreground of 4x6 in twice its size.
        (False, {"l_eye": [3, 2], "r_eye": [15, 10, 2], "tail": [0, 0, 0]}),
        (True, {"l_eye": [3, 10, 2], "r_eye": [15, 2], "tail": [0, 0, 0]}),
    ],
)
def test_metadata_of_background_foreground_and_placement(
    make_foreground: MakeForeground,
    make_source: Callable[..., Source],
    make_recipe: MakeRecipe,
    room: Background,
    flip: bool,
    keypoints: dict[str, Any],
) -> None:
    own = {
        "caption": "red",
        "row": 7,
        "keypoints": {"l_eye": [0, 0], "r_eye": [6, 4, 2], "tail": [0, 0, 0]},
        "flip_pairs": [["l_eye", "r_eye"]],
    }
    red = replace(make_foreground("red", (4, 6)), meta=own)
    source = make_source(replace(room, meta={"caption": "a room"}), red, make_foreground("plain"))
    library = AssetCache(source, SIZE, lambda key: source.background(key, SIZE))
    composer = Composer(0, Noting(max_overlap=1), Alpha(), library)
    recipe = make_recipe(0, "room", "!red" if flip else "red", "plain")
    meta = describe(composed(composer, recipe))
    assert meta["background_meta"] == {"caption": "a room"}
    assert meta["layers"][0]["meta"] == {
        "caption": "over red",
        "row": 7,
        "keypoints": keypoints,
        "flip_pairs": own["flip_pairs"],
        "number": 0,
    }
    assert meta["layers"][1]["meta"] == {"caption": "over plain", "number": 1}
    assert red.meta == own


def test_layers_with_metadata_can_be_hashed() -> None:
    layers = [Layer("cup", "cup", 0, 0, 1, 1, False, meta={"row": row}) for row in (1, 1, 2)]
    assert len(set(layers)) == 2


def test_bad_metadata_of_a_placement_names_the_layer(
    compose_with: Callable[..., Composer], make_recipe: MakeRecipe
) -> None:
    with pytest.raises(
        StageError, match=r"^placement=noting: the layer of red: meta must be plain JSON data"
    ):
        composed(compose_with(Noting(note={1, 2})), make_recipe(0, "room", "red"))


def test_a_placement_arranges_all_layers_of_a_sample_once(
    compose_with: Callable[..., Composer], make_recipe: MakeRecipe, room: Background
) -> None:
    placement = Arranging(max_overlap=0, min_visible=1)
    composer = compose_with(placement)
    recipes = [make_recipe(index, "room", "red", "!green") for index in (4, 9)]
    first = [composed(composer, recipe) for recipe in recipes]
    assert [(scene.index, scene.layers) for scene in placement.arranged] == [(4, ()), (9, ())]
    for scene in placement.arranged:
        assert scene.background.key == "room"
        assert [one.key for one in scene.foregrounds] == ["red", "green"]
        assert scene.arrangement is None
    # More proposals than layers, and all of them saw the one arrangement of their sample.
    assert len(placement.asked) > 4
    for scene in placement.asked:
        assert [one.key for one in scene.foregrounds] == ["red", "green"]
    assert len({(scene.index, id(scene.arrangement)) for scene in placement.asked}) == 2
    # The same alone and in another order.
    alone = [
        composed(compose_with(Arranging(max_overlap=0, min_visible=1)), recipe)
        for recipe in recipes[::-1]
    ]
    assert all(map(same, first, alone[::-1]))
    assert not np.array_equal(first[0].mask, first[1].mask)
    redrawn = composed(composer, replace(recipes[0], attempt=1))
    assert not np.array_equal(redrawn.mask, first[0].mask)


def test_an_arrangement_leaves_the_numbers_of_place_as_they_are(
    compose_with: Callable[..., Composer], make_recipe: MakeRecipe
) -> None:
    recipe = make_recipe(3, "room", "red", "blue")
    plain, arranging = (
        composed(compose_with(placement(min_scale=0.5)), recipe)
        for placement in (Random, ArrangingForNothing)
    )
    assert same(plain, arranging)


def test_who_arranges_nothing_pays_nothing(
    compose_with: Callable[..., Composer],
    make_recipe: MakeRecipe,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    samples: list[tuple[int, ...]] = []
    at = Stream.at

    def counting(stream: Stream, *sample: int) -> np.random.Generator:
        samples.append(sample)
        return at(stream, *sample)

    monkeypatch.setattr(Stream, "at", counting)
    for placement, count in ((Random(), 1), (ArrangingForNothing(), 2)):
        samples.clear()
        composed(compose_with(placement), make_recipe(3, "room", "red"))
        assert samples == [(3, 0)] * count


def test_an_arrangement_may_refuse_the_background(
    compose_with: Callable[..., Composer], make_recipe: MakeRecipe
) -> None:
    with pytest.raises(NoPlaceError, match="too many"):
        composed(compose_with(Arranging(most=1)), make_recipe(3, "room", "red", "blue"))


def test_description_is_plain_data(
    compose_with: Callable[..., Composer], make_recipe: MakeRecipe, room: Background
) -> None:
    camera = Camera(100.0, 10.0, 8.0, 1.4, 0.1234567)
    scene = replace(room, camera=camera, plane=Plane((0.0, 1.0, 0.0), 1.4))
    composer = compose_with(Fixed(start=14, min_visible=0.1), background=scene)
    meta: dict[str, Any] = describe(composed(composer, make_recipe(5, "room", "!red")))
    assert meta == {
        "key": "000000005",
        "index": 5,
        "split": "train",
        "size": [16, 20],
        "background": "room",
        "layers": [
            {
                "foreground": "red",
                "label": "a red",
                "box": [14, 14, 4, 6],
                "flip": True,
                "visible": 0.5,
                "depth_m": 15.0,
            }
        ],
        "camera": {"f_px": 100.0, "cx": 10.0, "cy": 8.0, "height_m": 1.4, "pitch": 0.123457},
    }
    assert json.loads(json.dumps(meta)) == meta
