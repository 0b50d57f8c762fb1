"""Shards that are open: which, how long, for whom."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from depthmask.open_shards import OpenShards


class Reader:
    """Knows how often it was closed."""

    def __init__(self) -> None:
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


@contextmanager
def using(shards: OpenShards, name: str) -> Iterator[Any]:
    with shards.using(name, lambda: (None, Reader()), most=2) as (_, reader):  # type: ignore[arg-type,return-value]
        yield reader


def used(shards: OpenShards, name: str) -> Any:
    with using(shards, name) as reader:
        return reader


def test_the_one_whose_use_is_longest_ago_is_closed() -> None:
    shards = OpenShards()
    a, b = used(shards, "a"), used(shards, "b")
    assert used(shards, "a") is a
    c = used(shards, "c")
    assert [one.closed for one in (a, b, c)] == [0, 1, 0]
    assert used(shards, "b") is not b


def test_none_is_closed_while_it_is_read() -> None:
    shards = OpenShards()
    with using(shards, "a") as a:
        used(shards, "b")
        used(shards, "c")
        shards.close()
        assert a.closed == 0
    assert a.closed == 1


def test_of_two_that_open_the_same_one_counts() -> None:
    shards, both = OpenShards(), threading.Barrier(2)
    made = [Reader(), Reader()]

    def use(reader: Reader) -> Any:
        def open_it() -> Any:
            both.wait(timeout=60)
            return None, reader

        with shards.using("a", open_it, most=2) as (_, used):
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

    with pytest.raises(OSError, match="gone"), shards.using("a", fail, most=2):
        pass
    assert used(shards, "a").closed == 0


def test_all_are_closed_where_nobody_needs_them() -> None:
    shards = OpenShards()
    a = used(shards, "a")
    del shards
    gc.collect()
    assert a.closed == 1
