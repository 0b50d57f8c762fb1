"""The size of shards: by default about 64 MB; what was made keeps its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import depthmask
from depthmask.cli.main import main
from depthmask.config.compose import compose_root
from depthmask.engine import shard_size
from depthmask.engine.display import Silent
from depthmask.engine.from_config import job_from_config
from depthmask.engine.run import run
from depthmask.storage.location import location
from depthmask.storage.publish import require_sealed, write_sealed
from depthmask.storage.verify import verify
from tests.support import tiny

ROOMS = ("source.rooms=1", "source.furniture=2", "geometry=source")
MADE_BEFORE = ("samples=6", "runner.workers=1")


def default_size(*words: str) -> int:
    """The samples in a shard of the job that these words describe."""
    return job_from_config(compose_root([*ROOMS, *words])).plan.shard_size


def plan_of(folder: Path) -> dict[str, object]:
    plan: dict[str, object] = json.loads((folder / "plan.json").read_bytes())
    return plan


@pytest.fixture
def assets(tmp_path: Path) -> Path:
    return tiny.make_assets(tmp_path / "assets")


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """A function that makes the default shard hold this number of tiny samples."""
    return lambda count: monkeypatch.setattr(shard_size, "_MOST_SAMPLES", count)


def test_a_shard_has_64_mb_at_most_1000_samples_and_at_least_one() -> None:
    assert default_size("size=[64,64]") == default_size("size=[64,64]", "+preset=pairs") == 1000
    full = default_size("size=[480,640]")
    assert 64 < full < 1000
    assert default_size("size=[1024,1024]") < full
    assert default_size("size=[480,640]", "encode.depth=npz", "encode.image=png") < full
    assert default_size("size=[8192,8192]", "encode.depth=npz", "encode.image=png") == 1


def test_the_presets_of_the_original_keep_their_size(assets: Path) -> None:
    words = (f"source.root={assets}", "samples=1", "depth=none", "size=[24,24]")
    for preset in ("depthmaskdataset", "depthmaskdataset224"):
        assert compose_root([f"+preset={preset}", *words]).shard_size == 4000
    assert compose_root(["+preset=pairs"]).shard_size is None


def test_a_size_that_was_not_given_stands_outside_the_fingerprint() -> None:
    """The fingerprint is that of 1,000 samples, the default when it was in the fingerprint."""
    large = ("size=[480,640]",)
    job = job_from_config(compose_root([*ROOMS, *large]))
    given = job_from_config(compose_root([*ROOMS, *large, "shard_size=1000"]))
    assert job.plan.shard_size < given.plan.shard_size == 1000
    assert job.identity.fingerprint == given.identity.fingerprint
    assert job.identity.description["unhashed"]["shard_size"] == job.plan.shard_size


def test_a_dataset_that_is_continued_keeps_its_size(
    assets: Path, tmp_path: Path, small_shards: Callable[[int], None]
) -> None:
    small_shards(2)
    words = tiny.words(assets, tmp_path / "out")
    assert main([*words, *MADE_BEFORE]) == 0
    before = tiny.sha256s(tmp_path / "out")
    assert len(before) == 3
    small_shards(5)
    assert main([*words, "samples=8"]) == 0
    after = tiny.sha256s(tmp_path / "out")
    assert after.items() > before.items()
    assert len(after) == 4
    assert depthmask.open(tmp_path / "out").info["shard_size"] == 2
    assert main([*words, "samples=8", "shard_size=2"]) == 0
    assert verify(tmp_path / "out") == []


def test_a_given_size_must_be_that_of_the_dataset(
    assets: Path,
    tmp_path: Path,
    small_shards: Callable[[int], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    small_shards(2)
    words = [*tiny.words(assets, tmp_path / "out"), *MADE_BEFORE]
    assert main(words) == 0
    for size in (1000, 3):
        capsys.readouterr()
        assert main([*words, f"shard_size={size}"]) == 2
        assert f"shard_size was 2 and is {size}" in capsys.readouterr().err


def test_a_dataset_with_a_given_size_is_continued_without_it(assets: Path, tmp_path: Path) -> None:
    words = tiny.words(assets, tmp_path / "out", "runner.workers=1")
    assert main([*words, "samples=6", "shard_size=4"]) == 0
    plan = plan_of(tmp_path / "out")
    unhashed = {"root": str(assets), "subfolders": True, "label_pattern": None}
    assert plan["unhashed"] == {"source": unhashed}
    assert main([*words, "samples=6"]) == 0
    assert plan_of(tmp_path / "out") == plan
    assert main([*words, "samples=9"]) == 0
    assert len(tiny.sha256s(tmp_path / "out")) == 3
    assert plan_of(tmp_path / "out")["config"] == {**plan["config"], "samples": 9}  # type: ignore[dict-item]


def test_repair_keeps_the_size(
    assets: Path, tmp_path: Path, small_shards: Callable[[int], None]
) -> None:
    small_shards(2)
    out = tmp_path / "out"
    assert main([*tiny.words(assets, out), *MADE_BEFORE]) == 0
    before = tiny.sha256s(out)
    (out / "shards" / "train-000001.tar").unlink()
    small_shards(5)
    assert main(["verify", str(out), "--repair"]) == 0
    assert tiny.sha256s(out) == before


def test_convert_keeps_the_size_of_a_dataset_and_chooses_one_for_pictures(
    assets: Path, tmp_path: Path, small_shards: Callable[[int], None]
) -> None:
    small_shards(2)
    assert main([*tiny.words(assets, tmp_path / "out"), *MADE_BEFORE]) == 0
    small_shards(1)
    assert main(["convert", f"{tmp_path / 'out'}", "writer=zip", f"output={tmp_path / 'zip'}"]) == 0
    assert len(tiny.sha256s(tmp_path / "zip")) == 3
    pictures = f"{assets / 'bg'}"
    assert main(["convert", pictures, f"output={tmp_path / 'new'}"]) == 0
    assert len(tiny.sha256s(tmp_path / "new")) == 3


@pytest.mark.parametrize("size", ["many", 0, -3, True, 2.5])
def test_a_plan_with_nonsense_as_size_is_refused(
    assets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], size: object
) -> None:
    out = tmp_path / "out"
    assert main([*tiny.words(assets, out), *MADE_BEFORE]) == 0
    path = location(out) / "plan.json"
    write_sealed(path, {**require_sealed(path), "unhashed": {"shard_size": size}})
    capsys.readouterr()
    assert main([*tiny.words(assets, out), *MADE_BEFORE]) in (1, 2)
    assert f"shard_size={size!r} is no number of samples" in capsys.readouterr().err


class Interrupted(Silent):
    """A display that is interrupted after this number of samples."""

    def __init__(self, samples: int) -> None:
        self.left, self.lines = samples, list[str]()

    def line(self, text: str, event: str = "line", **facts: object) -> None:
        self.lines.append(text)

    @contextmanager
    def bar(self, title: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
        def advance(samples: int) -> None:
            self.left -= samples
            if self.left <= 0:
                raise KeyboardInterrupt

        yield advance


def test_an_interruption_says_what_is_made_again(assets: Path, tmp_path: Path) -> None:
    words = tiny.words(assets, tmp_path / "out", "samples=700", "shard_size=300")
    display = Interrupted(400)
    with pytest.raises(KeyboardInterrupt):
        run(compose_root([*words, "runner.workers=1"]), display)
    lost = 100 - display.left
    assert display.lines[-1] == (
        f"{lost} samples of unfinished shards will be made again; "
        "300 samples are in finished shards"
    )
    whole = run(compose_root([*words, "runner.workers=1"]), Silent())
    assert whole.made == 400


def test_an_interruption_before_the_first_sample_says_nothing_more(
    assets: Path, tmp_path: Path
) -> None:
    words = tiny.words(assets, tmp_path / "out", "samples=7", "shard_size=3")
    display = Interrupted(3)
    with pytest.raises(KeyboardInterrupt):
        run(compose_root([*words, "runner.workers=1", "geometry=fastdepth"]), display)
    assert not any("made again" in line for line in display.lines)
