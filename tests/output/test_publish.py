"""Whole files or none."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from depthmask.output.publish import DRAFTS, Draft, write_json
from depthmask.output.record import Record, ShardFile


def test_files_are_hashed_and_moved(tmp_path: Path) -> None:
    with Draft(tmp_path, "train-000000") as draft:
        (draft.folder / "b.tar").write_bytes(b"bb")
        (draft.folder / "a").mkdir()
        (draft.folder / "a" / "x.jpg").write_bytes(b"x")
        (draft.folder / "a" / "y.jpg").write_bytes(b"")
        assert not (tmp_path / "shards").exists()
        files = draft.publish()
    sha256 = {text: hashlib.sha256(text).hexdigest() for text in (b"bb", b"x", b"")}
    assert files == (
        ShardFile("a/x.jpg", 1, sha256[b"x"]),
        ShardFile("a/y.jpg", 0, sha256[b""]),
        ShardFile("b.tar", 2, sha256[b"bb"]),
    )
    assert (tmp_path / "shards" / "b.tar").read_bytes() == b"bb"
    assert (tmp_path / "shards" / "a" / "x.jpg").read_bytes() == b"x"
    assert list((tmp_path / DRAFTS).iterdir()) == []


def test_a_failure_publishes_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    draft = Draft(tmp_path, "train-000000")

    def write() -> None:
        with draft:
            (draft.folder / "a.tar").write_bytes(b"half")
            raise RuntimeError("writer")

    with pytest.raises(RuntimeError, match="writer"):
        write()
    assert not draft.folder.exists()
    assert not (tmp_path / "shards").exists()


def test_what_a_killed_run_left_is_not_published(tmp_path: Path) -> None:
    left = Draft(tmp_path, "train-000000").folder
    left.mkdir(parents=True)
    (left / "old.tar").write_bytes(b"garbage")
    with Draft(tmp_path, "train-000000") as draft:
        assert draft.folder == left
        (draft.folder / "new.tar").write_bytes(b"new")
        draft.publish()
    assert [path.name for path in (tmp_path / "shards").iterdir()] == ["new.tar"]


@pytest.mark.parametrize("old", [b"", b"longer than the new one"])
def test_a_file_takes_the_place_of_another(tmp_path: Path, old: bytes) -> None:
    target = tmp_path / "shards" / "a.tar"
    target.parent.mkdir()
    target.write_bytes(old)
    with target.open("rb") as reader, Draft(tmp_path, "a") as draft:
        (draft.folder / "a.tar").write_bytes(b"new")
        draft.publish()
        # Whoever has the old one open keeps it whole: it was replaced, not overwritten.
        assert reader.read() == old
    assert target.read_bytes() == b"new"


def test_a_folder_takes_the_place_of_another(tmp_path: Path) -> None:
    target = tmp_path / "shards" / "a"
    target.mkdir(parents=True)
    (target / "3.jpg").write_bytes(b"of a longer shard")
    with Draft(tmp_path, "a") as draft:
        (draft.folder / "a").mkdir()
        (draft.folder / "a" / "1.jpg").write_bytes(b"new")
        draft.publish()
    assert [path.name for path in target.iterdir()] == ["1.jpg"]


def test_other_shards_stay(tmp_path: Path) -> None:
    for name in ("a", "b"):
        with Draft(tmp_path, name) as draft:
            (draft.folder / f"{name}.tar").write_bytes(name.encode())
            draft.publish()
    assert sorted(path.name for path in (tmp_path / "shards").iterdir()) == ["a.tar", "b.tar"]


def test_json_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    write_json(path, {"name": "Stühle", "values": [1, 2.5, None]})
    assert json.loads(path.read_text(encoding="utf-8")) == {
        "name": "Stühle",
        "values": [1, 2.5, None],
    }
    with pytest.raises(TypeError):
        write_json(path, {"name": {1, 2}})
    assert json.loads(path.read_text(encoding="utf-8"))["name"] == "Stühle"
    write_json(path, [])
    assert path.read_bytes() == b"[]\n"
    assert [one.name for one in tmp_path.iterdir()] == ["plan.json"]


def test_a_record_survives_json() -> None:
    record = Record(
        shard="train-000001",
        split="train",
        start=5,
        stop=7,
        files=(ShardFile("a.tar", 10, "ab"), ShardFile("b.tar", 20, "cd")),
        members={"jpg": [(0, 512, 3), (1, 0, 4)]},
        statistics={"image": {"count": 1, "sum": [10**30], "sum_of_squares": [1]}},
        seconds={"encode": 0.5},
    )
    assert Record.from_json(json.loads(json.dumps(record.as_json()))) == record
    assert (len(record), record.bytes) == (2, 30)
    damaged = record.as_json()
    del damaged["stop"]
    with pytest.raises(KeyError):
        Record.from_json(damaged)
