"""README and docs word for word: every command and every piece of Python, page by page.

A page is run from its top to its end in a folder of its own, which has what pages speak of: `DIR`
with assets, `FOLDER` with RGB-D pairs, `PHOTOS`, `PRESETS` with a preset, `OUT` with the dataset of
the demo where the page does not make one first.
A block whose output the page shows runs as it stands, and its output is compared
(tests/support/pages.py). Other runs get words at their end that make them small; nothing else is
added or changed. Values that Python states in its comments are compared
(tests/docs/stated_values.py).
"""

from __future__ import annotations

import importlib.util
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import depthmask
from depthmask.cli.commands import tune
from depthmask.cli.main import main
from depthmask.cli.tuning import batches, settings
from depthmask.cli.tuning.settings import Pass
from depthmask.cli.usage.commands import COMMANDS
from tests.docs.stated_values import run_block
from tests.support.pages import FENCE, Block, blocks, require_output
from tests.support.paths import ROOT

# The libraries webdataset and mlcroissant leave files to the garbage collector, and use what their
# own dependencies are about to drop.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md")), *sorted(DOCS.glob("plugins/*.md"))]
ELSEWHERE = {
    # What is not run here, by its beginning or a part: where it is, or why it cannot be.
    "pip install": ".ci/run",
    "pytest": ".ci/run",
    "python mine.py": "tests/docs/test_plugins.py",
    "my_thing": "tools/check_new_plugin.py",
    "submitit_slurm": "needs a cluster; tests/cli/test_sweep.py has the local executor",
    "runner=ray": "plugins/depthmask-ray",
    "depth=onnx": "plugins/depthmask-onnx",
    "source=coco": "plugins/depthmask-coco/tests/test_coco.py",
    "python examples/": "tests/examples/test_torch.py",
    "benchmarks/depth_accuracy.py": "tests/cli/commands/test_evaluate.py",
    "benchmarks.rates": "measures for an hour; tests/docs/test_performance.py has its steps",
    "benchmarks.asset_store": "as benchmarks.rates, for a quarter of an hour",
    "benchmarks.usefulness": "tests/benchmarks/usefulness/test_command.py; very small",
    "annotate fg_bg.zip": "tests/stages/depth/test_annotate.py",
    "s3://": "tests/test_object_stores.py",
    "TopLeft": "tests/docs/test_python.py",
    "benchmarks/scale.py": "tests/docs/test_scale.py",
    "source.furniture=2 source.seed=4": "tests/docs/test_gallery.py",
    "python -m tools.gallery": "tests/docs/test_gallery.py",
    "from datasets import": "plugins/depthmask-parquet/tests/test_hugging_face.py",
}
OWN_TESTS = {"plugins": "tests/docs/test_plugins.py"}
"""Pages whose Python makes sense with what its test puts around it, and the pages below them."""
SAMPLES = 130
"""Samples of a run that says no number and is asked for some: pages look at sample 123."""


def name(page: Path) -> str:
    """The path of a page below the docs, without its suffix."""
    return page.relative_to(DOCS if DOCS in page.parents else ROOT).with_suffix("").as_posix()


def elsewhere(block: Block) -> str | None:
    """The reason not to run a block here."""
    if block.language == "python" and (own := OWN_TESTS.get(name(block.page).partition("/")[0])):
        return own
    if "torch" in block.text and importlib.util.find_spec("torch") is None:
        return ".ci/run"
    return next((where for part, where in ELSEWHERE.items() if part in block.text), None)


ALL = {page: blocks(page) for page in PAGES}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The dataset of the demo."""
    out = tmp_path_factory.mktemp("words") / "OUT"
    assert main([f"output={out}"]) == 0
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
    # One process, which loads TensorFlow once; tests/cli/ has new ones.
    monkeypatch.setattr(batches, "_measure_in_new_process", batches.measure)
    monkeypatch.setattr(batches, "_SECONDS", 0.0)
    monkeypatch.setattr(tune, "_batches", lambda text: [1, 2])
    monkeypatch.setattr(settings, "_measured", lambda *arguments: [Pass(8, {"encode": 1.0})])
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


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_page(page: Path, place: Path, finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    todo = [block for block in ALL[page] if not elsewhere(block)]
    first = next((block.text for block in todo if re.search(r"\bOUT\b", block.text)), "")
    if not re.search(r"\boutput=\"?OUT(\"|\s|$)", first):
        shutil.copytree(finished, place / "OUT")
    names: dict[str, Any] = {"__name__": "__main__"}
    for block in todo:
        try:
            run(block, names, capsys)
        except BaseException as error:
            error.add_note(f"{page}:{block.line}: {block.text}")
            raise


def run(block: Block, names: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    """Run a block, and compare what it prints."""
    capsys.readouterr()
    if block.language == "python":
        run_block(block.text, names)
    else:
        codes = [run_command(command, block) for command in block.commands]
        assert [code != 0 for code in codes] == [False] * (len(codes) - 1) + [block.fails]
    printed = capsys.readouterr()
    require_output(block, printed.err + printed.out)


def run_command(command: str, block: Block) -> int:
    """Run a command of ours in this process, any other one in the shell; return its exit code."""
    words = shlex.split(command)
    if words[:3] != ["python", "-m", "depthmask"] or {">", "&&"} & set(words):
        return shell(command)
    words += small(words[3:]) if block.output is None else one_worker(words[3:])
    if "hydra/" in command:
        # Launchers and sweepers warn, and change what pytest watches.
        return shell(shlex.join(words))
    return main(words[3:])


def shell(command: str) -> int:
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    done = subprocess.run(
        ["bash", "-c", f'PATH={path}:"$PATH"; {command}'],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    print(done.stdout, end="")
    return done.returncode


def is_run(words: list[str]) -> bool:
    """Whether a command line makes a dataset, and no other command is named."""
    return not words or words[0] not in {*COMMANDS, "--help"} - {"run"}


def one_worker(words: list[str]) -> list[str]:
    """What keeps a run in this process."""
    chosen = any(one.startswith("runner") for one in words)
    return ["runner.workers=1"] if is_run(words) and not chosen else []


def small(words: list[str]) -> list[str]:
    """What makes a run small; other commands are small on a small dataset."""
    samples = next((int(one[8:]) for one in words if re.match(r"samples=\d+$", one)), None)
    if words[:1] == ["extend"]:
        return [f"samples={len(depthmask.open(words[1])) + 10}", "runner.workers=1"]
    if words[:1] == ["evaluate"]:
        return ["images=20"]
    if not is_run(words):
        return []
    added = one_worker(words)
    if samples is None or samples > 700:
        many = samples is not None or "output=OUT" in words
        added.append(f"samples={SAMPLES if many else 2}")
    if any(one.startswith("size=") for one in words) and "source=assets" not in words:
        # Rooms of the size of the demo are there.
        added += ["source.rooms=3", "source.furniture=4"]
    if "hydra/sweeper=optuna" in words:
        added.append("hydra.sweeper.n_trials=2")
    return added


def test_there_are_commands() -> None:
    lines = [line for page in PAGES for block in ALL[page] for line in block.commands]
    ours = [line.split()[3] for line in lines if line.startswith("python -m depthmask ")]
    assert len(ours) >= 30
    assert {"stats", "render", "verify", "convert", "evaluate", "tune", "-m"} <= set(ours)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_blocks_say_what_they_are(page: Path) -> None:
    """A command that is not fenced would not be run, and an output alone not compared."""
    text = page.read_text(encoding="utf-8")
    kinds = [match[1] for match in FENCE.finditer(text)]
    assert set(kinds) <= {"sh", "python", "toml", "yaml", "csv", "text"}
    compared = [block for block in ALL[page] if block.output is not None]
    assert len(compared) == kinds.count("text")
    assert [block for block in compared if elsewhere(block) not in (None, ".ci/run")] == []
    rest = FENCE.sub("", text)
    assert re.findall(r"^    (?:python|depthmask|pip) .*", rest, re.MULTILINE) == []


def test_what_is_elsewhere_is_there() -> None:
    texts = [block.text for page in PAGES for block in ALL[page]]
    for part, where in ELSEWHERE.items():
        assert any(part in text for text in texts), f"{part}: nobody says that any more"
        files = [word.strip(";") for word in where.split() if "/" in word]
        assert all((ROOT / name).exists() for name in files)


def test_files_that_are_named_are_there() -> None:
    files = r"`((?:tools|tests|benchmarks|depthmask|plugins)/[\w./-]+)`"
    named = {name for page in PAGES for name in re.findall(files, page.read_text())}
    assert len(named) >= 10
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
