"""`resume OUT`: complete a dataset from its folder alone; other settings are refused in a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from depthmask.cli.main import main
from depthmask.storage.location import location
from depthmask.storage.publish import require_sealed, write_sealed
from tests.support import tiny
from tests.support.s3_server import Server

NAMES = ["plain", "a b", "it's", 'say "x"', "stühle", "a=b", "${oc.env:HOME}", "-dash", "é\\"]


def make(folder: Path, name: str = "OUT", *more: str) -> Path:
    """A dataset of two shards, beside its assets."""
    if not (folder / "assets").exists():
        tiny.make_assets(folder / "assets")
    made = folder / "made"
    words = tiny.words(folder / "assets", made, "samples=4", "shard_size=2", *more)
    assert main([*words, "runner.workers=1"]) == 0
    # A renamed folder, which has a name that is hard to write as an override.
    return made.rename(folder / name)


def lose_a_shard(out: Path) -> dict[str, str]:
    """Remove a shard with its record; returns the hashes of all shards before that."""
    before = tiny.sha256s(out)
    for path in (*out.glob("shards/train-000001*"), out / "records" / "train-000001.json"):
        path.unlink()
    (out / "dataset.json").unlink()
    return before


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line of an error."""
    text = capsys.readouterr().err
    assert text.startswith("error: ")
    assert text.count("\n") == 1
    return text


@pytest.mark.parametrize("name", NAMES)
def test_a_dataset_is_completed_in_a_folder_of_any_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    out = make(tmp_path, name, "placement=grid", "placement.rows=3")
    before = lose_a_shard(out)
    monkeypatch.chdir(tmp_path)
    word = f"./{name}" if name.startswith("-") else name
    assert main(["resume", word, "runner.workers=1"]) == 0
    assert tiny.sha256s(out) == before
    assert (out / "dataset.json").is_file()


def test_a_complete_one_has_nothing_left_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = make(tmp_path)
    capsys.readouterr()
    assert main(["resume", str(out)]) == 0
    assert "nothing is left to do" in capsys.readouterr().err


def test_datasets_of_annotate_and_convert_and_of_prepared_assets(tmp_path: Path) -> None:
    out = make(tmp_path)
    prepared = tmp_path / "prepared"
    assert main(["prepare", f"source.root={tmp_path / 'assets'}", f"output={prepared}"]) == 0
    shared = ["shard_size=2", "runner.workers=1"]
    for words in (
        ["convert", str(out), "writer=zip", "encode.quality=50"],
        ["annotate", str(out), "depth=fastdepth"],
        ["source=assets", f"source.root={prepared}", "depth=none", "size=[32,32]", "samples=4"],
    ):
        made = tmp_path / words[0].partition("=")[0]
        assert main([*words, *shared, f"output={made}"]) == 0
        before = lose_a_shard(made)
        assert main(["resume", str(made), "runner.workers=1"]) == 0
        assert tiny.sha256s(made) == before


def test_in_an_object_store(s3: Server, tmp_path: Path) -> None:
    tiny.make_assets(tmp_path / "assets")
    out = location("s3://bucket/resumed")
    words = tiny.words(tmp_path / "assets", out, "samples=4", "shard_size=2", "runner.workers=1")
    assert main(words) == 0
    (out / "dataset.json").unlink()
    assert main(["resume", str(out)]) == 0
    assert (out / "dataset.json").is_file()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ([], "resume needs the folder of a dataset, as in `python -m depthmask resume OUT`"),
        (["OUT", "other"], "OUT other: resume needs one folder, as in"),
        (["nosuch"], "nosuch: no dataset here (there is no such folder)"),
        (["file"], "file: no dataset here"),
        (["empty"], "empty: no dataset here"),
        (["."], ". holds a dataset, and is none; give one, such as OUT"),
        (["OUT/records"], "OUT/records is a folder of the dataset OUT; give OUT instead"),
        (["assets"], "assets holds assets and no dataset; `prepare` writes all of them or none"),
        (["sweep"], "sweep is the folder of a sweep; give its command again: `python -m depthmask "
         "-m 'seed=1, 2' output=sweep`; or give one of its datasets: sweep/one"),
        (["OUT", "seed=1"], "resume changes nothing but runner.* and progress; `python -m "
         "depthmask repeat OUT output=OUT2 seed=...` makes another dataset with another seed"),
        (["OUT", "+preset=pairs"], "resume changes nothing but runner.*"),
        (["OUT", "samples=9"], "resume does not change samples; `python -m depthmask extend OUT "
         "samples=N` makes more"),
        (["OUT", "-m"], "resume does not accept -m; it makes one dataset at a time"),
    ],
)  # fmt: skip
def test_what_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    line: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("OUT", "sweep/one"):
        Path(name).mkdir(parents=True)
        (Path(name) / "plan.json").write_text("{}")
    for name in ("empty", "assets", "sweep/jobs", "OUT/records"):
        Path(name).mkdir()
    Path("file").touch()
    Path("assets/assets.csv").touch()
    marker = {"arguments": ["-m", "seed=1, 2", "output=sweep"]}
    Path("sweep/jobs/sweep.json").write_text(json.dumps(marker))
    assert main(["resume", *words]) == 2
    assert said(capsys).startswith(f"error: {line}")


def test_assets_that_have_changed_get_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = make(tmp_path)
    (tmp_path / "assets" / "fg" / "box0.png").unlink()
    capsys.readouterr()
    assert main(["resume", str(out)]) == 2
    line = said(capsys)
    assert "holds another dataset: assets: fg/box0.png gone; choose" in line
    repeat = f"python -m depthmask repeat {out} output=OUT2"
    assert f"`{repeat}` makes a dataset with the settings of this" in line
    assert "resume" not in line.partition("holds another")[2]


def change(out: Path, kind: str, name: str, value: Any) -> None:
    """Write another value into the plan, as a stranger may."""
    plan = require_sealed(location(out) / "plan.json")
    outside = plan["unhashed"].get(kind, {})
    (outside if name in outside else plan["config"][kind])[name] = value
    write_sealed(location(out) / "plan.json", {k: v for k, v in plan.items() if k != "checksum"})


@pytest.mark.parametrize("command", ["resume", "repeat"])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("root", "${oc.env:SECRET}"),
        ("root", "${oc.decode:${oc.env:SECRET}}"),
        ("root", "\\${oc.env:SECRET}"),
        ("root", ["${oc.env:SECRET}"]),
        ("foreground_scale", "${oc.env:SECRET}"),
        ("_target_", "os.system"),
        ("stage", "../../conf"),
        ("stage", "${oc.env:SECRET}"),
    ],
)
def test_a_plan_of_a_stranger_resolves_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
    name: str,
    value: Any,
) -> None:
    out = make(tmp_path)
    change(out, "source", name, value)
    monkeypatch.setenv("SECRET", "12345")
    capsys.readouterr()
    output = [f"output={tmp_path / 'new'}"] if command == "repeat" else []
    assert main([command, str(out), *output]) in (1, 2)
    assert "12345" not in said(capsys)


def test_another_setting_in_a_run_points_to_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = make(tmp_path, "a b")
    capsys.readouterr()
    assert main([f"output='{out}'"]) == 2
    line = capsys.readouterr().err.partition("\n")[0]
    assert f"`python -m depthmask extend '{out}' samples=N` keep its settings" in line
    assert f"`python -m depthmask repeat '{out}' output=OUT2`" in line


def test_a_damaged_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "plan.json").write_text('{"job": "generate"}')
    for words in (["resume"], ["extend", "samples=9"], ["repeat", f"output={tmp_path}2"]):
        assert main([words[0], str(tmp_path), *words[1:]]) == 1
        assert "plan.json is damaged, so the settings of the dataset are unknown" in said(capsys)
