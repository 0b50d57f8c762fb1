"""Tiny datasets for the tools and tests that break things: assets, commands, what came out."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from depthmask.reading.dataset import Dataset
from depthmask.storage.path import StorePath
from depthmask.storage.verify import verify

WRITERS = ("webdataset", "zip", "npz", "folder", "depthmaskdataset")
FREE = ("run.log", ".lock", ".drafts")
"""The names of files and folders of a dataset whose content may be any."""
_TIMES = ("checksum", "seconds", "unhashed")
"""The fields of sealed files that differ from run to run: times, and what does not count."""


def make_assets(root: Path) -> Path:
    """Three backgrounds with depth and four cut-outs, of 40 pixels or so."""
    for name in ("bg", "fg", "bg_depth"):
        (root / name).mkdir(parents=True)
    rng = np.random.default_rng(1)
    for number in range(3):
        coarse = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((40, 40)).save(root / "bg" / f"wall{number}.png")
        depth_mm = np.linspace(5000, 1000, 40 * 40).reshape(40, 40).astype(np.uint16)
        Image.fromarray(depth_mm).save(root / "bg_depth" / f"wall{number}.png")
    for number in range(4):
        rgba = rng.integers(0, 256, (20 + number, 14, 4), dtype=np.uint8)
        rgba[..., 3] = np.where(np.arange(14) % 5 == 0, 90, 255)
        Image.fromarray(rgba).save(root / "fg" / f"box{number}.png")
    return root


def words(assets: Path, output: StorePath | Path, *more: str) -> list[str]:
    """The arguments of a run with composited depth that needs no network."""
    return [
        "source=assets",
        f"source.root={assets}",
        "geometry=source",
        "depth=layered",
        "size=[32,32]",
        f"output={output}",
        *more,
    ]


def start(
    arguments: Sequence[str], log: Path | None = None, site: Path | None = None
) -> subprocess.Popen[bytes]:
    """The command as a process group of its own; its output goes to `log`.

    site: a folder with plugins.
    """
    path = [str(site or ""), os.environ.get("PYTHONPATH", "")]
    with Path(log or os.devnull).open("ab") as file:
        return subprocess.Popen(
            [sys.executable, "-m", "depthmask", *arguments],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, path))},
            stdout=file,
            stderr=file,
            start_new_session=True,
        )


def sha256s(output: Path) -> dict[str, str]:
    """sha256 of every file among the shards."""
    folder = output / "shards"
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def whole(output: Path) -> dict[str, str]:
    """sha256 of every file of a dataset, but of what may be any; of records without times."""
    names = (path.relative_to(output) for path in sorted(output.rglob("*")) if path.is_file())
    return {
        name.as_posix(): hashlib.sha256(_that_counts(output / name)).hexdigest()
        for name in names
        if name.parts[0] not in FREE
    }


def _that_counts(path: Path) -> bytes:
    """The content; that of sealed JSON without what differs from run to run."""
    content = path.read_bytes()
    if not content.startswith(b'{"checksum"'):
        return content
    data = json.loads(content)
    files = [*data.get("files", []), *data.get("derived", [])]
    for fields, names in [(data, _TIMES), *((file, ("etag",)) for file in files)]:
        for name in names:
            fields.pop(name, None)
    return json.dumps(data).encode()


def keys(output: Path) -> list[str]:
    """The key of every sample, read from the shards by other code than ours."""
    found: list[str] = []
    for path in sorted((output / "shards").iterdir()):
        if path.suffix == ".npz":
            found += _npz_keys(path)
        elif (path / "samples.jsonl").exists():
            lines = (path / "samples.jsonl").read_text().splitlines()
            found += [json.loads(line)["key"] for line in lines]
        else:
            names = sorted(_names(path))
            found += [name.split(".")[0] for name in names if name.endswith(".json")]
    return found


def _names(shard: Path) -> list[str]:
    """The names of the members of an archive, or the files of a folder."""
    if shard.suffix == ".tar":
        with tarfile.open(shard) as tar:
            return tar.getnames()
    if shard.suffix == ".zip":
        with zipfile.ZipFile(shard) as archive:
            return archive.namelist()
    return [path.name for path in shard.iterdir()]


def _npz_keys(path: Path) -> list[str]:
    with np.load(path, allow_pickle=False) as file:
        offsets, text = file["json_offsets"], file["json"].tobytes()
    pairs = itertools.pairwise(offsets)
    return [text[a:b].split(b'"key":')[1].split(b'"')[1].decode() for a, b in pairs]


def losses(
    output: Path,
    samples: int,
    wanted: dict[str, str],
    hashes: Callable[[Path], dict[str, str]] = sha256s,
) -> list[str]:
    """What a finished dataset lacks, has twice or has otherwise than an uninterrupted run.

    wanted: what `hashes` gives for the uninterrupted run.
    """
    problems = [str(problem) for problem in verify(output)]
    if problems:
        return problems
    found = keys(output)
    # Splits have their own shards.
    if sorted(found) != [f"{index:09d}" for index in range(samples)]:
        problems.append(f"{len(found)} keys ({len(set(found))} different) for {samples} samples")
    there = hashes(output)
    problems += [f"{name}: sha256 differs" for name in wanted if there.get(name) != wanted[name]]
    problems += [f"{name}: not of the plan" for name in there.keys() - wanted.keys()]
    if len(Dataset(output)) != samples:
        problems.append(f"dataset.json says {len(Dataset(output))} samples")
    return problems


def group(process: int) -> list[int]:
    """The living processes of a process group (zombies are dead)."""
    return [int(stat[0]) for stat in _processes() if int(stat[4]) == process and stat[2] != "Z"]


def children(process: int) -> list[int]:
    """The workers of a run: its child processes, less multiprocessing's resource tracker."""
    found = [int(stat[0]) for stat in _processes() if int(stat[3]) == process and stat[2] != "Z"]
    return [one for one in found if b"spawn_main" in _command(one)]


def orphans(process: int, seconds: float = 5.0) -> list[int]:
    """What is left of a process group after so many seconds."""
    deadline = time.monotonic() + seconds
    while (left := group(process)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left


def end(processes: Iterable[int]) -> None:
    """SIGKILL, each by its id."""
    for one in processes:
        try:
            os.kill(one, signal.SIGKILL)
        except ProcessLookupError:
            continue


def _processes() -> Iterable[list[str]]:
    """(id, name, state, parent, group, ...) of everything that runs."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                text = (entry / "stat").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            # The name may hold blanks.
            head, _, tail = text.rpartition(")")
            number, _, name = head.partition(" (")
            yield [number, name, *tail.split()]


def _command(process: int) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b"resource_tracker"
