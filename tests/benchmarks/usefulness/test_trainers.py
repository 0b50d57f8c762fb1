"""Runs that are carried out side by side."""

from __future__ import annotations

import multiprocessing
import threading
from contextlib import ExitStack
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from benchmarks.usefulness import trainers
from benchmarks.usefulness.recipes_file import Recipe
from benchmarks.usefulness.runs import Run

PLACE = trainers.Place({}, Path("data"), Path("out"), "cpu")
RECIPE = Recipe("random", "masks", "About.")


def _run(number: int) -> Run:
    return Run("random", "masks", "", 2, 8, 0, number, "", "cpu", "", "")


def _answer(connection: Connection, answers: dict[int, Any]) -> None:
    """In the place of a process: two steps and the answer to each run; None ends it."""
    while True:
        try:
            run, recipe = connection.recv()
        except EOFError:
            return
        assert recipe == RECIPE
        connection.send(None)
        connection.send(None)
        if answers[run.number] is None:
            connection.close()
            return
        connection.send(answers[run.number])


def _use(monkeypatch: pytest.MonkeyPatch, answers: dict[int, Any]) -> list[Connection]:
    started: list[Connection] = []

    def start(place: trainers.Place, ending: ExitStack) -> Connection:
        assert place is PLACE
        ours, theirs = multiprocessing.Pipe()
        started.append(ours)
        ending.callback(ours.close)
        threading.Thread(target=_answer, args=(theirs, answers), daemon=True).start()
        return ours

    monkeypatch.setattr(trainers, "_started", start)
    return started


@pytest.mark.parametrize("jobs", [1, 2, 9])
def test_each_run_is_carried_out_once(monkeypatch: pytest.MonkeyPatch, jobs: int) -> None:
    answers = {number: {"scores": number} for number in range(5)}
    started = _use(monkeypatch, answers)
    messages = [*trainers.results([(_run(n), RECIPE) for n in answers], PLACE, jobs)]
    ended = {run.number: values for run, values in messages if values is not None}
    assert ended == answers
    assert len(messages) == 3 * len(answers), "two steps and the end"
    assert len(started) == min(jobs, len(answers))


def test_nothing_to_do_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    started = _use(monkeypatch, {})
    assert [*trainers.results([], PLACE, 2)] == []
    assert not started


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (SystemExit("--device cuda: no GPU"), "^--device cuda: no GPU$"),
        (None, r"^masks/random: its process has ended, .* smaller --jobs$"),
    ],
)
def test_a_process_that_cannot_go_on(
    monkeypatch: pytest.MonkeyPatch, answer: SystemExit | None, message: str
) -> None:
    _use(monkeypatch, {0: {"scores": 0}, 1: answer})
    messages = trainers.results([(_run(0), RECIPE), (_run(1), RECIPE)], PLACE, 1)
    before = [next(messages) for _ in range(5)]
    assert [run.number for run, values in before if values] == [0], "what ended before is kept"
    with pytest.raises(SystemExit, match=message):
        next(messages)


def test_a_run_that_cannot_be_made_leaves_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {0: "depthmask: no place is free", 1: {"scores": 1}, 2: {"scores": 2}}
    _use(monkeypatch, answers)
    messages = trainers.results([(_run(n), RECIPE) for n in answers], PLACE, 1)
    assert [(run.number, end) for run, end in messages if end is not None] == [*answers.items()]


def test_data_that_cannot_be_made_is_a_message() -> None:
    class Unmade:
        def carry_out(self, *_: object) -> None:
            raise SystemExit("people: 3 photographs")

    ended = trainers._ended(Unmade(), _run(0), RECIPE, lambda: None)  # type: ignore[arg-type]
    assert ended == "people: 3 photographs"


def test_how_many_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainers, "cores", lambda: 6)
    monkeypatch.setattr(trainers, "memory", lambda: 17 << 30)
    assert trainers.usual_jobs("cpu") == 4
    assert trainers.usual_jobs("cuda") == 1
    monkeypatch.setattr(trainers, "memory", lambda: 1 << 30)
    assert trainers.usual_jobs("cpu") == 1
