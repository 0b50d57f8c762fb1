"""Shards that are read from: which are open, how long, and which are remembered."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from depthmask.reading import open_shards
from depthmask.reading.open_shards import OpenShards
from depthmask.storage.record import ByteRanges, Record


class Reader:
    """Knows how often it was closed."""

    def __init__(self) -> None:
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


def record(samples: int = 1) -> Record:
    places: dict[str, ByteRanges] = {"jpg": np.zeros((samples, 3), np.uint32)}
    return Record("train-000000", "train", "", 0, samples, (), places, {}, {})


@contextmanager
def using(shards: OpenShards, name: str, samples: int = 1) -> Iterator[Any]:
    with shards.using(name, lambda: (record(samples), Reader()), most_open=2) as (_, reader):  # type: ignore[arg-type,return-value]
        yield reader


def used(shards: OpenShards, name: str, samples: int = 1) -> Any:
    with using(shards, name, samples) as reader:
        return reader


def test_the_one_whose_use_is_longest_ago_is_closed() -> None:
    shards = OpenShards()
    a, b = used(shards, "a"), used(shards, "b")
    assert used(shards, "a") is a
    c = used(shards, "c")
    assert [one.closed for one in (a, b, c)] == [0, 1, 0]


def test_what_is_closed_is_remembered() -> None:
    shards = OpenShards()
    a = used(shards, "a")
    shards.close()
    assert (a.closed, used(shards, "a")) == (1, a)


def test_of_large_records_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_shards, "KEPT_BYTES", 30_000)
    shards = OpenShards()
    a, b = used(shards, "a", samples=1000), used(shards, "b", samples=1000)
    shards.close()
    assert used(shards, "b") is b
    assert used(shards, "a") is not a


def test_none_is_closed_while_it_is_read() -> None:
    shards = OpenShards()
    with using(shards, "a") as a:
        used(shards, "b")
        used(shards, "c")
        shards.close()
        assert a.closed == 0
    assert a.closed == 1


def test_one_that_was_to_be_closed_is_taken_again() -> None:
    shards = OpenShards()
    with using(shards, "a") as a:
        shards.close()
        assert used(shards, "a") is a
    assert a.closed == 0


def test_of_two_that_open_the_same_one_counts() -> None:
    shards, both = OpenShards(), threading.Barrier(2)
    made = [Reader(), Reader()]

    def use(reader: Reader) -> Any:
        def open_it() -> Any:
            both.wait(timeout=60)
            return record(), reader

        with shards.using("a", open_it, most_open=2) as (_, used):
            return used

    with ThreadPoolExecutor(2) as threads:
        one, other = threads.map(use, made)
    assert one is other
    assert sorted(reader.closed for reader in made) == [0, 1]
    assert one.closed == 0


def test_one_that_cannot_be_opened_is_asked_for_again() -> None:
    shards = OpenShards()

    def fail() -> Any:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"), shards.using("a", fail, most_open=2):
        pass
    assert used(shards, "a").closed == 0


def test_all_are_closed_where_nobody_needs_them() -> None:
    shards = OpenShards()
    a = used(shards, "a")
    del shards
    gc.collect()
    assert a.closed == 1


def test_a_fork_closes_all_and_leaves_alone_what_another_thread_reads(
    forked: Callable[[Callable[[], Any]], Any],
) -> None:
    shards = OpenShards()
    a = used(shards, "a")
    with using(shards, "b") as b:
        again = forked(lambda: (used(shards, "a") is a, a.closed, used(shards, "b") is b, b.closed))
    assert again == (True, 1, False, 0)
    assert (a.closed, b.closed) == (0, 0)
