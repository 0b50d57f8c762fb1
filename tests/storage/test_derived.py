"""The files about a whole dataset: each is listed, checked, and made again to the same bytes."""

from __future__ import annotations

import hashlib
import itertools
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

import depthmask
from depthmask import PublishedDataset, stage
from depthmask.cli.main import main
from depthmask.engine import finish
from depthmask.errors import MachineError
from depthmask.stages.writer.folder import Folder
from depthmask.storage.derived import is_edited_card
from depthmask.storage.location import location
from depthmask.storage.path import StorePath
from depthmask.storage.publish import read_sealed, write_sealed
from depthmask.storage.verify import Findings, inspected, verify
from tests.support import tiny

WRITERS = ("webdataset", "zip", "npz", "folder", "depthmaskdataset")
SETTINGS = (
    *("samples=4", "split.train=0.5", "split.val=0.5", "labels=[coco]", "runner.workers=1"),
    "source.on_bad_asset=quarantine",
)
HOW = ("flip", "truncate", "delete", "swap")
NOT_LISTED = (
    "shards",
    "records",
    "dataset.json",
    "plan.json",
    "assets.json",
    "run.log",
    ".lock",
    ".drafts",
)
CARD = "README.md"


@pytest.fixture(scope="module")
def assets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a file that cannot be used, so that there is a quarantine."""
    root = tiny.make_assets(tmp_path_factory.mktemp("derived") / "assets")
    (root / "fg" / "broken.png").write_bytes(b"no picture")
    return root


def make(assets: Path, out: object, *more: str) -> int:
    return main(tiny.words(assets, out, *SETTINGS, *more))  # type: ignore[arg-type]


@pytest.fixture(scope="module", params=WRITERS)
def made(request: pytest.FixtureRequest, assets: Path) -> Path:
    out = assets.parent / request.param
    assert make(assets, out, f"writer={request.param}") == 0
    return out


@pytest.fixture(scope="module")
def whole(assets: Path) -> Path:
    """A dataset of one writer, for what does not depend on the writer."""
    out = assets.parent / "whole" / "out"
    assert make(assets, out) == 0
    return out


@pytest.fixture
def out(whole: Path, tmp_path: Path) -> Path:
    """A copy of it, of the same name: the card says how the folder is called."""
    return Path(shutil.copytree(whole, tmp_path / "out"))


def derived(out: StorePath | Path) -> dict[str, bytes]:
    """Name -> content of all files that a run lists."""
    folder = location(out)
    names = [name for name in folder.file_names() if name.partition("/")[0] not in NOT_LISTED]
    return {name: (folder / name).read_bytes() for name in names}


def listed(out: StorePath | Path) -> set[str]:
    files = depthmask.open(out).metadata.derived
    assert files is not None
    return {file.name for file in files}


def named(out: StorePath | Path) -> set[str | None]:
    return {problem.derived for problem in verify(out)}


def damage(out: StorePath | Path, how: str, names: list[str], before: dict[str, bytes]) -> set[str]:
    """Damage files, or give each what the next had before; returns the names of those that differ.

    before: the content of all files when they were whole.
    """
    folder = location(out)
    for name, other in zip(names, [*names[1:], names[0]], strict=True):
        content = {
            "flip": before[name][:-1] + bytes([before[name][-1] ^ 1]),
            "truncate": before[name][:-1],
            "swap": before[other],
        }
        if how == "delete":
            (folder / name).unlink()
        else:
            (folder / name).write_bytes(content[how])
    return {name for name in names if derived(out).get(name) != before[name]}


def test_every_file_is_listed(made: Path) -> None:
    files = listed(made)
    assert files == set(derived(made))
    kinds = {CARD, "croissant.json", "preview.jpg", "coco_train.json", "coco_val.json"}
    assert files >= kinds | {"quarantine/fg/broken.png", "quarantine/fg/broken.png.txt"}
    assert ("data/labels/data_label.txt" in files) == (made.name == "depthmaskdataset")
    assert inspected(made) == Findings([])


def test_damage_is_named_and_repaired(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = derived(made)
    for how in HOW:
        damaged = damage(made, how, sorted(set(before) - {CARD}), before)
        assert damaged
        assert named(made) == damaged
    assert main(["verify", str(made)]) == 1
    said = capsys.readouterr()
    assert all(any(line.startswith(name) for line in said.out.splitlines()) for name in damaged)
    assert "--repair` makes damaged files again" in said.err
    assert main(["verify", str(made), "--repair"]) == 0
    assert derived(made) == before
    assert verify(made) == []


def test_the_same_command_makes_them_again(assets: Path, out: Path) -> None:
    before, shards = derived(out), tiny.sha256s(out)
    for how in ("flip", "delete"):
        damage(out, how, sorted(set(before) - {CARD}), before)
        assert make(assets, out) == 0
        assert derived(out) == before
    assert tiny.sha256s(out) == shards
    assert verify(out) == []


@pytest.mark.parametrize("words", [["verify", "--repair"], ["resume"], ["extend", "samples=6"]])
def test_an_edited_card_is_kept(
    out: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    edited = (out / CARD).read_text().replace("## Open it", "Mine.\n\n## Open it")
    (out / CARD).write_text(edited)
    (out / "coco_val.json").unlink()
    assert named(out) == {"coco_val.json"}
    assert main([words[0], str(out), *words[1:]]) == 0
    assert (out / CARD).read_text() == edited
    # The others make damaged files alone.
    note = f"note: {CARD} is kept, as it was edited, or made by an ear"
    assert (note in capsys.readouterr().err) == (words[0] == "extend")
    assert main(["verify", str(out)]) == 0
    assert (
        f"note: {CARD}: edited, or made by an earlier version, and kept" in capsys.readouterr().err
    )


def test_a_card_that_was_deleted_is_made_again(out: Path) -> None:
    before = derived(out)
    (out / CARD).unlink()
    assert named(out) == {CARD}
    assert main(["verify", str(out), "--repair"]) == 0
    assert derived(out) == before


def test_dataset_json_stays_where_it_lists_the_same(out: Path) -> None:
    """Killed while it wrote it, a repair would leave a file that no other repair removes."""
    before = (out / "dataset.json").stat()
    (out / "coco_val.json").unlink()
    assert main(["verify", str(out), "--repair"]) == 0
    after = (out / "dataset.json").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_an_extended_dataset_has_a_card_of_its_own(out: Path) -> None:
    before = derived(out)
    assert main(["extend", str(out), "samples=6"]) == 0
    after = derived(out)
    names = {CARD, "coco_train.json", "coco_val.json", "croissant.json", "preview.jpg"}
    assert {name for name in before if after[name] != before[name]} == names
    assert not is_edited_card(location(out))
    assert verify(out) == []


def test_an_extension_that_ends_anywhere_goes_on(
    out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between any two files: there is no `dataset.json`, or all of them are as it says."""
    words = ["extend", str(out), "samples=6"]
    before, replace = Path(shutil.copytree(out, tmp_path / "before")), os.replace
    assert main(words) == 0
    after, ended = derived(out), []
    for last in range(0, 40, 7):
        shutil.rmtree(out)
        shutil.copytree(before, out)
        count = itertools.count()

        def until(source: Any, target: Any, count: Any = count, last: int = last) -> None:
            if next(count) == last:
                raise KeyboardInterrupt
            replace(source, target)

        with monkeypatch.context() as patched:
            patched.setattr(os, "replace", until)
            ended.append(main(words))
        assert ended[-1] == 0 or not (out / "dataset.json").exists() or verify(out) == []
        assert main(words) == 0
        assert derived(out) == after
        if ended[-1] == 0:
            break
    assert ended == [*(130 for _ in ended[1:]), 0]
    assert len(ended) > 2


def test_other_files_are_no_damage(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    others = {"note.txt": "", "coco_extra.json": "{}", "quarantine/more": "", "labels/a.cache": ""}
    for name, text in others.items():
        (out / name).parent.mkdir(exist_ok=True)
        (out / name).write_text(text)
    assert main(["report", str(out)]) == 0
    capsys.readouterr()
    assert main(["verify", str(out)]) == 0
    said = capsys.readouterr()
    shown = ("coco_extra.json", "labels/ (1 files)", "note.txt", "quarantine/more", "report.html")
    notes = [f"note: {name}: foreign, not written by the run, and not checked" for name in shown]
    assert said.err.splitlines() == notes
    assert said.out == f"{out}: every shard is as published\n"
    (out / "preview.jpg").unlink()
    assert main(["verify", str(out), "--repair"]) == 0
    assert {name: (out / name).read_text() for name in others} == others


@pytest.mark.parametrize("name", ["contact_sheet", "cards"])
def test_what_could_not_be_made_is_made_later(
    assets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def fail(*_: object) -> None:
        raise OSError("encoder error -2 when writing image file")

    with monkeypatch.context() as patched:
        patched.setattr(finish, name, fail)
        assert make(assets, tmp_path / "out") == 0
    lacking = {"preview.jpg"} if name == "contact_sheet" else {CARD, "croissant.json"}
    assert set(inspected(tmp_path / "out").left_out) == lacking
    assert main(["verify", str(tmp_path / "out")]) == 0
    assert main(["verify", str(tmp_path / "out"), "--repair"]) == 0
    assert inspected(tmp_path / "out").notes == []
    assert listed(tmp_path / "out") >= lacking


def test_those_of_a_converted_dataset(out: Path, tmp_path: Path) -> None:
    """Its labels are those of the input, whose stage writes the files of the copy."""
    converted = tmp_path / "converted"
    assert main(["convert", str(out), "writer=folder", f"output={converted}"]) == 0
    before = derived(converted)
    names = sorted(set(before) - {CARD})
    assert listed(converted) == {*names, CARD} >= {"coco_train.json", "coco_val.json"}
    damaged = damage(converted, "swap", names, before)
    assert named(converted) == damaged
    assert main(["verify", str(converted), "--repair"]) == 0
    assert derived(converted) == before


@stage("derives_by_pathlib")
class ByPathlib(Folder):
    def derive(self, dataset: PublishedDataset) -> None:
        Path(str(dataset.path), "extra").mkdir(exist_ok=True)
        Path(str(dataset.path), "extra", "by hand.txt").write_text("1\n")


@stage("derives_by_methods")
class ByMethods(Folder):
    def derive(self, dataset: PublishedDataset) -> None:
        (dataset.path / "extra").make_folder()
        (dataset.path / "extra" / "by hand.txt").write_text("1\n", "utf-8")


@pytest.mark.usefixtures("stages_of_tests")
@pytest.mark.parametrize("writer", ["derives_by_pathlib", "derives_by_methods"])
def test_files_of_a_writer_of_others(assets: Path, tmp_path: Path, writer: str) -> None:
    """A writer that knows nothing of the list."""
    out = tmp_path / "out"
    assert make(assets, out, f"writer={writer}") == 0
    assert "extra/by hand.txt" in listed(out)
    before = derived(out)
    (out / "extra" / "by hand.txt").write_text("2\n")
    assert named(out) == {"extra/by hand.txt"}
    assert main(["verify", str(out), "--repair"]) == 0
    assert derived(out) == before


@pytest.mark.usefixtures("stages_of_tests")
@pytest.mark.parametrize("writer", ["derives_by_pathlib", "depthmaskdataset"])
def test_they_are_durable_before_dataset_json(
    assets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writer: str
) -> None:
    """Each file, and its name in each folder, is synced; whoever wrote it."""
    sync, replace, synced, before = os.fsync, os.replace, set[int](), set[int]()

    def noted(handle: int) -> None:
        sync(handle)
        synced.add(os.fstat(handle).st_ino)

    def renamed(source: Any, target: Any) -> None:
        if Path(target).name == "dataset.json":
            before.update(synced)
        replace(source, target)

    monkeypatch.setattr(os, "fsync", noted)
    monkeypatch.setattr(os, "replace", renamed)
    out = tmp_path / "out"
    assert make(assets, out, f"writer={writer}") == 0
    paths = [out / name for name in listed(out)]
    folders = {folder for path in paths for folder in path.parents if folder.is_relative_to(out)}
    assert [path for path in (*paths, *folders) if path.stat().st_ino not in before] == []


@pytest.mark.usefixtures("s3")
def test_in_an_object_store(assets: Path, tmp_path: Path) -> None:
    out = location(f"s3://bucket/{tmp_path.name}/derived")
    assert make(assets, out, "writer=depthmaskdataset") == 0
    before = derived(out)
    assert listed(out) == set(before)
    names = sorted(set(before) - {CARD})
    for how, some in (("flip", names), ("delete", names[:3]), ("swap", names[:2])):
        damaged = damage(out, how, some, before)
        assert damaged
        assert named(out) == damaged
        assert main(["verify", str(out), "--repair"]) == 0
        assert derived(out) == before
    (out / CARD).write_bytes(before[CARD].replace(b"Open it", b"Read it"))
    (out / "note.txt").write_bytes(b"")
    damage(out, "truncate", names[:1], before)
    assert make(assets, out, "writer=depthmaskdataset") == 0
    assert b"## Read it" in (out / CARD).read_bytes()
    findings = inspected(out)
    assert findings.problems == []
    assert [note.partition(":")[0] for note in findings.notes] == [CARD, "note.txt"]


def test_an_older_dataset_lists_none(out: Path) -> None:
    """Nothing is checked there, as when it was made."""
    data = read_sealed(location(out) / "dataset.json")
    assert data is not None
    del data["derived"]
    write_sealed(location(out) / "dataset.json", data)
    damage(out, "flip", ["coco_val.json"], derived(out))
    (out / "note.txt").touch()
    assert inspected(out) == Findings([])


@pytest.mark.parametrize("name", ["../secret", "linked/secret"])
def test_no_file_outside_the_dataset_is_read(out: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "secret").write_bytes(b"1")
    (out / "linked").symlink_to(tmp_path)
    data = read_sealed(location(out) / "dataset.json")
    assert data is not None
    data["derived"].append({"name": name, "bytes": 1, "sha256": hashlib.sha256(b"1").hexdigest()})
    write_sealed(location(out) / "dataset.json", data)
    if name.startswith(".."):
        assert [one.text.partition(":")[0] for one in verify(out)] == ["dataset.json"]
    else:
        with pytest.raises(MachineError, match="linked: is a link; links in a dataset are not fol"):
            verify(out)
