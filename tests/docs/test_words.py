"""README and docs word for word: every command and every piece of Python, page by page.

A page is run from its top to its end in a folder of its own, which has what pages speak of: `DIR`
with assets, `FOLDER` with RGB-D pairs, `PHOTOS`, `PRESETS` with a preset, `OUT` with a dataset
where the page does not make one first.
Runs get words at their end that make them small; nothing else is added or changed. Values that a
block of Python states are compared (tests/docs/stated_values.py).
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from depthmask.cli.main import main
from depthmask.cli.usage.commands import COMMANDS
from tests.docs.stated_values import run_block
from tests.support.paths import ROOT

# The libraries webdataset and mlcroissant leave files to the garbage collector, and use what their
# own dependencies are about to drop.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
ELSEWHERE = {
    # What is not run here, by its beginning or a part: where it is, or why it cannot be.
    "pip install": ".ci/run",
    "pytest": ".ci/run",
    "python mine.py": "tests/docs/test_plugins.py",
    "my_thing": "tools/check_new_plugin.py",
    "submitit_slurm": "needs a cluster; tests/cli/test_sweep.py has the local executor",
    "python examples/": "tests/examples/test_torch.py",
    "benchmarks/depth_accuracy.py": "tests/cli/commands/test_evaluate.py",
    "benchmarks/throughput.py": "measures for minutes, over 2,000 pairs of assets",
    "annotate fg_bg.zip": "tests/stages/depth/test_annotate.py",
    "s3://": "tests/test_object_stores.py",
    "benchmarks/scale.py": "tests/docs/test_scale.py",
    "source.furniture=2 source.seed=4": "tests/docs/test_gallery.py",
    "python -m tools.gallery": "tests/docs/test_gallery.py",
    "from datasets import": "plugins/depthmask-parquet/tests/test_hugging_face.py",
}
OWN_TESTS = {
    "plugins.md": "tests/docs/test_plugins.py",
    "reading.md": "tests/docs/test_reading.py",
}
"""Pages whose Python makes sense with what its test puts around it."""
SAMPLES = 130
ROOMS = ["source.rooms=3", "source.furniture=4"]


@dataclass(frozen=True)
class Step:
    """A command, or a block of Python."""

    page: Path
    line: int
    language: str
    text: str

    @property
    def elsewhere(self) -> str | None:
        """The reason not to run it here."""
        if self.language == "python" and self.page.name in OWN_TESTS:
            return OWN_TESTS[self.page.name]
        return next((where for part, where in ELSEWHERE.items() if part in self.text), None)


FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FENCE_OR_COMMAND = re.compile(rf"{FENCE.pattern}|`(python [^`]+)`", FENCE.flags)


def steps(page: Path) -> Iterator[Step]:
    """Blocks, and commands within a sentence, in the order of the page."""
    text = page.read_text(encoding="utf-8")
    for found in FENCE_OR_COMMAND.finditer(text):
        language, block, command = found.groups()
        line = text.count("\n", 0, found.start()) + 1
        if command:
            yield Step(page, line, "sh", " ".join(command.split()))
        elif language == "python":
            yield Step(page, line, language, block)
        elif language == "sh":
            for words in block.replace("\\\n", " ").splitlines():
                yield Step(page, line, language, re.sub(r"\s+# .*", "", words).strip())


ALL = [step for page in PAGES for step in steps(page)]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset of which pages may ask for sample 123."""
    out = tmp_path_factory.mktemp("words") / "OUT"
    assert main([f"output={out}", f"samples={SAMPLES}", *ROOMS, "runner.workers=1"]) == 0
    return out


@pytest.fixture
def place(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a page, as the working directory."""
    from mlcroissant._src.operation_graph.operations import extract

    make_assets(tmp_path / "DIR")
    (tmp_path / "FOLDER").mkdir()
    (tmp_path / "PRESETS" / "preset").mkdir(parents=True)
    mine = "# @package _global_\ndefaults: [override /placement: grid, _self_]\nseed: 3\n"
    (tmp_path / "PRESETS" / "preset" / "mine.yaml").write_text(mine)
    ramp = np.tile(np.arange(10, 90, dtype=np.uint8), (40, 1))
    Image.fromarray(np.repeat(ramp[..., None], 3, 2)).save(tmp_path / "FOLDER" / "one.rgb.jpg")
    Image.fromarray(ramp.astype(np.uint16) * 50).save(tmp_path / "FOLDER" / "one.depth_mm.png")
    (tmp_path / "PHOTOS" / "holiday").mkdir(parents=True)
    for name, size in (("a.jpg", (40, 30)), ("holiday/b.jpg", (30, 40)), ("c.png", (50, 50))):
        Image.new("RGB", size, (90, 120, 150)).save(tmp_path / "PHOTOS" / name)
    # The README's way to say that the name has an end.
    (tmp_path / "outputs").mkdir()
    (tmp_path / "outputs" / "rooms-random-layered-webdataset-...").symlink_to(finished)
    monkeypatch.chdir(tmp_path)
    # Its cache knows archives by their relative names alone.
    monkeypatch.setattr(extract, "EXTRACT_PATH", extract.epath.Path(tmp_path / "croissant"))
    return tmp_path


def make_assets(root: Path) -> None:
    """Backgrounds with depth, so that no network is asked, and cut-outs."""
    for name in ("bg", "bg_depth", "fg"):
        (root / name).mkdir(parents=True)
    y, x = np.mgrid[0:48, 0:64]
    picture = np.stack([y * 5, x * 3, (x + y) * 2], axis=-1).astype(np.uint8)
    cut_out = np.zeros((20, 16, 4), np.uint8)
    cut_out[2:18, 2:14] = (200, 100, 50, 255)
    for number in range(6):
        name = f"{number}.png"
        Image.fromarray(np.roll(picture, number * 9, axis=1)).save(root / "bg" / name)
        Image.fromarray((5000 - 60 * y).astype(np.uint16)).save(root / "bg_depth" / name)
        Image.fromarray(np.roll(cut_out, number, axis=1)).save(root / "fg" / name)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page(page: Path, place: Path, finished: Path) -> None:
    here = [step for step in ALL if step.page == page and not step.elsewhere]
    first = next((step.text for step in here if "OUT" in step.text), "")
    if not re.search(r"\boutput=OUT(\s|$)", first):
        shutil.copytree(finished, place / "OUT")
    names: dict[str, Any] = {}
    for step in here:
        try:
            if step.language == "python":
                run_block(step.text, names)
            else:
                run(step.text)
        except BaseException as error:
            error.add_note(f"{page.name}:{step.line}: {step.text}")
            raise


def run(command: str) -> None:
    """A command of ours in this process, any other one in the shell."""
    words = shlex.split(command)
    if words[:3] != ["python", "-m", "depthmask"] or ">" in words:
        shell(command)
    elif "hydra/" in command:
        # Launchers and sweepers warn, and change what pytest watches.
        shell(shlex.join([sys.executable, *words[1:], *small(words[3:])]))
    else:
        assert main([*words[3:], *small(words[3:])]) == 0


def shell(command: str) -> None:
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    subprocess.run(["bash", "-c", f'PATH={path}:"$PATH"; {command}'], check=True)


def small(words: list[str]) -> list[str]:
    """What makes a run small; other commands are small on a small dataset."""
    if words[:1] == ["tune"]:
        return ["batches=1,2"]
    if words[:1] == ["extend"]:
        return [f"samples={SAMPLES + 20}"]
    if words and (words[0] in set(COMMANDS) - {"run"} or words[0] == "--help"):
        return []
    samples = next((int(one[8:]) for one in words if one.startswith("samples=")), None)
    wanted = min(samples, SAMPLES + 10) if samples else SAMPLES if "output=OUT" in words else 2
    added = [f"samples={wanted}"]
    if not any(one.startswith(("source=assets", "+preset=depthmaskdataset")) for one in words):
        added += ROOMS
    if not any(one.startswith("runner.") for one in words):
        added.append("runner.workers=1")
    if "hydra/sweeper=optuna" in words:
        added.append("hydra.sweeper.n_trials=2")
    return added


def test_there_are_commands() -> None:
    ours = [step.text.split()[3] for step in ALL if step.text.startswith("python -m depthmask ")]
    assert len(ours) >= 30
    assert {"stats", "render", "verify", "convert", "evaluate", "tune", "-m"} <= set(ours)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_blocks_say_what_they_are(page: Path) -> None:
    """A command that is not fenced would not be run."""
    text = page.read_text(encoding="utf-8")
    kinds = {found[1] for found in FENCE.finditer(text)}
    assert kinds <= {"sh", "python", "toml", "yaml"}
    rest = FENCE.sub("", text)
    assert re.findall(r"^    (?:python|depthmask|pip) .*", rest, re.MULTILINE) == []


def test_what_is_elsewhere_is_there() -> None:
    for part, where in ELSEWHERE.items():
        assert any(part in step.text for step in ALL), f"{part}: nobody says that any more"
        files = [word.strip(";") for word in where.split() if "/" in word]
        assert all((ROOT / name).exists() for name in files)


def test_files_that_are_named_are_there() -> None:
    files = r"`((?:tools|tests|benchmarks|depthmask|plugins)/[\w./-]+)`"
    named = {name for page in PAGES for name in re.findall(files, page.read_text())}
    assert len(named) >= 10
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
