"""Continued or refused, never mixed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from depthmask.errors import DepthmaskError, UsageError
from depthmask.storage.identity import (
    DatasetIdentity,
    FolderState,
    check_output,
    identity_in,
    take_output,
)
from depthmask.storage.local import LocalPath
from depthmask.storage.path import DRAFTS
from depthmask.storage.publish import require_sealed, write_sealed


def plan(**config: Any) -> DatasetIdentity:
    return DatasetIdentity(
        {
            "schema": 1,
            "config": {
                "samples": 100,
                "seed": 0,
                "size": [160, 160],
                "writer": {"stage": "zip"},
                "placement": {"stage": "random", "min_visible": 0.25},
                **config,
            },
            "inputs": "abc",
        }
    )


@pytest.fixture
def output(tmp_path: Path) -> LocalPath:
    return LocalPath(tmp_path / "new" / "out")


def finished(output: LocalPath) -> None:
    """A dataset of one shard, complete."""
    take_output(output, plan(), overwrite=False)
    (output / "shards").mkdir()
    (output / "shards" / "train-000000.zip").write_bytes(b"zip")
    (output / "records" / "train-000000.json").write_text("{}")
    (output / "dataset.json").write_text("{}")


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_new_folder_is_taken(output: LocalPath) -> None:
    assert take_output(output, plan(), overwrite=False) is FolderState.empty
    written = require_sealed(output / "plan.json")
    assert written.pop("fingerprint") == plan().fingerprint
    assert written == plan().description
    assert (output / "records").is_dir()


def test_an_empty_folder_is_taken(output: LocalPath) -> None:
    output.mkdir(parents=True)
    assert take_output(output, plan(), overwrite=False) is FolderState.empty


def test_the_same_plan_is_continued_and_nothing_changes(output: LocalPath) -> None:
    finished(output)
    before = contents(output)
    assert take_output(output, plan(), overwrite=False) is FolderState.same
    assert contents(output) == before


def test_more_samples_extend_and_the_dataset_is_no_longer_complete(output: LocalPath) -> None:
    finished(output)
    assert take_output(output, plan(samples=250), overwrite=False) is FolderState.fewer_samples
    assert not (output / "dataset.json").exists()
    assert (output / "shards" / "train-000000.zip").exists()
    assert (output / "records" / "train-000000.json").exists()
    assert require_sealed(output / "plan.json")["config"]["samples"] == 250
    assert take_output(output, plan(samples=250), overwrite=False) is FolderState.same


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"seed": 3}, "seed was 0 and is 3"),
        ({"size": [160, 80]}, "size was [160,160] and is [160,80]"),
        ({"samples": 200, "seed": 3}, "seed was 0 and is 3"),
        ({"new": 1}, "new was null and is 1"),
        (
            {"placement": {"stage": "random", "min_visible": 0.5}},
            "placement.min_visible was 0.25 and is 0.5",
        ),
        (
            {"placement": {"stage": "grid", "rows": 2}},
            "placement was random and is grid",
        ),
    ],
)
def test_another_plan_is_refused_naming_the_field(
    output: LocalPath, config: dict[str, Any], text: str
) -> None:
    finished(output)
    before = contents(output)
    with pytest.raises(UsageError) as caught:
        take_output(output, plan(**config), overwrite=False)
    assert f"output={output} holds another dataset: {text}; choose" in str(caught.value)
    assert contents(output) == before


@pytest.mark.parametrize("count", [2, 20, 21, 45])
def test_all_settings_that_differ_are_listed(output: LocalPath, count: int) -> None:
    finished(output)
    changes = {f"new{number:02d}": number for number in range(count)}
    with pytest.raises(UsageError) as caught:
        take_output(output, plan(**changes), overwrite=False)
    first, *others = str(caught.value).splitlines()
    assert "new00 was null and is 0; choose another output" in first
    assert first.endswith(f"; {count - 1} more:")
    listed = [f"  {name} was null and is {number}" for name, number in changes.items()]
    rest = f"  and {count - 20} more: {output / 'plan.json'} has all settings of the dataset there"
    assert others == [*listed[1:20], *([rest] if count > 20 else [])]


def test_fewer_samples_are_a_slice_of_the_dataset(output: LocalPath) -> None:
    finished(output)
    before = contents(output)
    with pytest.raises(UsageError) as caught:
        take_output(output, plan(samples=40), overwrite=False)
    assert str(caught.value) == (
        f"output={output} holds 100 samples, more than samples=40; "
        f"depthmask.open('{output}')[:40] has the first 40 of them; choose another output for a "
        "dataset of 40"
    )
    assert contents(output) == before


def test_an_extension_removes_the_page_about_the_shorter_dataset(output: LocalPath) -> None:
    finished(output)
    (output / "report.html").write_text("100 samples")
    take_output(output, plan(), overwrite=False)
    assert (output / "report.html").is_file()
    take_output(output, plan(samples=250), overwrite=False)
    assert not (output / "report.html").exists()


def test_other_assets_are_another_plan(output: LocalPath) -> None:
    finished(output)
    other = DatasetIdentity({**plan().description, "inputs": "abd"})
    with pytest.raises(UsageError, match="the assets are not those that it was made from"):
        take_output(output, other, overwrite=False)


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_foreign_folder_is_left_alone(output: LocalPath, overwrite: bool) -> None:
    output.mkdir(parents=True)
    (output / "thesis.txt").write_text("years of work")
    (output / "shards").mkdir()
    (output / "shards" / "mine.tar").write_text("mine")
    before = contents(output)
    with pytest.raises(UsageError, match=str(output)):
        take_output(output, plan(), overwrite=overwrite)
    assert contents(output) == before


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_file_in_the_place_of_the_folder(output: LocalPath, overwrite: bool) -> None:
    output.parent.mkdir()
    output.write_text("a file")
    with pytest.raises(UsageError, match="is a file; choose a folder"):
        take_output(output, plan(), overwrite=overwrite)
    assert output.read_text() == "a file"


def test_a_damaged_plan_is_refused(output: LocalPath) -> None:
    finished(output)
    (output / "plan.json").write_text('{"schema": 1, "con')
    with pytest.raises(UsageError, match=r"its plan.json is damaged"):
        take_output(output, plan(), overwrite=False)
    assert take_output(output, plan(), overwrite=True) is FolderState.empty


def test_overwrite_begins_anew(output: LocalPath) -> None:
    finished(output)
    assert take_output(output, plan(seed=9), overwrite=True) is FolderState.empty
    assert list(contents(output)) == ["plan.json"]
    assert take_output(output, plan(seed=9), overwrite=True) is FolderState.empty


def test_overwrite_does_not_follow_links(output: LocalPath, tmp_path: Path) -> None:
    finished(output)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "keep.txt").write_text("keep")
    (output / "link").symlink_to(outside)
    take_output(output, plan(seed=9), overwrite=True)
    assert (outside / "keep.txt").read_text() == "keep"
    assert not (output / "link").exists()


def test_a_run_killed_while_it_took_the_folder_may_begin_again(output: LocalPath) -> None:
    output.mkdir(parents=True)
    (output / "plan.json.4711.tmp").write_text('{"sch')
    assert take_output(output, plan(), overwrite=False) is FolderState.empty


def test_unfinished_drafts_go(output: LocalPath) -> None:
    finished(output)
    draft = output / DRAFTS / "train-000001.4711"
    draft.mkdir(parents=True)
    (draft / "train-000001.zip").write_bytes(b"half")
    take_output(output, plan(), overwrite=False)
    assert not (output / DRAFTS).exists()


def versioned(**fields: Any) -> DatasetIdentity:
    """A plan with a stage of a package, as depthmask 0.1.0 hashed it but for `fields`."""
    versions = {"depthmask": "0.1.0", "numpy": "2.4", "mine": "0.1.0"}
    return DatasetIdentity({**plan().description, "versions": versions, **fields})


def test_first_pixel_versions_and_versions_of_packages_are_not_hashed() -> None:
    fields: dict[str, Any] = {
        "packages": {"placement=random": "mine"},
        "pixel_versions": {"depthmask": 1, "placement=random": 1},
        "versions": {"depthmask": "7.0", "numpy": "2.4", "mine": "3.1.4"},
    }
    assert versioned(**fields).fingerprint == versioned().fingerprint
    assert versioned(**fields).lineage == versioned().lineage
    others: list[dict[str, Any]] = [
        {"pixel_versions": {"depthmask": 2, "placement=random": 1}},
        {"pixel_versions": {"depthmask": 1, "placement=random": 2}},
        {"versions": {**fields["versions"], "numpy": "2.5"}},
        {"packages": {}},
    ]
    for other in others:
        assert versioned(**{**fields, **other}).fingerprint != versioned().fingerprint
        assert versioned(**{**fields, **other}).lineage != versioned().lineage


def test_a_plan_without_pixel_versions_is_hashed_as_it_is() -> None:
    assert versioned(versions={"mine": "3"}).fingerprint != versioned().fingerprint
    assert versioned(packages={}).fingerprint != versioned().fingerprint


def test_a_stage_without_a_version_has_none_in_the_hash() -> None:
    early = versioned(versions={"unregistered": ""})
    now = versioned(versions={"unregistered": ""}, packages={}, pixel_versions={})
    assert now.fingerprint == early.fingerprint


def test_an_extended_plan_keeps_the_versions_that_began_it(output: LocalPath) -> None:
    take_output(output, versioned(versions={"depthmask": "0.0.5"}), overwrite=False)
    later = {
        "versions": {"depthmask": "0.2.0"},
        "packages": {},
        "pixel_versions": {"depthmask": 1},
        "config": {**plan().description["config"], "samples": 250},
    }
    state = take_output(output, versioned(**later), overwrite=False)
    assert state is FolderState.fewer_samples
    kept = versioned(versions={"depthmask": "0.0.5"}, config=later["config"])
    assert identity_in(output) == kept
    assert require_sealed(output / "plan.json")["fingerprint"] == kept.fingerprint
    assert kept.lineage == versioned(versions={"depthmask": "0.0.5"}).lineage


@pytest.mark.parametrize("field", ["versions", "packages", "pixel_versions"])
def test_versions_that_are_none_are_one_line(output: LocalPath, field: str) -> None:
    output.make_folder()
    write_sealed(output / "plan.json", {**versioned().description, field: 3, "fingerprint": ""})
    now = versioned(packages={}, pixel_versions={"depthmask": 1})
    with pytest.raises(DepthmaskError, match=r"plan\.json: cannot be read"):
        take_output(output, now, overwrite=False)


def test_environments_are_bounded_and_decide_nothing() -> None:
    identity = plan().made_in({"numpy": "0"})
    for version in range(1, 15):
        for _ in range(2):
            identity = identity.made_in({"numpy": str(version)}, identity.environments)
    kept = [one["numpy"] for one in identity.environments]
    assert kept == ["0", *map(str, range(6, 15))]
    assert (identity.fingerprint, identity.lineage) == (plan().fingerprint, plan().lineage)


def test_the_fingerprint_is_that_of_the_content() -> None:
    reordered = DatasetIdentity(dict(reversed(plan().description.items())))
    assert reordered.fingerprint == plan().fingerprint
    assert plan(seed=1).fingerprint != plan().fingerprint
    assert len(plan().fingerprint) == 64


@pytest.mark.parametrize("folder", ["shards", "shards/new", "records/a/b"])
def test_no_output_in_the_folders_of_another_dataset(output: LocalPath, folder: str) -> None:
    """Its repair would delete the files there as strays."""
    finished(output)
    with pytest.raises(UsageError) as caught:
        check_output(output / folder, plan(), overwrite=True)
    assert str(caught.value) == (
        f"output={output / folder}: lies in {folder.split('/')[0]} of the dataset {output}; choose "
        "another output"
    )
    assert check_output(output.parent / "shards", plan(), overwrite=False) is FolderState.empty
    assert check_output(output / "new", plan(), overwrite=False) is FolderState.empty
