"""Datasets that were damaged on purpose, given to the readers: every failure has to be one line.

    python -m tools.fuzz_readers --cases 10000 --seed 0

A case is a small dataset of one of the formats with bytes flipped, cut, spliced or filled in,
or with a record, `plan.json` or `dataset.json` edited and sealed again, as somebody would who wants
us to open other files, to run out of memory, or to crash. It is opened, read and verified in a
child with a limit on its memory. Fails for: an exception that is no DepthmaskError, a message that
is no single line or names no file of the dataset, more than 5 s, more than 512 MB.
"""

from __future__ import annotations

import argparse
import copy
import json
import multiprocessing
import os
import random
import resource
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

WRITERS = {
    "webdataset": ["writer=webdataset"],
    "zip": ["writer=zip", "encode.depth=npz", "encode.instances=png"],
    "npz": ["writer=npz"],
    "npz-raw": ["writer=npz", "writer.images=raw"],
    "folder": ["writer=folder", "encode.image=png", "encode.mask=jpeg"],
    "depthmaskdataset": ["writer=depthmaskdataset", "encode.mask=jpeg"],
}
SAMPLES, SHARD_SIZE = 6, 4
MOST_SECONDS = 5.0
MOST_BYTES = 512 << 20
BATCH = 250
"""Cases in one child: enough to pay for its start, few enough to start again after a crash."""
STRANGE: tuple[Any, ...] = (
    *(-1, 0, 1, 2**31, 2**63, 10**12, 10**30, 1.5, float("nan"), True, None),
    *(
        "",
        "..",
        "../../../etc/passwd",
        "/etc/passwd",
        "a\0b",
        "a\nb",
        "x" * 5000,
        ".",
        "\\\\host\\x",
    ),
    *([], {}, [[0, 0, 1]], [[0, -1, 1]], [[0, 0, 10**12]], [[99, 0, 1]], {"a": {}}),
)


def main() -> int:
    """Make the plain datasets, run the cases in children, print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        make_plain(Path(folder))
        outcomes = fuzz(Path(folder), options.seed, range(options.cases))
    failures = report(outcomes)
    print(f"{options.cases} cases, {len(failures)} failures, {time.monotonic() - start:.0f} s")
    return 1 if failures else 0


def fuzz(folder: Path, seed: int, cases: range) -> list[dict[str, Any]]:
    """What came of each case: how it ended, its message, seconds, and the child's peak memory.

    folder: where `make_plain` has been.
    """
    context = multiprocessing.get_context("spawn")
    outcomes: list[dict[str, Any]] = []
    for first in range(cases.start, cases.stop, BATCH):
        left = list(range(first, min(first + BATCH, cases.stop)))
        while left:
            here, there = context.Pipe(duplex=False)
            child = context.Process(target=_work, args=(folder, seed, left, there))
            child.start()
            there.close()
            done = _collect(here, left)
            child.kill()
            child.join()
            outcomes += done
            left = left[len(done) :]
    return outcomes


def report(outcomes: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Print a table of the outcomes; returns those that must not be."""
    failures = [one for one in outcomes if one["end"] not in ("read", "refused")]
    counts = Counter((one["mutation"], one["end"]) for one in outcomes)
    for (mutation, end), count in sorted(counts.items()):
        print(f"{mutation:<24}{end:<12}{count:>8}")
    slowest = max(one["seconds"] for one in outcomes)
    print(f"slowest {slowest:.2f} s, peak {max(one['peak'] for one in outcomes) / 1e6:.0f} MB")
    for one in failures[:20]:
        print(f"FAILED {one}")
    return failures


def make_plain(folder: Path) -> None:
    """A small dataset in each format."""
    from depthmask.cli.main import main as depthmask

    for name, words in WRITERS.items():
        code = depthmask(
            ["size=[24,32]", "source.rooms=2", "source.furniture=2", "source.oversample=1",
             f"samples={SAMPLES}", f"shard_size={SHARD_SIZE}", "runner.workers=1",
             f"output={folder / name}", *words]
        )  # fmt: skip
        assert code == 0


def _collect(pipe: Connection, cases: list[int]) -> list[dict[str, Any]]:
    """Outcomes until the child is through, silent for too long, or gone."""
    done: list[dict[str, Any]] = []
    for case in cases:
        # The damage takes time too, on a busy machine; the child measures the reading alone.
        seconds = 6 * MOST_SECONDS if done else 60.0
        try:
            if not pipe.poll(seconds):
                raise EOFError("silent")
            done.append(pipe.recv())
        except EOFError as error:
            end = "hung" if error.args else "crashed"
            done.append({"case": case, "mutation": "?", "end": end, "seconds": seconds, "peak": 0})
            break
    return done


def _work(folder: Path, seed: int, cases: list[int], pipe: Connection) -> None:

    # Paths without number: a case has to be the same whatever child it runs in.
    place = folder / f"case-{os.getpid()}"
    resource.setrlimit(resource.RLIMIT_AS, (_address_space() + MOST_BYTES,) * 2)
    for case in cases:
        dice = random.Random(f"{seed}/{case}")
        writer = dice.choice(sorted(WRITERS))
        mutation = dice.choice([*MUTATIONS, *4 * ["edit"], *2 * ["drop"]])
        shutil.copytree(folder / writer, place, symlinks=True)
        MUTATIONS[mutation](place, dice)
        start = time.monotonic()
        end, text = read(place)
        seconds = time.monotonic() - start
        if seconds > MOST_SECONDS:
            end = "slow"
        peak = _peak()
        if peak > MOST_BYTES:
            end = "large"
        pipe.send(
            {"case": case, "mutation": f"{writer} {mutation}", "end": end, "text": text,
             "seconds": seconds, "peak": peak}
        )  # fmt: skip
        shutil.rmtree(place)


def read(place: Path) -> tuple[str, str]:
    """Read and verify a dataset: `read` or `refused` is as it should be, all else is not."""
    import depthmask
    from depthmask.storage.verify import verify

    texts = []
    for use in (lambda: list(_some(depthmask.open(place))), lambda: verify(place)):
        try:
            use()
        except depthmask.DepthmaskError as error:
            texts.append(str(error))
        except BaseException:
            return "exception", traceback.format_exc()
    for text in texts:
        if not text.isprintable() or len(text) > 1000 or str(place) not in text:
            return "bad line", text
    return ("refused" if texts else "read"), "; ".join(texts)


def _some(dataset: Any) -> Any:
    """The first samples and the last; an edited dataset may say that it has a billion."""
    for index in [*range(min(SAMPLES, len(dataset))), len(dataset) - 1]:
        yield dataset[index]
    dataset.close()


def _address_space() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()


def _peak() -> int:
    """Bytes; `ru_maxrss` would begin with that of the process that started this one."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def _shard_file(place: Path, dice: random.Random) -> Path:
    return dice.choice(sorted(path for path in (place / "shards").rglob("*") if path.is_file()))


def _any_file(place: Path, dice: random.Random) -> Path:
    records = sorted((place / "records").iterdir())
    return dice.choice([*records, place / "dataset.json", place / "plan.json"])


def _flip(path: Path, dice: random.Random) -> None:
    data = bytearray(path.read_bytes())
    for _ in range(dice.choice((1, 1, 3, 30))):
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    path.write_bytes(data)


def flip_shard(place: Path, dice: random.Random) -> None:
    """Bits of a published file; the record no longer suits it, but reading does not hash."""
    _flip(_shard_file(place, dice), dice)


def flip_json(place: Path, dice: random.Random) -> None:
    """Bits of a sealed file."""
    _flip(_any_file(place, dice), dice)


def cut(place: Path, dice: random.Random) -> None:
    """A file ends early."""
    path = _shard_file(place, dice)
    path.write_bytes(path.read_bytes()[: dice.randrange(path.stat().st_size)])
    _measure(place, path, dice)


def splice(place: Path, dice: random.Random) -> None:
    """A stretch of a file moves elsewhere, or another file's lies over it."""
    path, other = _shard_file(place, dice), _shard_file(place, dice)
    data, piece = bytearray(path.read_bytes()), other.read_bytes()
    start, at = dice.randrange(len(piece)), dice.randrange(len(data))
    length = dice.randrange(1, 2000)
    data[at : at + length] = piece[start : start + length]
    path.write_bytes(data)
    _measure(place, path, dice)


def fill(place: Path, dice: random.Random) -> None:
    """A stretch of one byte: sizes, offsets and headers at their extremes."""
    path = _shard_file(place, dice)
    data = bytearray(path.read_bytes())
    at, length = dice.randrange(len(data)), dice.choice((1, 2, 4, 8, 64, 512))
    data[at : at + length] = bytes([dice.choice((0, 1, 0x7F, 0x80, 0xFF))]) * len(
        data[at : at + length]
    )
    path.write_bytes(data)


def edit(place: Path, dice: random.Random) -> None:
    """A value in a sealed file becomes another one, and the file is sealed again."""
    path = _any_file(place, dice)
    data = _unsealed(path)
    for _ in range(dice.choice((1, 1, 2))):
        parent, key = dice.choice(list(_places(data)))
        # A copy: a later edit may change what is inside.
        parent[key] = copy.deepcopy(dice.choice(STRANGE))
    _seal(path, data)


def drop(place: Path, dice: random.Random) -> None:
    """A key or an item of a sealed file is gone or there twice."""
    path = _any_file(place, dice)
    data = _unsealed(path)
    parent, key = dice.choice(list(_places(data)))
    if isinstance(parent, list) and dice.random() < 0.5:
        parent.append(parent[key])
    else:
        del parent[key]
    _seal(path, data)


def nest(place: Path, dice: random.Random) -> None:
    """JSON so deep that it takes the parser's breath away, and numbers without end."""
    path = _any_file(place, dice)
    depth = dice.choice((900, 5_000, 200_000))
    text = dice.choice(
        ("[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth, "9" * depth)
    )
    path.write_text(text)


def link(place: Path, dice: random.Random) -> None:
    """A file, or the folder around it, is a link to one elsewhere, with the very content."""
    path = _shard_file(place, dice)
    if path.parent.name != "shards":
        path = dice.choice((path, path.parent))
    target = place / "elsewhere"
    path.rename(target)
    path.symlink_to(dice.choice((target, target, path, Path("/dev/zero"), Path("/etc"))))


def odd_kind(place: Path, dice: random.Random) -> None:
    """A pipe or a folder where a file belongs."""
    path = dice.choice((_shard_file(place, dice), _any_file(place, dice)))
    path.unlink()
    os.mkfifo(path) if path.suffix != ".json" and dice.random() < 0.5 else path.mkdir()


def bomb(place: Path, dice: random.Random) -> None:
    """A member that says, or unpacks to, far more than it has bytes."""
    path = _shard_file(place, dice)
    if path.suffix == ".npz":
        _npz_bomb(path, dice)
    else:
        data = bytearray(path.read_bytes())
        for at in [at for at in range(len(data)) if data[at : at + 4] == b"IHDR"]:
            data[at + 4 : at + 12] = dice.choice((2**20, 60_000)).to_bytes(4, "big") * 2
        for at in [at for at in range(len(data)) if data[at : at + 2] == b"\xff\xc0"]:
            data[at + 5 : at + 9] = b"\xff\xff\xff\xff"
        path.write_bytes(data)
    _measure(place, path, dice, always=True)


def _npz_bomb(path: Path, dice: random.Random) -> None:
    import zipfile

    import numpy as np

    header = np.lib.format.header_data_from_array_1_0(np.zeros((4, 2), np.float32))
    declared, zeros = dice.choice((
        ((4, 10**6, 10**6), 10**4), ((4, 10**4, 10**4), 0), ((4, 9 << 20), 144 << 20),
        ((4, 2**20), 2**24), ((-1, -4), 4), ((4, 0), 0), ((10**30,), 4),
    ))  # fmt: skip
    kind = dice.choice(("<f4", "<f4", "|O", "|V0", "|u1", "<U9", [("a", "<f4"), ("b", "|O")]))
    method = dice.choice((8, 8, 12, 14))
    if method != zipfile.ZIP_DEFLATED:
        zeros = min(zeros, 1 << 20)  # the others take seconds to pack more
    with zipfile.ZipFile(path, "w", method) as archive:
        for name in dice.choice((["depth"], ["depth", "depth"], ["jpg", "jpg_offsets"], ["../x"])):
            with archive.open(f"{name}.npy", "w") as file:
                np.lib.format.write_array_header_1_0(
                    file, {**header, "shape": declared, "descr": kind}
                )
                for start in range(0, max(1, zeros), 1 << 20):
                    file.write(bytes(min(zeros - start, 1 << 20)))


def pickled(place: Path, dice: random.Random) -> None:
    """An array of objects, which NumPy would unpickle if it were let."""
    import numpy as np

    path = _shard_file(place, dice)
    trap = np.array([{"a": 1}] * 4, dtype=object)
    with path.open("wb") as file:
        if dice.random() < 0.5:
            np.savez(file, depth=trap, allow_pickle=True)
        else:
            np.save(file, trap, allow_pickle=True)
    _measure(place, path, dice, always=True)


def swap(place: Path, dice: random.Random) -> None:
    """Two files change places."""
    path, other = _shard_file(place, dice), _shard_file(place, dice)
    data = path.read_bytes()
    path.write_bytes(other.read_bytes())
    other.write_bytes(data)
    _measure(place, path, dice)
    _measure(place, other, dice)


MUTATIONS: dict[str, Callable[[Path, random.Random], None]] = {
    function.__name__: function
    for function in (
        *(flip_shard, flip_json, cut, splice, fill, edit, drop, nest, link, odd_kind, bomb),
        *(pickled, swap),
    )
}


def _measure(place: Path, path: Path, dice: random.Random, *, always: bool = False) -> None:
    """Every other time the record is told of a file's new size, so that it is looked into."""
    if not always and dice.random() < 0.5:
        return
    name = path.relative_to(place / "shards").as_posix()
    for record in (place / "records").iterdir():
        data = _unsealed(record)
        for file in data["files"]:
            if file["name"] == name:
                file["bytes"] = path.stat().st_size
                _seal(record, data)


def _places(data: Any) -> Any:
    """(container, key or index) of everything in plain data."""
    for key in list(data) if isinstance(data, dict) else range(len(data)):
        yield data, key
        if isinstance(data[key], dict | list):
            yield from _places(data[key])


def _unsealed(path: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(path.read_bytes())
    del data["checksum"]
    return data


def _seal(path: Path, data: dict[str, Any]) -> None:
    from depthmask.storage.location import location
    from depthmask.storage.publish import write_sealed

    write_sealed(location(path), data)


if __name__ == "__main__":
    sys.exit(main())
