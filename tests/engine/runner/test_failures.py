"""How often a shard is tried, and what is said in the end."""

from __future__ import annotations

import pytest

from depthmask.engine.runner.failures import Failures, Refusal
from depthmask.errors import DepthmaskError
from depthmask.plan.layout import Shard


def shard(number: int, split: str = "train") -> Shard:
    return Shard(number, split, number, number + 1)


def test_a_shard_is_tried_three_times() -> None:
    failures = Failures()
    again = [failures.note(shard(1), Refusal("boom", final=False)) for _ in range(3)]
    assert again == [True, True, False]
    with pytest.raises(
        DepthmaskError,
        match=r"^1 of the shards could not be made, .* none: boom; see run\.log$",
    ):
        failures.settle()


def test_shards_of_two_splits_are_two_shards() -> None:
    failures = Failures()
    for split in ("train", "val", "train", "val"):
        assert failures.note(shard(1, split), Refusal("boom", final=False))


def test_a_shard_made_at_last_is_no_failure() -> None:
    failures = Failures()
    failures.note(shard(1), Refusal("boom", final=False))
    failures.note_made()
    failures.settle()


def test_a_final_refusal_stops_the_run_at_once() -> None:
    with pytest.raises(DepthmaskError, match=r"^no disk$"):
        Failures().note(shard(1), Refusal("no disk", final=True))


@pytest.mark.parametrize("any_made", [False, True])
def test_a_hundred_failures_without_a_shard_stop_the_run(any_made: bool) -> None:
    failures = Failures()
    if any_made:
        failures.note_made()
    for number in range(99):
        for _ in range(3):
            failures.note(shard(number), Refusal(f"{number} failed", final=False))
    for _ in range(2):
        failures.note(shard(99), Refusal("99 failed", final=False))
    if any_made:
        assert not failures.note(shard(99), Refusal("99 failed", final=False))
        return
    with pytest.raises(DepthmaskError) as caught:
        failures.note(shard(99), Refusal("99 failed", final=False))
    assert str(caught.value) == (
        "100 of the shards could not be made, no shard was made, so the run stopped: 0 failed; "
        "see run.log; 99 more:"
        + "".join(f"\n  {number} failed" for number in range(1, 20))
        + "\n  and 80 more: run.log has all of them"
    )


def refusal(number: int, cause: str = "boom") -> Refusal:
    return Refusal(f"shard {number}: {cause}", final=False, cause=cause)


def test_the_same_error_twice_is_not_tried_a_third_time() -> None:
    failures = Failures()
    failures.note_made()
    assert [failures.note(shard(1), refusal(1)) for _ in range(2)] == [True, False]
    assert [failures.note(shard(2), refusal(2, f"error {turn}")) for turn in range(3)] == [
        *(True, True, False)
    ]
    with pytest.raises(
        DepthmaskError, match=r"^2 of the shards .* all others are made: shard 1: b"
    ):
        failures.settle()


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_the_same_error_in_the_first_shards_of_all_workers_ends_the_run(workers: int) -> None:
    failures = Failures(workers)
    most = max(2, workers)
    for number in range(most - 1):
        assert [failures.note(shard(number), refusal(number)) for _ in range(2)] == [True, False]
    assert failures.note(shard(most), refusal(most))
    with pytest.raises(DepthmaskError, match=f"^{most} of the shards .* so the run stopped: sh"):
        failures.note(shard(most), refusal(most))


def test_different_errors_do_not_end_the_run() -> None:
    failures = Failures()
    for number in range(5):
        cause = f"error {number}"
        assert not [failures.note(shard(number), refusal(number, cause)) for _ in range(2)][1]


def test_a_shard_made_before_keeps_the_run_going() -> None:
    failures = Failures()
    failures.note_made()
    for number in range(5):
        assert not [failures.note(shard(number), refusal(number)) for _ in range(2)][1]
