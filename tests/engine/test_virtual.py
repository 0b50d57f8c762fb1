"""Samples made when they are asked for: those that a run writes, in any thread and process."""

from __future__ import annotations

import itertools
import multiprocessing
import pickle
import random
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra

import depthmask
from depthmask.cli.main import main
from depthmask.config.compose import compose_root
from depthmask.engine.virtual import Virtual

Forked = Callable[[Callable[[], Any]], Any]
SMALL = ["source.rooms=3", "source.furniture=4", "size=[24,32]", "objects=[1,3]"]
SPLIT = ["split.train=0.7", "split.val=0.3", "placement.max_overlap=1", "objects=1"]


def members(dataset: Virtual, numbers: Sequence[int]) -> list[dict[str, bytes]]:
    """What a run would write of these."""
    encode, labels = dataset.job.root.encode, dataset.job.labeller.outputs
    return [encode.encode(dataset[number], labels).members for number in numbers]


@pytest.fixture(scope="module")
def dataset() -> Virtual:
    return depthmask.virtual([*SMALL, "samples=1000000000"])


def test_virtual_samples_equal_written_ones(tmp_path: Path) -> None:
    settings = [*SMALL, "samples=1500", "encode.depth=npz", "encode.instances=png"]
    assert main([f"output={tmp_path / 'out'}", "runner.workers=1", *settings]) == 0
    written, made = depthmask.open(tmp_path / "out"), depthmask.virtual(settings)
    assert (len(made), made.contract, made.splits) == (1500, written.contract, ("train",))
    numbers = random.Random(0).sample(range(1500), 1000)
    assert members(made, numbers) == [written.encoded(number).members for number in numbers]
    # Depth as npz, masks and instance maps as PNG lose nothing.
    for one, other in zip(made[40:60], written[40:60], strict=True):
        assert np.array_equal(one.mask, other.mask)
        assert one.depth is not None
        assert other.depth is not None
        assert np.array_equal(one.depth, other.depth)


def test_virtual_splits_equal_written_ones(tmp_path: Path) -> None:
    settings = [*SMALL, *SPLIT, "samples=40"]
    assert main([f"output={tmp_path / 'out'}", "runner.workers=1", *settings]) == 0
    written, made = depthmask.open(tmp_path / "out"), depthmask.virtual(settings)
    for split in ("train", "val"):
        of_split = made.split(split)
        assert len(of_split) == len(written.split(split))
        assert {sample.meta["split"] for sample in of_split} == {split}
        for number in (0, 3, -1):
            assert members(of_split, [number]) == [written.split(split).encoded(number).members]
    with pytest.raises(depthmask.UsageError, match="no split 'vall'; there are train, val"):
        made.split("vall")


def test_a_sample_does_not_depend_on_others(dataset: Virtual) -> None:
    numbers = [999_999_999, 5, 77, 5]
    alone = [dataset[number] for number in numbers]
    together = dataset.__getitems__(numbers)
    view = [dataset[900_000_000:][99_999_999], dataset[5:6][0], dataset[::77][1], dataset[:6][-1]]
    for one, *others in zip(alone, together, view, strict=True):
        for other in others:
            assert one.meta == other.meta
            assert np.array_equal(one.image, other.image)
            assert np.array_equal(one.mask, other.mask)
    assert dataset[-1].index == 999_999_999
    with pytest.raises(IndexError, match="it has 1000000000"):
        dataset[1_000_000_000]


def test_a_billion_samples_begin_at_once(dataset: Virtual) -> None:
    """In order, and through a split, where numbers have to be looked up."""
    of_split = depthmask.virtual([*SMALL, *SPLIT, "samples=1000000000"]).split("val")
    for samples in (dataset, dataset[::-1], of_split, of_split[10:]):
        assert len([sample.index for sample in itertools.islice(samples, 3)]) == 3


def test_from_a_root(dataset: Virtual) -> None:
    root = compose_root([*SMALL, "samples=10"])
    assert members(depthmask.virtual(root), [7]) == members(dataset, [7])


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (["placement=rnadom"], "did you mean placement=random"),
        (["sample=3"], "samples"),
        (["-m", "samples=3"], "-m: no such option here; .*; for a sweep, write a loop"),
        ("samples=3", r"settings must be a list: \['samples=3'\]"),
        ("samples=3 seed=1", r"settings must be a list: \['samples=3', 'seed=1'\]"),
    ],
)
def test_bad_config(config: list[str], message: str) -> None:
    with pytest.raises(depthmask.UsageError, match=message):
        depthmask.virtual(config)


def test_pickles_small(dataset: Virtual) -> None:
    dataset[0]
    packed = pickle.dumps(dataset)
    assert len(packed) < 20_000
    assert members(pickle.loads(packed), [12]) == members(dataset, [12])
    split = depthmask.virtual([*SMALL, *SPLIT, "samples=40"]).split("val")
    assert len(pickle.loads(pickle.dumps(split))) == len(split) == 12


def test_threads(dataset: Virtual) -> None:
    orders = [random.Random(seed).choices(range(60), k=60) for seed in range(4)]
    wanted = members(pickle.loads(pickle.dumps(dataset)), range(60))
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda order: members(dataset, order), orders))
    assert found == [[wanted[number] for number in order] for order in orders]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes(dataset: Virtual, method: str) -> None:
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        found = list(pool.map(members, itertools.repeat(dataset), ([3, 4], [10**8], [3])))
    assert found == [members(dataset, numbers) for numbers in ([3, 4], [10**8], [3])]


def test_a_forked_process_can_use_it(dataset: Virtual, forked: Forked) -> None:
    """While threads of the parent make samples, whose locks it must not find locked."""
    stop, wanted = threading.Event(), members(dataset, range(8))

    def make() -> None:
        for number in itertools.count():
            if stop.is_set():
                return
            dataset[number]

    threads = [threading.Thread(target=make) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(4):
            assert forked(lambda: members(dataset, range(8))) == wanted
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@pytest.mark.parametrize("stage", ["depth=fastdepth", "geometry=fastdepth"])
def test_no_network_in_a_forked_process(stage: str, forked: Forked) -> None:
    dataset = depthmask.virtual([*SMALL, stage, "samples=10"])
    dataset[0]
    found = forked(lambda: members(depthmask.virtual([*SMALL, stage, "seed=2"]), range(10)))
    assert isinstance(found, str)
    assert found.startswith(f"{stage}: this process was forked after a network had run")


def test_measured_before_the_fork(forked: Forked) -> None:
    settings = [*SMALL, "geometry=fastdepth", "source.seed=3", "samples=10"]
    dataset = depthmask.virtual(settings)
    looked_at: list[int] = []
    dataset.measure(looked_at.append)
    assert sum(looked_at) == 3
    assert forked(lambda: members(depthmask.virtual(settings), range(10))) == members(
        dataset, range(10)
    )


def test_inside_a_program_that_runs_under_hydra(tmp_path: Path) -> None:
    with initialize_config_dir(str(tmp_path), version_base="1.3"):
        own = GlobalHydra.instance().hydra
        assert len(depthmask.virtual([*SMALL, "samples=10"])) == 10
        assert GlobalHydra.instance().hydra is own
