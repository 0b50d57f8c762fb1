"""Damage to the files about a dataset: the short form of tools/damage.py, which has all writers."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from depthmask.storage.location import location
from tools import damage


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[damage.Subject]:
    """The datasets of the writer with most kinds of files, made as they are asked for."""
    folder = tmp_path_factory.mktemp("damage")
    return damage.subjects(folder, location(folder / "datasets"), ("depthmaskdataset",))


def test_each_kind_of_file(made: Iterator[damage.Subject]) -> None:
    """One way for each kind of damage; every second one by the same command."""
    subject = next(made)
    cases = list(subject.cases())
    assert len({damage.kind_of(case.name) for case in cases}) == 7
    assert len(cases) == 7 * len(damage.HOW) * len(damage.WAYS)
    wrong = {case: subject.problems(case) for case in cases[::7]}
    assert {case.how for case in wrong} == set(damage.HOW)
    assert {case.way for case in wrong} == set(damage.WAYS)
    assert {case: texts for case, texts in wrong.items() if texts} == {}


def test_what_goes_wrong_is_said(made: Iterator[damage.Subject]) -> None:
    """The harness is no use if it accepts a file that stays damaged."""
    subject = next(made)
    lost = next(case for case in subject.cases() if case.how == "delete")
    blind = dataclasses.replace(subject, words=["verify", str(subject.output)])
    texts = blind.problems(dataclasses.replace(lost, way="run"))
    assert any(text.startswith("exit code 1") for text in texts)
    assert f"{lost.name}: not as it has to be" in texts
