"""Reading: threads, forked and spawned processes, and files that are given back."""

from __future__ import annotations

import errno
import gc
import itertools
import multiprocessing
import os
import pickle
import random
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest

import depthmask
from depthmask.cli.main import main
from depthmask.errors import UsageError
from depthmask.reading.dataset import Dataset
from depthmask.storage.local import LocalPath

SAMPLES = 40
WRITERS = ("webdataset", "zip", "npz", "folder")


@pytest.fixture(scope="module", params=WRITERS)
def dataset(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    out = tmp_path_factory.mktemp("dataset") / request.param
    words = ("source.rooms=2", "source.furniture=2", "size=[32,40]", "runner.workers=1")
    split = ("split.train=0.5", "split.val=0.5")
    assert main([f"output={out}", f"writer={request.param}", *words, *split,
                 f"samples={SAMPLES}", "shard_size=4"]) == 0  # fmt: skip
    return depthmask.open(out)


def prints(dataset: Sequence[depthmask.Sample], numbers: Sequence[int]) -> list[str]:
    """One for each sample: what it looks like, in few bytes."""
    return [fingerprint(dataset[number]) for number in numbers]


def fingerprint(sample: depthmask.Sample) -> str:
    digest = blake2b(repr(sample.meta).encode(), digest_size=8)
    for array in (sample.image, sample.mask, sample.depth):
        assert array is not None
        digest.update(array.tobytes())
    return digest.hexdigest()


def orders(count: int) -> list[list[int]]:
    """All samples and some again, in another order for each reader."""
    return [random.Random(seed).choices(range(SAMPLES), k=3 * SAMPLES) for seed in range(count)]


def test_slices_and_splits(dataset: Dataset) -> None:
    all_of_it = prints(dataset, range(SAMPLES))
    assert len(set(all_of_it)) == SAMPLES
    assert [fingerprint(sample) for sample in dataset] == all_of_it
    assert [fingerprint(sample) for sample in dataset[30:2:-7]] == all_of_it[30:2:-7]
    assert [fingerprint(one) for one in dataset.__getitems__([3, -1])] == [
        all_of_it[3],
        all_of_it[-1],
    ]
    val = dataset.split("val")
    assert [sample.meta["split"] for sample in val[-2:]] == ["val", "val"]
    assert (len(val), val.contract) == (SAMPLES // 2, dataset.contract)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_other_processes(dataset: Dataset, method: str) -> None:
    """With shards that are open already, which a fork would share."""
    wanted = prints(dataset, range(SAMPLES))
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        for order, found in zip(
            orders(4), pool.map(prints, itertools.repeat(dataset), orders(4)), strict=True
        ):
            assert found == [wanted[number] for number in order]


def test_a_fork_goes_on_with_what_it_has(
    dataset: Dataset, forked: Callable[[Callable[[], Any]], Any]
) -> None:
    """Not pickled but inherited, while threads of the parent read."""
    wanted, stop = prints(dataset, range(SAMPLES)), threading.Event()

    def read() -> None:
        for number in itertools.cycle(range(SAMPLES)):
            if stop.is_set():
                return
            dataset[number]

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for order in orders(4):
            found = forked(partial(prints, dataset, order))
            assert found == [wanted[number] for number in order]
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_threads_with_more_shards_than_stay_open(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = prints(dataset, range(SAMPLES))
    few = pickle.loads(pickle.dumps(dataset))
    monkeypatch.setattr(type(few.writer), "open_shards", 1)
    with ThreadPoolExecutor(4) as threads:
        found = threads.map(lambda order: prints(few, order), orders(4))
        assert list(found) == [[wanted[number] for number in order] for order in orders(4)]
    assert len(few._shards._open) == 1


def test_files_are_given_back(dataset: Dataset) -> None:
    gc.collect()
    before = open_files()
    again = pickle.loads(pickle.dumps(dataset))
    prints(again, range(SAMPLES))
    again.close()
    assert open_files() == before
    prints(again, range(SAMPLES))
    del again
    gc.collect()
    assert open_files() == before


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_pickles_small(dataset: Dataset) -> None:
    prints(dataset, range(SAMPLES))
    assert len(pickle.dumps(dataset)) < 20_000
    val = pickle.loads(pickle.dumps(dataset.split("val")))
    assert (val.only, len(val)) == ("val", SAMPLES // 2)


def test_no_such_split(dataset: Dataset) -> None:
    with pytest.raises(depthmask.UsageError, match="no split 'vall'; it has train, val"):
        dataset.split("vall")


def test_a_path_that_is_no_dataset(dataset: Dataset) -> None:
    """The error says what is meant: the dataset above, or one of those below."""
    out = str(dataset.path)
    cases = {
        f"{out}/dataset.json": f"{out}/dataset.json is a file of the dataset {out}; give {out}",
        f"{out}/shards": f"{out}/shards is a folder of the dataset {out}; give {out} instead",
        f"{out}/records/train-000000.json": f"is a file of the dataset {out}; give {out} instead",
        f"{out}/shards/train-000000/0.jpg": f"of the dataset {out}; give {out} instead",
        f"{out}/../none": f"{out}/../none: no dataset here (there is no such folder)",
        str(dataset.path.parent): f"{dataset.path.parent} holds ",
    }
    for path, text in cases.items():
        with pytest.raises(depthmask.UsageError) as raised:
            depthmask.open(path)
        assert text in str(raised.value)


@pytest.mark.parametrize("command", [["verify"], ["stats"], ["report"], ["pictures"],
                                     ["render", "--index", "0"]])  # fmt: skip
def test_commands_say_so_too(
    command: list[str], dataset: Dataset, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    name, *options = command
    path = f"{dataset.path}/shards"
    capsys.readouterr()
    assert main([name, path, *options]) == 2
    line = f"error: {path} is a folder of the dataset {dataset.path}; give {dataset.path} instead\n"
    assert capsys.readouterr().err == line
    monkeypatch.chdir(path)
    assert main([name, ".", *options]) == 2
    assert f"error: . is a folder of the dataset {dataset.path}" in capsys.readouterr().err


def test_a_path_whose_accents_are_spelled_in_another_way(dataset: Dataset, tmp_path: Path) -> None:
    (tmp_path / "\u00fc").symlink_to(str(dataset.path))
    with pytest.raises(depthmask.UsageError) as raised:
        depthmask.open(tmp_path / "u\u0308")
    meant = f"did you mean {tmp_path / chr(0xFC)}? (the accents in it are spelled in another way)"
    assert meant in str(raised.value)


def test_a_path_that_is_nearly_that_of_a_dataset(dataset: Dataset) -> None:
    out = dataset.path
    with pytest.raises(depthmask.UsageError) as raised:
        depthmask.open(f"{out}2")
    assert str(raised.value) == (
        f"{out}2: no dataset here (there is no such folder; did you mean {out}?)"
    )


def test_another_working_folder(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program may change it once the dataset is open, also before the first sample."""
    path = Path(str(dataset.path))
    monkeypatch.chdir(path.parent)
    opened = [depthmask.open(path.name), Dataset(path.name)]
    monkeypatch.chdir(tmp_path)
    for one in (*opened, pickle.loads(pickle.dumps(opened[1]))):
        for samples in (one, one.split("val"), one[1:]):
            assert (samples[0].image == samples[-len(samples)].image).all()
        assert str(one.path) == path.name
        assert one.split("val").stats == dataset.split("val").stats


def test_the_home_folder_of_a_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    with pytest.raises(depthmask.UsageError, match=r"^/home/me/out: no dataset here"):
        depthmask.open("~/out")


def test_a_folder_of_assets_is_no_dataset(tmp_path: Path) -> None:
    for name in ("bg", "fg"):
        (tmp_path / "my photos" / name).mkdir(parents=True)
    with pytest.raises(depthmask.UsageError) as raised:
        depthmask.open(tmp_path / "my photos")
    assert str(raised.value).endswith(
        "(it holds assets; make a dataset of them: python -m depthmask source=assets "
        f"\"source.root='{tmp_path}/my photos'\" output=OUT)"
    )


def test_datasets_that_this_user_must_not_read_are_no_hint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("mine", "yours"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "plan.json").touch()
    is_file = LocalPath.is_file

    def by_this_user(path: LocalPath) -> bool:
        if path.parent.name == "yours":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return is_file(path)

    monkeypatch.setattr(LocalPath, "is_file", by_this_user)
    with pytest.raises(UsageError, match=r"there is no such folder; did you mean .*/mine\?"):
        depthmask.open(tmp_path / "mines")
    with pytest.raises(UsageError, match=r"there is no such folder\)$"):
        depthmask.open(tmp_path / "yourself")
