"""Repair and extend datasets as on other processors: the published bytes, or one line, no others.

    python -m tools.processors                  # all switches, all datasets: some minutes
    python -m tools.processors --only feather   # the datasets with this word in their name
    python -m tools.processors --old            # with the oldest NumPy, Pillow, OpenCV

Each dataset is made on this machine as it is, and once more with more samples. Then, under each
switch that makes a library take other code, as an older processor would: all its shards are
deleted and repaired, and the whole dataset is extended. Prints a table of the shards that would
get other bytes, and of what `verify --repair` and `extend` did. Exits 1 if other bytes were
published, or if a refusal does not name the switch.

`--old` builds an environment with the oldest versions that pyproject.toml allows, interrupts
datasets of this environment by taking the last shards away, and goes on in the old one.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from tests.support import tiny

ROOT = Path(__file__).parents[1]
SWITCHES: dict[str, dict[str, str]] = {
    "as it is": {},
    "OpenBLAS without FMA": {"OPENBLAS_CORETYPE": "Sandybridge"},
    "OpenBLAS without AVX-512": {"OPENBLAS_CORETYPE": "Haswell"},
    "OpenCV without AVX2": {"OPENCV_CPU_DISABLE": "AVX2,FMA3,FP16"},
    "OpenCV without AVX-512": {"OPENCV_CPU_DISABLE": "AVX512-SKX"},
    "OpenCV without IPP": {"OPENCV_IPP": "disabled"},
    "NumPy without AVX2": {
        "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR FMA3 AVX2 AVX512F"
    },
    "NumPy without AVX-512": {"NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR"},
    "oneDNN with SSE4.1": {"ONEDNN_MAX_CPU_ISA": "SSE41"},
    "oneDNN with AVX2": {"ONEDNN_MAX_CPU_ISA": "AVX2"},
}
_ROOMS = ("source=rooms", "source.rooms=2", "source.furniture=3", "labels=[coco]")
_ASSETS = ("source=assets", "source.root=assets", "labels=[coco]")
_LAYERED = ("geometry=source", "depth=layered")
_NO_DEPTH = ("depth=none",)
DATASETS: dict[str, tuple[str, ...]] = {
    "rooms": (*_ROOMS, *_LAYERED, "placement=ground"),
    "feather": (*_ASSETS, *_NO_DEPTH, "blend=feather"),
    "poisson": (*_ASSETS, *_NO_DEPTH, "blend=poisson", "blend.match=0.7"),
    "pairs": (*_ASSETS, *_NO_DEPTH, "placement=random"),
    "fastdepth": (*_ASSETS, "depth=fastdepth"),
}
SAMPLES, MORE, SHARD = 12, 18, 3


def photographs(root: Path) -> None:
    """Write backgrounds and cut-outs with gradients, edges and noise, as photographs have."""
    rng = np.random.default_rng(2)
    for name in ("bg", "fg"):
        (root / name).mkdir(parents=True)
    for number in range(4):
        _photograph(rng, 150, 200).save(root / "bg" / f"bg{number}.jpg", quality=92)
        cutout = _photograph(rng, 90, 60)
        shape = Image.fromarray(rng.integers(0, 256, (6, 4), np.uint8)).resize((60, 90))
        cutout.putalpha(
            shape.point(lambda value: 255 * (value > 90)).filter(ImageFilter.BoxBlur(2))
        )
        cutout.save(root / "fg" / f"fg{number}.png")


def _photograph(rng: np.random.Generator, height: int, width: int) -> Image.Image:
    coarse = Image.fromarray(rng.integers(0, 256, (5, 7, 3), np.uint8))
    smooth = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC), np.float32)
    edges = 40 * np.sign(np.sin(np.arange(width) / rng.uniform(5, 15)))[None, :, None]
    noisy = smooth + edges + rng.normal(0, 6, smooth.shape)
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


def run(*words: str) -> tuple[int, str]:
    """The exit status of a command in this process, and what it said."""
    from depthmask.cli.main import main as depthmask

    text = StringIO()
    with redirect_stdout(text), redirect_stderr(text):
        code = depthmask(list(words))
    return code, text.getvalue()


def make(name: str) -> None:
    """Make a dataset, and once more with more samples, in the working folder."""
    words = (*DATASETS[name], "size=[96,128]", f"shard_size={SHARD}", "runner.workers=1")
    for output, samples in ((name, SAMPLES), (f"{name}-longer", MORE)):
        code, text = run(*words, f"samples={samples}", f"output={output}")
        if code:
            raise RuntimeError(text)


def tried(name: str) -> dict[str, object]:
    """What repair and extend do with copies of a dataset in this process."""
    plan = json.loads(Path(f"{name}-longer", "plan.json").read_text())
    with tempfile.TemporaryDirectory(dir=".") as folder:
        damaged, extended = (Path(shutil.copytree(name, f"{folder}/{one}")) for one in "de")
        wanted = tiny.sha256s(damaged)
        for shard in (damaged / "shards").iterdir():
            shard.unlink()
        repair, repair_text = run("verify", str(damaged), "--repair")
        shards = tiny.sha256s(damaged)
        extend, extend_text = run("extend", str(extended), f"samples={plan['config']['samples']}")
        longer, made = tiny.sha256s(Path(f"{name}-longer")), tiny.sha256s(extended)
        return {
            "shards": len(wanted),
            "refused": len(wanted.keys() - shards.keys()),
            "other": sum(wanted[shard] != digest for shard, digest in shards.items()),
            "repair": repair,
            "repair_line": _line(repair_text),
            "extend": extend,
            "extend_line": _line(extend_text),
            "extended": len(made.keys() - wanted.keys()),
            # A refused extension leaves a short last shard as it was.
            "extended_other": sum(
                digest not in (longer[shard], wanted.get(shard)) for shard, digest in made.items()
            ),
        }


def _line(text: str) -> str:
    return next((line for line in text.splitlines() if line.startswith("error: ")), "")


def faults(seen: Mapping[str, object], switch: Mapping[str, str]) -> list[str]:
    """What must not be: other bytes, a refusal without its cause, or one where nothing differs."""
    wrong = []
    if seen["other"]:
        wrong.append("repair published other bytes")
    if seen["extended_other"]:
        wrong.append("extend published other bytes")
    for command in ("repair", "extend"):
        line = str(seen[f"{command}_line"])
        if seen[command] and not all(name in line for name in switch):
            wrong.append(f"{command} does not name the switch: {line}")
        if seen[command] and not switch:
            wrong.append(f"{command} failed on this machine: {line}")
    if bool(seen["refused"]) != bool(seen["repair"]):
        wrong.append(f"repair ended with {seen['repair']}, {seen['refused']} shards are missing")
    return wrong


def under(
    switch: Mapping[str, str], names: Sequence[str], folder: Path
) -> dict[str, dict[str, object]]:
    """What is seen of these datasets in a process of its own with these variables."""
    done = subprocess.run(
        [sys.executable, "-m", "tools.processors", "--inside", *names],
        env={**os.environ, **switch, "PYTHONPATH": str(ROOT), "DEPTHMASK_CACHE": str(folder / "c")},
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def workplace(folder: Path, names: Sequence[str]) -> None:
    """Write assets into a folder, and make the datasets there."""
    photographs(folder / "assets")
    subprocess.run(
        [sys.executable, "-m", "tools.processors", "--make", *names],
        env={**os.environ, "PYTHONPATH": str(ROOT), "DEPTHMASK_CACHE": str(folder / "c")},
        cwd=folder, check=True,
    )  # fmt: skip


def table(names: Sequence[str], switches: Mapping[str, Mapping[str, str]]) -> int:
    """Try the switches, and print a line for each switch and dataset; returns 1 for a fault."""
    broken = 0
    print(f"{'switch':26} {'dataset':9} differ  repair    extend")
    with tempfile.TemporaryDirectory(prefix="processors-") as text:
        folder = Path(text)
        workplace(folder, names)
        for switch, variables in switches.items():
            for name, seen in under(variables, names, folder).items():
                repair = "refused" if seen["repair"] else "same"
                extend = "refused" if seen["extend"] else "same"
                differ = f"{seen['refused']}/{seen['shards']}"
                print(f"{switch:26} {name:9} {differ:7} {repair:9} {extend}", flush=True)
                for fault in faults(seen, variables):
                    broken = 1
                    print(f"    FAULT {fault}")
    return broken


def oldest() -> list[str]:
    """The oldest NumPy, Pillow and OpenCV that pyproject.toml allows, as pip writes them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pattern = re.compile(r"(numpy|pillow|opencv-python-headless)>=([0-9.]+)")
    pairs = [match.groups() for one in project["dependencies"] if (match := pattern.match(one))]
    return [f"{name}=={version}.*" for name, version in pairs]


def go_on_with_oldest(names: Sequence[str]) -> int:
    """Interrupt datasets, go on with the oldest packages, and compare; returns 1 for a fault."""
    broken = 0
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    heavy = ("tensorflow", "keras", "numpy", "pillow", "opencv")
    others = [one for one in project["dependencies"] if not one.startswith(heavy)]
    with tempfile.TemporaryDirectory(prefix="oldest-") as text:
        folder = Path(text)
        python = folder / "venv" / "bin" / "python"
        subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *oldest(), *others], check=True)
        workplace(folder, names)
        for name in names:
            wanted = tiny.sha256s(folder / name)
            (folder / name / "dataset.json").unlink()
            for shard in sorted(wanted)[len(wanted) // 2 :]:
                (folder / name / "shards" / shard).unlink()
                (folder / name / "records" / f"{shard.partition('.')[0]}.json").unlink()
            done = subprocess.run(
                [python, "-m", "depthmask", "resume", name],
                env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=folder,
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            same = tiny.sha256s(folder / name) == wanted
            broken |= not (same and done.returncode == 0)
            notes = [one for one in done.stderr.splitlines() if one.startswith(("note", "error"))]
            print(f"{name:9} exit {done.returncode}, {'same' if same else 'other'} bytes: {notes}")
    return broken


def main() -> int:
    """Print what was seen; returns 1 for a fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", default=[""], help="words in the names of datasets")
    parser.add_argument("--switch", default="", help="a word in the names of switches")
    parser.add_argument("--old", action="store_true", help="go on with the oldest packages")
    parser.add_argument("--make", nargs="+", help=argparse.SUPPRESS)
    parser.add_argument("--inside", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    names = [name for name in DATASETS if any(word in name for word in options.only)]
    if options.make:
        for name in options.make:
            make(name)
        return 0
    if options.inside:
        print(json.dumps({name: tried(name) for name in options.inside}))
        return 0
    if options.old:
        return go_on_with_oldest([name for name in names if name != "fastdepth"])
    return table(names, {name: SWITCHES[name] for name in SWITCHES if options.switch in name})


if __name__ == "__main__":
    sys.exit(main())
