"""Settings that decide no bytes, and files whose content counts: continue, extend, repair, read."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

import depthmask
from depthmask import Foreground, Layer, Placement, Scene, scaled_layer, setting, stage
from depthmask.cli.main import main
from depthmask.config.command_from_plan import command_from_plan
from depthmask.config.plan_config import config_of, plan_config
from depthmask.storage.location import location
from depthmask.storage.publish import require_sealed
from tests.config.test_build import root
from tests.support import tiny

pytestmark = pytest.mark.usefixtures("stages_of_tests")


@stage("by_file")
class ByFile(Placement):
    """Places cut-outs at the offset that a file holds."""

    offsets: Path = setting(by_content=True, help="file with one number")
    other: Path | None = setting(None, by_content=True, help="one more file")
    batch: int = setting(8, ge=1, decides_bytes=False, help="samples at a time")
    once: bool = setting(False, in_plan=False, help="how this run works")
    scale: float = setting(0.5, help="scale")

    def place(self, scene: Scene, foreground: Foreground, flip: bool, rng: Any) -> Layer:
        offset = int(self.offsets.read_text())
        return scaled_layer(foreground, top=offset, left=0, scale=self.scale, flip=flip)


class Runs:
    """Runs of one dataset. file: the file that its placement reads."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.out = folder, folder / "out"
        self.file = folder / "offset.txt"
        self.file.write_text("1")
        tiny.make_assets(folder / "assets")

    def run(self, *words: str, file: Path | None = None, samples: int = 4) -> int:
        return main(
            tiny.words(
                self.folder / "assets", self.out, f"samples={samples}", "shard_size=2",
                "runner.workers=1", "placement=by_file", f"placement.offsets={file or self.file}",
                *words,
            )
        )  # fmt: skip

    @property
    def plan(self) -> dict[str, Any]:
        return require_sealed(location(self.out) / "plan.json")


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    made = Runs(tmp_path)
    assert made.run() == 0
    return made


def test_a_plan_has_them_outside_its_hash(runs: Runs) -> None:
    settings = runs.plan["config"]["placement"]
    assert re.fullmatch("sha256:[0-9a-f]{64}", settings["offsets"])
    assert settings["other"] is None
    assert "batch" not in settings
    assert runs.plan["unhashed"]["placement"] == {"batch": 8, "offsets": str(runs.file)}
    assert config_of(runs.plan)["placement"]["offsets"] == str(runs.file)
    command = command_from_plan(runs.plan) or ""
    assert f"placement.offsets={runs.file}" in command
    assert "placement.batch" not in command


def test_another_value_continues_and_extends(runs: Runs) -> None:
    before, shards = runs.plan, tiny.sha256s(runs.out)
    assert runs.run("placement.batch=2") == 0
    assert tiny.sha256s(runs.out) == shards
    assert runs.plan["unhashed"]["placement"]["batch"] == 2
    assert runs.plan["fingerprint"] == before["fingerprint"]
    assert "placement.batch=2" in (command_from_plan(runs.plan) or "")
    assert runs.run("placement.batch=3", samples=6) == 0
    assert tiny.sha256s(runs.out).items() > shards.items()
    assert runs.plan["unhashed"]["placement"]["batch"] == 3


def test_what_concerns_one_run_is_in_no_plan(runs: Runs) -> None:
    before = (runs.out / "plan.json").read_bytes()
    assert runs.run("placement.once=true", "source.recheck=true") == 0
    assert (runs.out / "plan.json").read_bytes() == before
    assert runs.run("placement.once=true", "source.recheck=true", samples=6) == 0
    assert not re.search(r'"(once|recheck)"', (runs.out / "plan.json").read_text())
    assert not re.search(r"\.(once|recheck)=", command_from_plan(runs.plan) or "")


def test_a_moved_file_continues(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    shards = tiny.sha256s(runs.out)
    moved = runs.file.rename(runs.folder / "moved.txt")
    monkeypatch.chdir(runs.folder)
    assert runs.run(file=Path("moved.txt")) == 0
    monkeypatch.setenv("HOME", str(runs.folder))
    assert runs.run(file=Path("~/moved.txt")) == 0
    assert tiny.sha256s(runs.out) == shards
    assert runs.plan["unhashed"]["placement"]["offsets"] == str(moved)
    # Repair, from any folder, finds it at its new path.
    monkeypatch.chdir("/")
    shard = runs.out / "shards" / "train-000001.tar"
    shard.write_bytes(b"damaged")
    assert main(["verify", str(runs.out), "--repair"]) == 0
    assert tiny.sha256s(runs.out) == shards


def test_another_content_is_another_dataset(runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    runs.file.write_text("22")
    assert runs.run() == 2
    assert "holds another dataset: placement.offsets was sha256:" in capsys.readouterr().err
    assert runs.run("overwrite=true") == 0


def test_a_missing_file_is_named_when_the_run_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "no.txt"
    assert Runs(tmp_path).run(file=missing) == 2
    assert capsys.readouterr().err == (
        f"error: placement.offsets={missing}: cannot be read: No such file or directory; "
        "placement=by_file needs it\n"
    )
    assert not (tmp_path / "out").exists()


def test_a_finished_dataset_is_read_without_the_file(runs: Runs) -> None:
    runs.file.unlink()
    assert depthmask.open(runs.out)[0].image.shape == (32, 32, 3)
    converted = runs.folder / "converted"
    assert main(["convert", str(runs.out), "writer=npz", f"output={converted}"]) == 0
    unhashed = require_sealed(location(converted) / "plan.json")["unhashed"]
    assert unhashed == {"dataset": {"paths": [str(runs.out)]}}
    assert main(["verify", str(runs.out)]) == 0


def test_render_needs_the_file(runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    into = runs.folder / "render"
    command = ["render", str(runs.out), "--index", "0", "--into", str(into)]
    assert main(command) == 0
    shutil.move(runs.file, runs.folder / "away")
    assert main(command) == 2
    assert f"placement.offsets={runs.file}: cannot be read" in capsys.readouterr().err


def test_built_in_stages_have_no_such_settings() -> None:
    plain = root()
    assert set(plan_config(plain, ["placement", "depth", "seed"], 10)) == {"config"}
