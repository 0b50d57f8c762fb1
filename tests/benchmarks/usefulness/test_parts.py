"""What the harness is made of: halves, scores, runs that are kept, comparisons, recipes."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.usefulness import (
    compare,
    composites,
    identity,
    lock,
    page,
    place,
    recipes_file,
    repositories,
    runs,
    scoring,
    sets,
)
from benchmarks.usefulness import table as results
from benchmarks.usefulness.__main__ import main, require_committed
from benchmarks.usefulness.composites import Examples, Workshop, joined, run_lengths
from benchmarks.usefulness.planted import Effect
from depthmask.config.compose import compose_root
from depthmask.stages.blend.feather import Feather
from tests.support.paths import ROOT

RECIPE = recipes_file.Recipe("one", "masks", "A recipe.", words=("depth=none",))
HERE = identity.Identity("pixels", "cpu", {"people": "a", "rgbd": "b"}, Path("nowhere"))


def test_scenes_and_halves() -> None:
    assert sets.scene_of("office__000050") == sets.scene_of("office__7") == "office"
    assert sets.scene_of("tum_desk_2") == "tum_desk"
    names = [f"scene{n}" for n in range(2000)]
    for kind, shares in sets.SHARES.items():
        parts = [sets.part_of(kind, name) for name in names]
        assert sum(shares.values()) == 100
        for part, share in shares.items():
            assert parts.count(part) / len(parts) == pytest.approx(share / 100, abs=0.04)
    # Of a name alone, for good: a scene that changed sides would have been looked at.
    assert [sets.part_of("rgbd", name) for name in names[:4]] == [
        "choosing",
        "final",
        "choosing",
        "choosing",
    ]


def test_people_are_in_scenes_of_eight() -> None:
    """Neighbours show the same street, so a scene of one photograph would be in two parts."""
    names = [f"FudanPed{n:05d}" for n in range(1, 75)] + [f"PennPed{n:05d}" for n in range(1, 97)]
    scenes = {name: sets.block_of(name) for name in names}
    assert scenes["FudanPed00007"] == "FudanPed0..7"
    assert scenes["FudanPed00008"] == scenes["FudanPed00015"] == "FudanPed8..15"
    assert scenes["PennPed00008"] == "PennPed8..15"
    assert sets.block_of("street__000050") == "street"
    parts = [sets.part_of("people", scene) for scene in set(scenes.values())]
    assert {part: parts.count(part) for part in sets.SHARES["people"]} == {
        "pool": 7, "choosing": 8, "final": 8,
    }  # fmt: skip
    pool = [name for name, scene in scenes.items() if sets.part_of("people", scene) == "pool"]
    assert len(pool) == 56


@pytest.mark.parametrize("least", [480, 375, 427, 360, 331, 120])
def test_truth_is_not_moved_against_the_picture(least: int) -> None:
    for ramp in np.meshgrid(*[np.arange(least, dtype=np.float32) * 160 / least] * 2):
        moved = sets.square(ramp, 160, nearest=True) - sets.square(ramp, 160)
        assert abs(moved[5:-5, 5:-5].mean()) < 0.05


def test_crops_do_not_move_labels() -> None:
    pytest.importorskip("tensorflow")
    from benchmarks.usefulness.training import changed_example

    ramp = np.arange(160, dtype=np.float32)
    rows = np.tile(ramp[:, None], (1, 160))
    image = np.repeat(rows[..., None], 3, axis=2).astype(np.uint8)
    means = []
    for seed in range(20):
        # The same crop each time; only the way of resizing is told apart.
        _, kept = changed_example(image, rows, np.random.default_rng(seed))
        rng = np.random.default_rng(seed)
        side = round(160 * rng.uniform(0.6, 1))
        top, _left = rng.integers(0, 160 - side + 1, 2)
        means.append(kept.mean() - (top + (side - 1) / 2))
    assert np.abs(means).max() < 0.05


def test_the_middle_square() -> None:
    wide = np.zeros((2, 6), np.float32)
    wide[:, 2:4] = 7
    assert (sets.square(wide, 4, nearest=True) == 7).all()


def test_photographs_with_masks(tmp_path: Path) -> None:
    write_person(tmp_path / "people", "Street1")
    (picture,) = sets.people(tmp_path / "people")
    assert picture.image.shape == (160, 160, 3)
    assert picture.image[0, 0].tolist() == [200, 30, 10]
    assert picture.truth.dtype == bool
    assert picture.truth.mean() == pytest.approx(0.25, abs=0.02)
    assert sets.read_set(tmp_path, "rgbd") == []


def write_person(folder: Path, name: str, number: int = 0) -> None:
    """A red photograph [80, 80] with a person in the middle, a quarter of it."""
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    mask = np.zeros((80, 80), np.uint8)
    mask[20:60, 20:60] = 1
    image = np.zeros((80, 80, 3), np.uint8)
    image[...] = 10 + number, 30, 200
    image[mask > 0] = 250
    cv2.imwrite(str(folder / "images" / f"{name}.png"), image)
    cv2.imwrite(str(folder / "masks" / f"{name}.png"), mask)


def test_places_say_what_is_absent(tmp_path: Path) -> None:
    folder = tmp_path / "clones" / "PennFudan" / "data" / "PennFudanPed"
    write_person(folder, "a")
    (folder / "images").rename(folder / "PNGImages")
    (folder / "masks").rename(folder / "PedMasks")
    (folder / "PedMasks" / "a.png").rename(folder / "PedMasks" / "a_mask.png")
    lines = place.place(tmp_path / "clones", tmp_path / "data")
    assert lines[0] == "people: 1 photographs from github gmguarino/PennFudan"
    assert lines[1].startswith("seed-assets: nothing from github genigarus/DepthMaskDataset")
    assert lines[2].startswith("rgbd: nothing from github andyzeng/tsdf-fusion-python")
    assert lines[-1] == "cluttered: 0 photographs of 0 scenes of the pool of rgbd"
    assert len(sets.people(tmp_path / "data" / "people")) == 1


def test_frames_are_placed_in_millimetres(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frames = repositories.Frames("s", "me/mine", "a/{}.png", "z/{}.png", (1, 2, 3), 0.5, far=3)
    monkeypatch.setattr(place, "FRAMES", (frames,))
    monkeypatch.setattr(place, "SOURCES", (place.Source("rgbd", "me/mine", place._frames),))
    for folder in ("a", "z"):
        (tmp_path / "mine" / folder).mkdir(parents=True)
    depth = np.array([[0, 2000], [6001, 65535]], np.uint16)
    for name in (1, 3):
        cv2.imwrite(str(tmp_path / "mine" / "a" / f"{name}.png"), np.zeros((4, 4, 3), np.uint8))
        cv2.imwrite(str(tmp_path / "mine" / "z" / f"{name}.png"), depth)
    assert place.place(tmp_path, tmp_path)[0] == "rgbd: 2 photographs from github me/mine"
    placed = sets.rgbd(tmp_path / "rgbd")
    assert [(picture.scene, picture.name) for picture in placed] == [
        ("s", "s__mine-a-1"), ("s", "s__mine-a-3"),
    ]  # fmt: skip
    assert (
        _read(tmp_path / "rgbd" / "s__mine-a-1.depth_mm.png").tolist()
        == [[0, 0, 1000, 1000]] * 2 + [[0, 0, 0, 0]] * 2
    )


def test_backgrounds_are_of_the_pool_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is pasted into is never tried on; clutter has no people."""
    names = [f"scene{n}" for n in range(30)]
    pool = [name for name in names if sets.part_of("rgbd", name) == "pool"]
    crowd = repositories.Frames(pool[0], "me/mine", "a.png", "z.png", people=True)
    monkeypatch.setattr(place, "FRAMES", (crowd,))
    for folder in ("rgbd", "seed-assets/fg"):
        (tmp_path / folder).mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "seed-assets" / "fg" / "a.png"), np.zeros((4, 4, 4), np.uint8))
    for name in names:
        cv2.imwrite(str(tmp_path / "rgbd" / f"{name}__1.rgb.png"), np.zeros((4, 4, 3), np.uint8))
        depth = np.full((4, 4), 1500, np.uint16)
        cv2.imwrite(str(tmp_path / "rgbd" / f"{name}__1.depth_mm.png"), depth)
    place.place(tmp_path / "none", tmp_path)
    placed = {
        folder: sorted(path.stem for path in (tmp_path / folder).iterdir())
        for folder in ("measured/bg", "measured/bg_depth", "cluttered/bg", "cluttered/fg")
    }
    expected = sorted(f"{name}__1" for name in pool)
    assert placed["measured/bg"] == placed["measured/bg_depth"] == expected
    assert placed["cluttered/bg"] == sorted(f"{name}__1" for name in pool[1:])
    assert placed["cluttered/fg"] == ["a"]
    assert (_read(tmp_path / "measured" / "bg_depth" / f"{pool[0]}__1.png") == 1500).all()


def _read(path: Path) -> NDArray[Any]:
    values = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert values is not None
    return values


def test_eight_scenes_in_each_half() -> None:
    """Fewer have no interval."""
    scenes = {frames.scene for frames in repositories.FRAMES}
    parts = [sets.part_of("rgbd", scene) for scene in scenes]
    assert min(parts.count("choosing"), parts.count("final")) >= 8
    assert parts.count("pool") >= 5
    assert all(sets.scene_of(f"{scene}__a") == scene for scene in scenes)


def test_scores_of_masks_by_hand() -> None:
    truth = np.zeros((20, 20), bool)
    truth[5:15, 5:15] = True
    logits = np.where(np.roll(truth, 2, axis=1), 1.0, -1.0).astype(np.float32)
    found = scoring.mask_scores(logits, truth)
    assert found["iou"] == pytest.approx(80 / 120)
    assert found["boundary_f1"] == 1, "all boundaries are at most two pixels away"
    far = np.where(np.roll(truth, 5, axis=1), 1.0, -1.0).astype(np.float32)
    assert 0 < scoring.mask_scores(far, truth)["boundary_f1"] < 1
    nothing = np.full((20, 20), -1, np.float32)
    assert scoring.mask_scores(nothing, truth) == {"iou": 0, "boundary_f1": 0}
    assert scoring.mask_scores(nothing, truth & False) == {"iou": 1, "boundary_f1": 1}


def test_scores_of_depth_do_not_depend_on_its_scale() -> None:
    truth = np.tile(np.linspace(1, 4, 160, dtype=np.float32), (160, 1))
    truth[60:100, 60:100] = 1
    truth[:10] = 0
    found = scoring.depth_scores(3 * truth, truth)
    assert found["abs_rel"] == pytest.approx(0, abs=1e-6)
    assert found["delta1"] == 1
    assert found["edge_f1"] == pytest.approx(1)
    double = truth.repeat(2, axis=0).repeat(2, axis=1)
    assert scoring.depth_scores(double, truth)["abs_rel"] < 0.02


def test_the_runs_of_a_recipe() -> None:
    small = runs.SCALES["small"]
    assert [run.number for run in runs.runs_of(RECIPE, small, HERE)] == [0, 1]
    untouched = recipes_file.Recipe("none", "depth", "As it is.", side=224)
    assert [run.steps for run in runs.runs_of(untouched, small, HERE)] == [0]
    few = recipes_file.Recipe("few", "masks", "A few.", photographs=(10, 25, 50), real=True)
    pairs = [(run.number, run.photographs) for run in runs.runs_of(few, small, HERE)]
    assert pairs == [(0, 10), (0, 25), (1, 10), (1, 25)]


def test_a_line_that_a_kill_cut_off_is_made_again(tmp_path: Path) -> None:
    first, second = runs.runs_of(RECIPE, runs.SCALES["small"], HERE)
    path = tmp_path / "out" / "runs.jsonl"
    ledger = runs.Ledger(path)
    ledger.append(first, {"scores": 1})
    whole = path.read_bytes()
    ledger.append(second, {"scores": 2})
    for length in range(len(whole), path.stat().st_size):
        torn = tmp_path / "torn.jsonl"
        torn.write_bytes(path.read_bytes()[:length])
        found = runs.Ledger(torn)
        assert (first in found, second in found) == (True, False)
        assert torn.read_bytes() == whole
    assert runs.Ledger(path).line(second)["scores"] == 2


def test_another_recipe_of_the_same_name_is_run_again() -> None:
    other = recipes_file.Recipe("one", "masks", "Another sentence.", words=("depth=none",))
    assert other.state == RECIPE.state
    other = recipes_file.Recipe("one", "masks", "A recipe.", words=("depth=layered",))
    assert other.state != RECIPE.state
    assert dataclasses.replace(RECIPE, rim=2).state != RECIPE.state
    plain = {"name": "one", "task": "masks", "words": ["depth=none"]}
    text = json.dumps([recipes_file.VERSION, plain], sort_keys=True)
    assert RECIPE.state == hashlib.sha256(text.encode()).hexdigest()[:12], "defaults are left out"


def test_labels_are_unknown_near_edges() -> None:
    mask = np.zeros((9, 9), np.uint8)
    mask[:, 4:] = 255
    mask[0, 0] = 7
    near = composites.near_edge(mask, 2)
    assert near[5].tolist() == [False, False, True, True, True, True, False, False, False]
    assert near[0, 0], "what is covered in part"
    assert not composites.near_edge(mask, 0).any()


def table(mean: float, seed: int, runs: int = 3, scenes: int = 40) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    of_scene = np.random.default_rng(99).normal(0, 1, scenes)
    return mean + of_scene + rng.normal(0, 0.05, (runs, scenes))


def test_paired_differences() -> None:
    """Scenes differ by far more than recipes do; pairs see the recipes all the same."""
    better = compare.difference(table(0.1, 1), table(0, 2), 500)
    assert better is not None
    assert better.is_clear
    assert better.mean == pytest.approx(0.1, abs=0.03)
    same = compare.difference(table(0, 3), table(0, 4), 500, has_pairs=False)
    assert same is not None
    assert not same.is_clear
    nothing = np.full((3, 40), np.nan)
    assert compare.difference(nothing, table(0, 1), 10) is None
    few = compare.difference(table(1, 1, scenes=7), table(0, 2, scenes=7), 10)
    assert few is not None
    assert (few.low, few.is_clear, few.is_none) == (None, False, False)
    assert results.interval(few).endswith("(too few scenes)")
    enough = compare.difference(table(1, 1, scenes=8), table(0, 2, scenes=8), 10)
    assert enough is not None
    assert enough.is_clear


def test_the_deviation_of_few_runs_is_not_too_small() -> None:
    """The mean of n runs has the variance of one by n, of which a plain bootstrap has (n-1)/n."""
    values = np.random.default_rng(0).normal(0, 1, (4000, 2, 1))
    rng = np.random.default_rng(1)
    variances = [(compare.resampled(rng, 2, 400) @ runs_).var() for runs_ in values]
    assert np.mean(variances) == pytest.approx(1 / 2, rel=0.05)
    assert compare.resampled(rng, 1, 3).tolist() == [[1], [1], [1]]
    assert compare.spread(np.array([1.0, 3.0])) == pytest.approx(2**0.5)
    assert compare.spread(np.array([1.0])) is None


def test_scores_by_scene() -> None:
    scores = {"a1": {"iou": 0.2}, "a2": {"iou": 0.4}, "b": {"iou": 1.0}, "c": {"f1": 1.0}}
    scenes = {"a1": "a", "a2": "a", "b": "b", "c": "c"}
    found = compare.table_of([scores], "iou", scenes)
    assert found[0, :2].tolist() == pytest.approx([0.3, 1.0])
    assert np.isnan(found[0, 2])


@pytest.mark.parametrize(
    ("plant", "mean", "low", "high", "spread", "is_seen"),
    [
        ("shuffled", -0.2, -0.3, -0.1, 0.05, True),
        ("shuffled", -0.2, -0.3, -0.1, 0.3, False),
        ("shuffled", -0.2, -0.5, 0.1, 0.05, False),
        ("shuffled", 0.2, 0.1, 0.3, 0.05, False),
        ("leaked", 0.2, 0.1, 0.3, 0.05, True),
        ("leaked", -0.2, -0.3, -0.1, 0.05, False),
        ("copy", 0.01, -0.1, 0.1, 0.05, True),
        ("copy", 0.2, 0.1, 0.3, 0.05, False),
    ],
)
def test_when_a_planted_effect_is_seen(
    plant: str, mean: float, low: float, high: float, spread: float, is_seen: bool
) -> None:
    effect = Effect(plant, "iou", compare.Difference(mean, low, high), spread)
    assert effect.is_seen == is_seen
    assert not Effect(plant, "iou", compare.Difference(mean, None, None), spread).is_seen
    error = Effect(plant, "abs_rel", compare.Difference(-mean, -high, -low), spread)
    assert error.is_seen == is_seen


def test_run_lengths_go_down_the_columns() -> None:
    mask = np.array([[0, 1], [1, 1], [0, 0]], bool)
    assert run_lengths(mask) == [1, 1, 1, 2, 1]
    assert run_lengths(~mask) == [0, 1, 1, 1, 2, 1]


def test_few_photographs_are_half_of_what_is_trained_on() -> None:
    def examples(count: int) -> Examples:
        images = np.full((count, 160, 160, 3), count, np.uint8)
        return Examples(images, np.zeros((count, 160, 160), np.float32))

    whole = joined([examples(9), examples(3)])
    assert np.unique(whole.images[:, 0, 0, 0], return_counts=True)[1].tolist() == [9, 9]


FOLDERS = {name: f"/{name}" for name in (
    "seed-assets", "measured", "cluttered", "rooms", "photographs", "annotations",
)}  # fmt: skip


@pytest.mark.parametrize("recipe", recipes_file.read_recipes(), ids=lambda one: one.name)
def test_every_recipe_is_a_configuration(recipe: recipes_file.Recipe) -> None:
    for words in (recipe.words, recipe.also):
        whole = [word.format_map(FOLDERS) for word in words]
        if "source=coco" in whole:
            # Of a plugin, which is not installed here.
            whole = [word for word in whole if not word.startswith("source")]
        compose_root(whole)
    assert recipe.about.endswith(".")
    trains = bool(recipe.words or recipe.real)
    assert trains != bool(recipe.side)


@pytest.mark.parametrize("recipe", recipes_file.read_recipes(), ids=lambda one: one.name)
def test_every_room_has_a_sample(recipe: recipes_file.Recipe) -> None:
    counts = [int(w.partition("=")[2]) for w in recipe.words if w.startswith("source.rooms=")]
    for rooms in counts:
        assert recipe.samples >= rooms
        for scale in (runs.SCALES["full"], *[runs.SCALES["small"]] * recipe.small):
            assert scale.samples >= rooms


def test_a_recipe_against_none(tmp_path: Path) -> None:
    (tmp_path / "masks").mkdir()
    file = tmp_path / "masks" / "mine.yaml"
    file.write_text(json.dumps({"about": "Mine.", "against": ["yours"]}))
    with pytest.raises(SystemExit, match=r"mine.yaml: against: no recipe yours"):
        recipes_file.read_recipes(tmp_path)


def test_what_a_run_is_named_by(tmp_path: Path) -> None:
    """Other test data, another device, other pixels and other sources are other runs."""
    recipe = recipes_file.Recipe("one", "masks", "Some.", words=("source.root={cluttered}",))
    (tmp_path / "cluttered").mkdir()
    (tmp_path / "cluttered" / "a.png").write_bytes(b"1")

    def key(**other: Any) -> str:
        identity.content_of.cache_clear()
        now = dataclasses.replace(HERE, data=tmp_path, **other)
        return next(runs.runs_of(recipe, runs.SCALES["small"], now)).key

    first = key()
    assert key() == first
    others = [key(pixels="new"), key(device="cuda"), key(tested={"people": "c"})]
    assert key(tested={"people": "a", "rgbd": "c"}) == first, "masks are not tried on depth"
    (tmp_path / "cluttered" / "a.png").write_bytes(b"2")
    others.append(key())
    assert len({first, *others}) == 5


def test_the_state_of_the_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each pixel version decides it, that of a setting too, and no other code."""

    def state() -> str:
        identity.pixel_state.cache_clear()
        return identity.pixel_state()

    states = [state()]
    assert state() == states[0]
    monkeypatch.setattr(Feather, "pixel_version", Feather.pixel_version + 1)
    states.append(state())
    monkeypatch.setattr(Feather, "setting_versions", {"match": 99})
    states.append(state())
    monkeypatch.setattr(identity, "PIXEL_VERSION", 99)
    states.append(state())
    assert len(set(states)) == 4
    identity.pixel_state.cache_clear()


def test_draws_are_of_the_pool(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    from benchmarks.usefulness.experiment import Experiment

    blank = np.zeros((2, 2, 3), np.uint8)
    names = [f"PennPed{n:05d}" for n in range(1, 97)]
    pictures = [
        sets.Picture("people", name, sets.block_of(name), blank, blank, blank) for name in names
    ]
    experiment = Experiment({"people": pictures}, Workshop(tmp_path, tmp_path), tmp_path)
    draws = [experiment.draw(12, number) for number in range(4)]
    for draw in draws:
        assert all(sets.part_of("people", picture.scene) == "pool" for picture in draw)
        assert len({picture.name for picture in draw}) == 12
        assert len({picture.scene for picture in draw}) > 2
    assert len({draw[0].name for draw in draws}) > 1
    assert experiment.draw(10, 3) == draws[3][:10], "larger draws have the smaller ones"


def test_a_steady_training_ends_with_its_best_weights() -> None:
    pytest.importorskip("tensorflow")
    from benchmarks.usefulness import training

    class Network:
        weights = 0

        def get_weights(self) -> int:
            return self.weights

        def set_weights(self, weights: int) -> None:
            self.weights = weights

    class Stub:
        model = Network()
        losses = [3.0, float("nan"), 1.0, 2.0, 1.5, 1.2]

        def loss_on(self, examples: Examples) -> float:
            return self.losses[self.model.weights]

    trainer: Any = Stub()
    held_out = Examples(np.zeros((8, 1, 1, 3), np.uint8), np.zeros((8, 1, 1), np.float32))
    watch = training._Watch(trainer, held_out, 300)
    ends = []
    for number in range(6):
        trainer.model.weights = number
        ends.append(watch.has_ended())
    assert ends == [False] * 5 + [True]
    watch.restore()
    assert trainer.model.weights == 2


def test_the_untouched_network_is_chosen_on_the_choosing_half(tmp_path: Path) -> None:
    ledger = runs.Ledger(tmp_path / "runs.jsonl")
    recipes = [
        recipes_file.Recipe("small", "depth", "As it is.", side=160),
        recipes_file.Recipe("large", "depth", "As it is.", side=224),
        recipes_file.Recipe("seed-style", "depth", "Some.", words=("depth=none",)),
    ]
    halves = {"small": (0.2, 0.4), "large": (0.3, 0.1), "seed-style": (0.5, 0.5)}
    for recipe in recipes:
        for run in runs.runs_of(recipe, runs.SCALES["small"], HERE):
            scores = {
                part: {"rgbd/a": {"abs_rel": value}}
                for part, value in zip(("choosing", "final"), halves[recipe.name], strict=True)
            }
            ledger.append(run, {"scores": scores})
    for part in ("choosing", "final"):
        whole = results.Results(
            ledger, recipes, runs.SCALES["small"], part, {"rgbd/a": "rgbd/a"}, HERE
        )
        (row,) = [row for row in whole.rows() if row.recipe.name == "seed-style"]
        assert list(row.against) == ["small"]


def test_factors_are_compared_one_at_a_time(tmp_path: Path) -> None:
    ledger = runs.Ledger(tmp_path / "runs.jsonl")
    shadow = dataclasses.replace(RECIPE, name="shadow", against=("ground",))
    recipes = [shadow, *(dataclasses.replace(RECIPE, name=name) for name in ("random", "ground"))]
    for recipe in recipes:
        for run in runs.runs_of(recipe, runs.SCALES["small"], HERE):
            ledger.append(run, {"scores": {"choosing": {"people/a": {"iou": 0.5}}}})
    whole = results.Results(
        ledger, recipes, runs.SCALES["small"], "choosing", {"people/a": "people/a"}, HERE
    )
    against = {row.recipe.name: sorted(row.against) for row in whole.rows()}
    assert against == {"shadow": ["ground", "random"], "ground": ["random"], "random": []}


def test_data_is_made_anew_for_other_sources_and_seeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And for other code; the same once."""
    made: list[str] = []
    monkeypatch.setattr(composites, "_run", lambda words: made.append(words[-1]))
    monkeypatch.setattr(composites, "_loaded", lambda folder, task: None)
    recipe = dataclasses.replace(RECIPE, words=("source.root={cluttered}",))
    (tmp_path / "cluttered").mkdir()
    (tmp_path / "out").mkdir()

    def make(seed: int, content: bytes) -> None:
        (tmp_path / "cluttered" / "a.png").write_bytes(content)
        identity.content_of.cache_clear()
        Workshop(tmp_path, tmp_path / "out").composites(recipe, [], 8, seed)

    for seed, content in ((0, b"1"), (0, b"1"), (1, b"1"), (0, b"2")):
        make(seed, content)
    monkeypatch.setattr(composites, "pixel_state", lambda: "other")
    make(0, b"2")
    assert len(made) == len(set(made)) == 4


def test_the_digest_of_the_test_data_sees_each_pixel(tmp_path: Path) -> None:
    write_person(tmp_path / "people", "Street1")
    before = sets.digest_of(sets.people(tmp_path / "people"))
    assert sets.digest_of(sets.people(tmp_path / "people")) == before
    write_person(tmp_path / "people", "Street1", 1)
    assert sets.digest_of(sets.people(tmp_path / "people")) != before


def test_a_network_that_predicts_no_numbers_has_failed() -> None:
    truth = np.tile(np.linspace(1, 4, 160, dtype=np.float32), (160, 1))
    image = np.zeros((160, 160, 3), np.uint8)
    picture = sets.Picture("rgbd", "a", "a", image, image, truth)
    flat = dataclasses.replace(picture, truth=np.full((160, 160), 2, np.float32))
    maps = np.ones((1, 160, 160), np.float32)
    assert "edge_miss_px" not in scoring.score("depth", maps, [flat])[0], "its truth has no edge"
    maps[0, 3, 3] = np.nan
    for task in ("depth", "masks"):
        with pytest.raises(scoring.NotFiniteError, match="1 of 1 predictions"):
            scoring.score(task, maps, [picture])


def failing(tmp_path: Path) -> list[results.Row]:
    """The rows of a recipe and of `random`; a run of the first failed."""
    ledger = runs.Ledger(tmp_path / "runs.jsonl")
    recipes = [RECIPE, dataclasses.replace(RECIPE, name="random")]
    for recipe in recipes:
        for run in runs.runs_of(recipe, runs.SCALES["full"], HERE):
            iou = 0.5 + run.number / 10 + (0.1 if recipe is RECIPE else 0)
            scores = {f"people/{n}": {"iou": iou} for n in range(9)}
            both = {"choosing": scores, "final": scores}
            is_bad = recipe is RECIPE and run.number == 0
            ledger.append(run, {"failed": "NaN"} if is_bad else {"scores": both})
    scenes = {f"people/{n}": f"people/{n}" for n in range(9)}
    return results.Results(ledger, recipes, runs.SCALES["full"], "choosing", scenes, HERE).rows()


def test_a_failed_run_is_shown_and_not_paired(tmp_path: Path) -> None:
    row = failing(tmp_path)[0]
    assert row.runs == "3, 1 failed"
    assert row.means["iou"] == pytest.approx(0.75)
    assert row.against["random"]["iou"].mean == pytest.approx(0.1), "of the seeds that both have"
    assert "draw or seed 0 failed: NaN" in results.as_text([row])
    (kept,) = results.as_json([row])
    assert [one["number"] for one in kept["of_runs"]] == [1, 2]
    assert [one["number"] for one in kept["failed"]] == [0]
    assert "draw or seed 0 failed: NaN" in page._table([row])


def test_a_final_table_is_of_files_that_are_committed() -> None:
    require_committed({"abc", "abd"})
    require_committed({""})
    with pytest.raises(SystemExit, match=r"^--final: runs were made at abc-dirty; make them"):
        require_committed({"abc-dirty", "abd"})


def test_nothing_begins_without_edges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.usefulness.__main__.can_find_edges", lambda: False)
    with pytest.raises(SystemExit, match=r"pip install -e '.\[evaluate\]'"):
        main(["--small"])


def test_one_command_at_a_time(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with (
        lock.locked(out),
        pytest.raises(SystemExit, match="another run is at work there"),
        lock.locked(out),
    ):
        pass
    with lock.locked(out):
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_child_ends_with_its_parent(tmp_path: Path) -> None:
    """A child that sleeps, in the place of depthmask, whose parent is killed."""
    (tmp_path / "depthmask").mkdir()
    sleeps = "import os, time; print(os.getpid(), flush=True); time.sleep(300)"
    (tmp_path / "depthmask" / "__init__.py").touch()
    (tmp_path / "depthmask" / "__main__.py").write_text(sleeps)
    child = "import sys; from benchmarks.usefulness import child; sys.path.insert(0, sys.argv[2])"
    program = (
        "import os, subprocess, sys\n"
        f"code = {child + '; child.main()'!r}\n"
        f"command = [sys.executable, '-c', code, str(os.getpid()), {str(tmp_path)!r}]\n"
        "subprocess.run(command)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    number = int(parent.stdout.readline())
    assert number != parent.pid
    assert is_running(number)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    end = time.monotonic() + 20
    while is_running(number) and time.monotonic() < end:
        time.sleep(0.05)
    assert not is_running(number)


def is_running(number: int) -> bool:
    """Whether a process is there, and no zombie that nobody has waited for."""
    try:
        state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def test_photographs_are_cut_before_they_are_pasted(tmp_path: Path) -> None:
    """To the square that networks are tried on; who is outside of it is no object."""
    folder = tmp_path / "data" / "people"
    write_person(folder, "Street1")
    for part in ("images", "masks"):
        path = str(folder / part / "Street1.png")
        picture = cv2.imread(path, cv2.IMREAD_UNCHANGED)
        assert picture is not None
        wide = cv2.copyMakeBorder(picture, 0, 0, 40, 40, cv2.BORDER_CONSTANT)
        if part == "masks":
            wide[10:20, :10] = 2
        cv2.imwrite(path, wide)
    workshop = Workshop(tmp_path / "data", tmp_path / "out")
    made = workshop._photographs(sets.people(folder))
    kept = json.loads((made / "annotations.json").read_text())
    assert [(one["height"], one["width"]) for one in kept["images"]] == [(80, 80)]
    cut = cv2.imread(str(made / "Street1.png"))
    assert cut is not None
    assert cut.shape == (80, 80, 3)
    assert [one["bbox"] for one in kept["annotations"]] == [[20, 20, 40, 40]]


def test_unknown_depth_has_its_own_colour() -> None:
    depth = np.tile(np.linspace(1, 4, 160, dtype=np.float32), (160, 1))
    depth[:80] = 0
    (shown,) = page._shown("depth", depth[None])
    assert (shown[:80] == page.UNKNOWN).all()
    assert (shown[80:].std(axis=-1) == 0).all()
    assert shown[80, 0, 0] > shown[80, -1, 0]


def test_a_recipe_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "masks").mkdir()
    file = tmp_path / "masks" / "mine.yaml"
    file.write_text(json.dumps({"about": "Mine.", "word": ["depth=none"]}))
    with pytest.raises(SystemExit, match=r"mine.yaml: .*word"):
        recipes_file.read_recipes(tmp_path)
