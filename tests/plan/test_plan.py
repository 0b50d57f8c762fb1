"""Sample numbers to recipes."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from depthmask.data import Recipe
from depthmask.errors import UsageError
from depthmask.plan.layout import Shard
from depthmask.plan.plan import Plan, Sampling, SplitAssets
from depthmask.plan.shares import MILLION

BACKGROUNDS = [f"bg{number}" for number in range(10)]
FOREGROUNDS = [f"fg{number}" for number in range(12)]


def plan(
    backgrounds: Sequence[str] = BACKGROUNDS,
    foregrounds: Sequence[str] = FOREGROUNDS,
    **changes: Any,
) -> Plan:
    """Random sampling from 10 backgrounds and 12 foregrounds."""
    base = Plan(
        seed=1,
        samples=2000,
        shard_size=300,
        sampling=Sampling.random,
        objects=(1, 1),
        flips=True,
        repeats=1,
        splits=(SplitAssets("train", MILLION, tuple(backgrounds), tuple(foregrounds)),),
    )
    return replace(base, **changes)


def in_three(**changes: Any) -> Plan:
    """Six, two and two backgrounds, and as many foregrounds."""
    keys = [str(number) for number in range(10)]
    parts = (
        SplitAssets("train", 600_000, tuple(keys[:6]), tuple(keys[:6])),
        SplitAssets("val", 200_000, tuple(keys[6:8]), tuple(keys[6:8])),
        SplitAssets("test", 200_000, tuple(keys[8:]), tuple(keys[8:])),
    )
    return replace(plan(splits=parts), **changes)


GOLDEN = [
    ("bg2", ("fg8", False)),
    ("bg7", ("fg0", False), ("fg11", False), ("fg5", True)),
    ("bg9", ("fg2", True)),
    ("bg2", ("fg1", False), ("fg11", False)),
]
GOLDEN_LAST = Recipe(
    index=999999999,
    key="999999999",
    split="train",
    background="bg1",
    foregrounds=(("fg10", True), ("fg1", False), ("fg0", False)),
    scene=999999999,
)
SAMPLINGS = st.sampled_from(Sampling)


def test_first_recipes_are_pinned() -> None:
    # A change here changes every dataset that was ever made: it needs a new major version.
    some = plan(objects=(1, 3), samples=10**9)
    found = [(one.background, *one.foregrounds) for one in some.recipes(range(4))]
    assert found == GOLDEN
    assert some.recipe(10**9 - 1) == GOLDEN_LAST


@given(
    seed=st.integers(0, 2**40),
    start=st.integers(0, 1999),
    length=st.integers(0, 30),
    shard_size=st.integers(1, 500),
    sampling=SAMPLINGS,
    greatest=st.integers(1, 12),
)
def test_a_recipe_does_not_depend_on_what_else_is_made(
    seed: int, start: int, length: int, shard_size: int, sampling: Sampling, greatest: int
) -> None:
    some = plan(seed=seed, sampling=sampling, objects=(1, greatest))
    stop = min(start + length, some.samples)
    run = list(some.recipes(range(start, stop)))
    other = replace(some, shard_size=shard_size, samples=10**6)
    assert run == [other.recipe(index) for index in range(start, stop)]
    # Backwards, too.
    assert run[::-1] == [some.recipe(index) for index in reversed(range(start, stop))]


def test_recipes_carry_number_key_and_split() -> None:
    recipe = plan().recipe(777)
    assert (recipe.index, recipe.key, recipe.split) == (777, "000000777", "train")
    assert (recipe.scene, recipe.variant) == (777, 0)
    assert {in_three().recipe(index).split for index in range(10)} == {"train", "val", "test"}


def test_seeds_give_different_samples() -> None:
    one, other = (
        [recipe.background for recipe in plan(seed=seed).recipes(range(200))] for seed in (1, 2)
    )
    same = sum(a == b for a, b in zip(one, other, strict=True))
    assert 5 <= same <= 40


@pytest.mark.parametrize("flips", [True, False])
@pytest.mark.parametrize("repeats", [1, 3])
def test_product_nests_as_the_original_loop(flips: bool, repeats: int) -> None:
    mirrored = (False, True) if flips else (False,)
    loop = [
        (background, ((foreground, flip),))
        for background in ("a", "b", "c")
        for foreground in ("x", "y")
        for _ in range(repeats)
        for flip in mirrored
    ]
    some = plan(
        sampling=Sampling.product,
        backgrounds=("a", "b", "c"),
        foregrounds=("x", "y"),
        flips=flips,
        repeats=repeats,
        samples=2 * len(loop),
    )
    made = [(one.background, one.foregrounds) for one in some.recipes(range(some.samples))]
    assert made == [*loop, *loop]


def test_one_background_of_the_original_takes_4000_samples() -> None:
    hundred = tuple(f"{number:03d}" for number in range(100))
    some = plan(
        sampling=Sampling.product,
        backgrounds=hundred,
        foregrounds=hundred,
        repeats=20,
        samples=400_000,
    )
    first = {one.background for one in some.recipes(range(4000))}
    assert first == {"000"}
    assert some.recipe(4000).background == "001"
    assert some.recipe(399_999).background == "099"
    assert some.recipe(39).foregrounds == (("000", True),)
    assert some.recipe(40).foregrounds == (("001", False),)


def test_product_visits_each_combination_once() -> None:
    some = plan(sampling=Sampling.product, samples=10 * 12 * 2)
    made = Counter((one.background, *one.foregrounds[0]) for one in some.recipes(range(240)))
    assert made == Counter(itertools.product(some.backgrounds, some.foregrounds, (False, True)))


def test_product_with_more_objects_keeps_the_loop_for_the_first() -> None:
    some = plan(sampling=Sampling.product, objects=(2, 4), samples=240)
    single = plan(sampling=Sampling.product, samples=240)
    for many, one in zip(some.recipes(range(240)), single.recipes(range(240)), strict=True):
        assert many.background == one.background
        assert many.foregrounds[0] == one.foregrounds[0]
        assert 2 <= len(many.foregrounds) <= 4


def test_random_draws_from_all_assets_alike() -> None:
    some = plan(samples=12_000)
    recipes = list(some.recipes(range(some.samples)))
    backgrounds = Counter(one.background for one in recipes)
    foregrounds = Counter(one.foregrounds[0][0] for one in recipes)
    pairs = Counter((one.background, one.foregrounds[0][0]) for one in recipes)
    # Five standard deviations of a binomial count: about 33 for 1200, 30 for 1000, 10 for 100.
    assert set(backgrounds) == set(some.backgrounds)
    assert set(foregrounds) == set(some.foregrounds)
    assert len(pairs) == 120
    assert max(abs(count - 1200) for count in backgrounds.values()) < 5 * 33
    assert max(abs(count - 1000) for count in foregrounds.values()) < 5 * 31
    assert max(abs(count - 100) for count in pairs.values()) < 5 * 10


def test_flips_come_half_of_the_time_and_for_each_object_alone() -> None:
    pairs = [
        tuple(flip for _, flip in one.foregrounds)
        for one in plan(objects=(2, 2), samples=4000).recipes(range(4000))
    ]
    counts = Counter(pairs)
    assert len(counts) == 4
    assert max(abs(count - 1000) for count in counts.values()) < 5 * 28
    straight = plan(objects=(2, 2), flips=False).recipes(range(50))
    assert not any(flip for one in straight for _, flip in one.foregrounds)


def test_flip_does_not_follow_from_the_choice_of_asset() -> None:
    recipes = list(plan(samples=6000).recipes(range(6000)))
    for key in plan().foregrounds:
        flips = [flip for one in recipes for name, flip in one.foregrounds if name == key]
        assert abs(np.mean(flips) - 0.5) < 5 * 0.5 / len(flips) ** 0.5


@given(
    least=st.integers(1, 12), more=st.integers(0, 11), seed=st.integers(0, 99), sampling=SAMPLINGS
)
def test_objects_of_a_sample_are_different_and_within_the_range(
    least: int, more: int, seed: int, sampling: Sampling
) -> None:
    greatest = min(least + more, 12)
    some = plan(objects=(least, greatest), seed=seed, sampling=sampling)
    for recipe in some.recipes(range(40)):
        keys = [key for key, _ in recipe.foregrounds]
        assert least <= len(keys) <= greatest
        assert len(set(keys)) == len(keys)
        assert set(keys) <= set(some.foregrounds)


def test_every_number_of_objects_and_every_order_comes_about() -> None:
    some = plan(objects=(1, 3), foregrounds=("a", "b", "c"), samples=3000)
    orders = Counter(
        tuple(key for key, _ in recipe.foregrounds) for recipe in some.recipes(range(3000))
    )
    expected = [p for count in (1, 2, 3) for p in itertools.permutations("abc", count)]
    assert set(orders) == set(expected)
    for order, count in orders.items():
        share = 1000 / (3 if len(order) == 1 else 6)
        assert abs(count - share) < 5 * share**0.5


def test_more_objects_than_foregrounds_are_refused() -> None:
    with pytest.raises(UsageError, match=r"objects=13: the source has 12 foregrounds"):
        plan(objects=(1, 13))
    assert len(plan(objects=(12, 12)).recipe(0).foregrounds) == 12


@pytest.mark.parametrize("index", [-1, 2000, 10**12])
def test_numbers_outside_the_plan_are_an_index_error(index: int) -> None:
    with pytest.raises(IndexError, match=r"0\.\.1999"):
        plan().recipe(index)


@given(samples=st.integers(1, 5000), shard_size=st.integers(1, 700))
def test_shards_tile_the_samples(samples: int, shard_size: int) -> None:
    some = plan(samples=samples, shard_size=shard_size)
    shards = [some.shard(number) for number in range(some.shard_count())]
    assert shards[0].start == 0
    assert shards[-1].stop == samples
    assert all(a.stop == b.start for a, b in itertools.pairwise(shards))
    assert all(len(shard) == shard_size for shard in shards[:-1])
    assert 1 <= len(shards[-1]) <= shard_size


def test_the_name_of_a_shard() -> None:
    shard = in_three(samples=20_000).shard(12, "val")
    assert shard == Shard(12, "val", 3600, 3900)
    assert (shard.name, len(shard)) == ("val-000012", 300)


def test_a_plan_of_a_billion_samples_costs_nothing() -> None:
    huge = plan(samples=10**9, shard_size=1000, repeats=10**6, sampling=Sampling.product)
    assert huge.shard_count() == 10**6
    last = huge.shard(10**6 - 1)
    recipe: Recipe = huge.recipe(last.stop - 1)
    assert recipe.key == "999999999"
    assert len(list(huge.recipes(range(last.start, last.start + 10)))) == 10


@pytest.mark.parametrize("samples", [1, 7, 100, 1999])
@pytest.mark.parametrize("shard_size", [1, 30])
def test_shards_of_splits_hold_every_sample_once(samples: int, shard_size: int) -> None:
    some = in_three(samples=samples, shard_size=shard_size)
    shards = list(some.shards())
    assert len(shards) == some.shard_count()
    found = [index for shard in shards for index in some.indices(shard)]
    assert sorted(found) == list(range(samples))
    for shard in shards:
        assert {one.split for one in some.recipes(some.indices(shard))} == {shard.split}


@pytest.mark.parametrize("sampling", list(Sampling))
def test_a_split_draws_from_its_own_assets(sampling: Sampling) -> None:
    some = in_three(sampling=sampling, samples=1000, objects=(2, 2))
    own = {part.name: part for part in some.splits}
    used: dict[str, set[str]] = {}
    for one in some.recipes(range(1000)):
        assert one.background in own[one.split].backgrounds
        assert {key for key, _ in one.foregrounds} <= set(own[one.split].foregrounds)
        again = some.redrawn(one)
        assert again is None or again.background in own[one.split].backgrounds
        used.setdefault(one.split, set()).add(one.background)
    assert used == {split: set(part.backgrounds) for split, part in own.items()}


def test_product_nests_within_each_split() -> None:
    some = in_three(sampling=Sampling.product, samples=1000, flips=False)
    of_val = [one for one in some.recipes(range(1000)) if one.split == "val"][:4]
    found = [(one.background, one.foregrounds[0][0]) for one in of_val]
    assert found == list(itertools.product("67", "67"))


def test_variants_share_scene_and_assets() -> None:
    some = in_three(variants=3, samples=300)
    for scene in range(100):
        recipes = list(some.recipes(range(3 * scene, 3 * scene + 3)))
        assert [one.variant for one in recipes] == [0, 1, 2]
        assert [one.index for one in recipes] == [3 * scene, 3 * scene + 1, 3 * scene + 2]
        alike = {(one.scene, one.split, one.background, one.foregrounds) for one in recipes}
        assert len(alike) == 1
        assert recipes[0].scene == scene


def test_too_many_objects_for_a_split_are_refused() -> None:
    with pytest.raises(UsageError, match=r"objects=3: split\.val has 2 foregrounds"):
        in_three(objects=(1, 3))


def cut(per_background: int = 3, **changes: Any) -> Plan:
    """Ten backgrounds and 30 foregrounds, of which each background has some of its own."""
    foregrounds = tuple(f"fg{number:02d}" for number in range(30))
    cut_from = {
        f"bg{number}": tuple(range(3 * number, 3 * number + per_background))
        for number in range(0, 10, 2)
    }
    split = SplitAssets("train", MILLION, tuple(BACKGROUNDS), foregrounds, cut_from)
    return replace(plan(splits=(split,)), **changes)


def own(recipe: Recipe) -> list[str]:
    """The foregrounds of a recipe that are cut from its background."""
    (split,) = cut().splits
    places = split.cut_from.get(recipe.background, ())
    names = {split.foregrounds[place] for place in places}
    return [key for key, _ in recipe.foregrounds if key in names]


@given(st.integers(0, 1999), st.integers(1, 27))
def test_no_foreground_is_pasted_into_the_background_that_it_is_cut_from(
    index: int, objects: int
) -> None:
    recipe: Recipe | None = cut(objects=(objects, objects)).recipe(index)
    for _ in range(3):
        assert recipe is not None
        assert own(recipe) == []
        assert len({key for key, _ in recipe.foregrounds}) == objects
        recipe = cut(objects=(objects, objects)).redrawn(recipe)


def test_all_other_foregrounds_are_drawn() -> None:
    pairs = Counter(
        (one.background, one.foregrounds[0][0])
        for one in cut(samples=20_000).recipes(range(20_000))
    )
    assert len(pairs) == 300 - 15
    assert min(pairs.values()) > 20


def test_the_nested_loops_leave_out_what_is_cut_from_a_background() -> None:
    loops = cut(sampling=Sampling.product, flips=False, samples=600)
    pairs = [(one.background, one.foregrounds[0][0]) for one in loops.recipes(range(600))]
    (split,) = loops.splits
    expected = [
        (background, foreground)
        for background in split.backgrounds
        for place, foreground in enumerate(split.foregrounds)
        if place not in split.cut_from.get(background, ())
    ]
    assert len(expected) == split.pairs == 285
    assert pairs[:285] == pairs[285:570] == expected


def test_too_few_foregrounds_of_other_photographs() -> None:
    assert cut(objects=(1, 27)).recipe(0)
    with pytest.raises(UsageError) as caught:
        cut(objects=(1, 28))  # Without `for_objects`.
    assert str(caught.value) == (
        "objects=28: the source has 27 foregrounds for bg0, without those that are cut from it; "
        "ask for fewer objects, or add photographs"
    )


def test_backgrounds_with_too_few_foregrounds_are_left_out() -> None:
    (split,) = cut().splits
    assert split.for_objects(27) is split
    kept = split.for_objects(28)
    assert kept.backgrounds == tuple(BACKGROUNDS[1::2])
    assert kept.cut_from == {}
    assert kept.most_objects == 30
    assert split.for_objects(31) is split


def test_what_all_is_cut_from_is_no_background() -> None:
    one = SplitAssets("train", MILLION, ("a", "b"), ("x", "y"), {"a": (0, 1)})
    assert one.for_objects(1) == SplitAssets("train", MILLION, ("b",), ("x", "y"))
    alone = SplitAssets("train", MILLION, ("a",), ("x", "y"), {"a": (0, 1)})
    with pytest.raises(UsageError) as caught:
        plan(splits=(alone.for_objects(1),))
    assert str(caught.value) == (
        "objects=1: the source has 0 foregrounds for a, without those that are cut from it; "
        "choose other backgrounds, or add photographs"
    )


class Counted(str):
    """A key that counts how often any is looked up."""

    looked_up = 0
    __slots__ = ()

    def __hash__(self) -> int:
        Counted.looked_up += 1
        return str.__hash__(self)


def test_the_time_for_many_backgrounds_is_linear() -> None:
    keys = tuple(Counted(number) for number in range(500))
    cut_from: dict[str, tuple[int, ...]] = {**dict.fromkeys(keys, (0,)), keys[0]: (0, 1)}
    split = SplitAssets("train", MILLION, keys, ("x", "y", "z"), cut_from)
    Counted.looked_up = 0
    kept = split.for_objects(2)
    assert Counted.looked_up < 10 * len(keys)
    assert kept.backgrounds == keys[1:]
    assert kept.cut_from == dict.fromkeys(keys[1:], (0,))
