"""Whatever is made once more has the published bytes, or one line names it and the cause."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import depthmask
from depthmask.cli.main import main
from depthmask.codec.jpeg import encode_jpeg
from depthmask.codec.sample import Encode
from depthmask.config.versions import versions
from depthmask.data import Encoded, Sample
from depthmask.engine import environment
from depthmask.storage.location import location
from depthmask.storage.publish import require_sealed
from depthmask.storage.verify import verify
from tests.support import tiny

CAUSE = "(numpy 99 instead of "


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The command that has made `out`: three shards of two samples, with derived files."""
    tiny.make_assets(tmp_path / "assets")
    monkeypatch.chdir(tmp_path)
    words = tiny.words(Path("assets"), Path("out"), "samples=6", "shard_size=2", "labels=[coco]")
    assert main([*words, "runner.workers=1"]) == 0
    return [*words, "runner.workers=1"]


def on_another_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give samples 2 and 3 other pixels, and NumPy another version."""
    encode: Callable[..., Encoded] = Encode.encode_around

    def other(self: Encode, sample: Sample, image: bytes, *more: Any) -> Encoded:
        if sample.key in ("000000002", "000000003"):
            image = encode_jpeg(255 - sample.image, self.quality)
        return encode(self, sample, image, *more)

    monkeypatch.setattr(Encode, "encode_around", other)
    # Workers would not have the other encoder.
    monkeypatch.setattr("depthmask.engine.runner.local.cores", lambda: 1)
    monkeypatch.setattr(environment, "versions", lambda root: {**versions(root), "numpy": "99"})


def contents(output: Path = Path("out")) -> dict[str, bytes]:
    files = (path for path in output.rglob("*") if path.is_file())
    left_out = (".lock", "run.log")
    return {
        str(one.relative_to(output)): one.read_bytes() for one in files if one.name not in left_out
    }


def error(capsys: pytest.CaptureFixture[str]) -> str:
    (line,) = (one for one in capsys.readouterr().err.splitlines() if one.startswith("error: "))
    return line


@pytest.mark.parametrize("command", ["repair", "the same command"])
def test_what_cannot_be_made_as_published_stays_as_it_is(
    words: list[str],
    command: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The other shard and the derived files are repaired all the same."""
    before = contents()
    shards = Path("out/shards")
    for number in (0, 1):
        path = shards / f"train-00000{number}.tar"
        path.write_bytes(path.read_bytes()[:-1] + b"x")
    damaged = (shards / "train-000001.tar").read_bytes()
    Path("out/coco_train.json").write_text("{}")
    Path("out/preview.jpg").unlink()
    on_another_machine(monkeypatch)
    repair = command == "repair"
    assert main(["verify", "out", "--repair"] if repair else words) == 1
    line = error(capsys)
    assert line.startswith(
        "error: out: train-000001 cannot be made again to the same bytes on this machine " + CAUSE
    )
    assert line.endswith("); it stays named as damaged")
    after = contents()
    assert after["shards/train-000001.tar"] == damaged
    # The preview shows the samples, the COCO file only where they are.
    same = {name for name in before if after.get(name) == before[name]}
    assert before.keys() - same <= {"shards/train-000001.tar", "preview.jpg"}
    assert {one.shard for one in verify("out") if one.shard} == {"train-000001"}
    assert depthmask.verify("out", progress="none")


def test_an_extension_that_cannot_repair_changes_nothing(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("out/shards/train-000001.tar").unlink()
    before = contents()
    on_another_machine(monkeypatch)
    assert main([*words, "samples=8"]) == 1
    assert "train-000001 cannot be made again to the same bytes" in error(capsys)
    assert contents() == before


def test_the_same_command_gives_a_lost_shard_its_bytes(words: list[str]) -> None:
    before = contents()
    Path("out/shards/train-000001.tar").write_bytes(b"")
    Path("out/records/train-000002.json").unlink()
    assert main(words) == 0
    after = contents()
    # Its record has other times.
    del before["records/train-000002.json"], after["records/train-000002.json"]
    assert after == before


def test_a_derived_file_with_other_bytes_is_named(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The card of a dataset has the name of its folder; whatever is intact stays."""
    before = contents()
    Path("out").rename("renamed")
    Path("renamed/README.md").unlink()
    assert main(["verify", "renamed", "--repair"]) == 0
    note = "README.md has other bytes than were published "
    assert note in capsys.readouterr().err
    after = contents(Path("renamed"))
    assert {name for name in before if after[name] != before[name]} == {"README.md", "dataset.json"}
    old, new = (require_sealed(location("renamed") / "dataset.json"), before["dataset.json"])
    assert old["manifest_sha256"].encode() in new
    assert verify("renamed") == []


def test_render_compares_with_the_published_sample(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["render", "out", "--index", "3"]) == 0
    assert "as published" not in capsys.readouterr().err
    published = Path("out-render/000000003.jpg").read_bytes()
    on_another_machine(monkeypatch)
    assert main(["render", "out", "--index", "3"]) == 1
    assert error(capsys).startswith(
        f"error: sample 3 is not as published in train-000001: other bytes of jpg {CAUSE}"
    )
    assert Path("out-render/000000003.jpg").read_bytes() != published
    Path("out/shards/train-000001.tar").unlink()
    assert main(["render", "out", "--index", "3"]) == 0
