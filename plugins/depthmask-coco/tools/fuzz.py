"""Mutates files with annotations and reads them: no traceback, and each line names the file.

    python -m tools.fuzz --rounds 2000 --seed 1

Each round changes good files of COCO, YOLO or VOC one to four times: a value, an entry or a
key of the JSON, or bytes of a file. A round passes if the check succeeds, and then some cut-outs,
or if it ends with one line that names the file, or a setting. The growth of the process is printed.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import resource
import shutil
import sys
import tempfile
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

from depthmask import DepthmaskError, OnBadAsset, SettingError, UsageError, is_one_line

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import made

from depthmask_coco._source import InstanceSource
from depthmask_coco.coco import Coco
from depthmask_coco.voc import Voc
from depthmask_coco.yolo import Yolo

VALUES: list[Any] = [
    *(None, True, False, 0, -1, 1, 2, 7, 1.5, -0.0, 1e300, -1e300, 2**31, 2**63, 10**30),
    *(float("nan"), float("inf"), float("-inf"), "", "x", "1", "a\nb", "\x1b[2J", "\0", "ä"),
    *([], {}, [[]], [{}], [1, 2, 3], {"size": [96, 128], "counts": [1]}, {"size": [2, 2]}),
    *("0" * 5000, [[1] * 6]),
    *("../x.jpg", "/etc/passwd", "http://host/x.jpg", "000000000002.jpg", "a" * 5000, "\ud800"),
    *([1e9] * 8, [[0, 0, 1e9, 1e9, 0, 5]], {"size": [10**9, 10**9], "counts": "0"}, 100, 101),
]  # fmt: skip
BYTES = [b"", b"\0", b"\xff", b"{", b"]", b"NaN", b"-", b"1e999", b'"', b"\n", b" ", b"9" * 400]
SIZE = (32, 48)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    results, faults = Counter[str](), 0
    with tempfile.TemporaryDirectory() as folder:
        good = _good(Path(folder) / "good")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for number in range(options.rounds):
            rng = random.Random(f"{options.seed} {number}")
            result = _round(rng, good, Path(folder) / "round")
            results[result.split(":")[0]] += 1
            if " FAULT" in result:
                faults += 1
                sys.stdout.write(f"round {number}: {result}\n")
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    sys.stdout.write(
        f"{options.rounds} rounds, {dict(results)}, memory grew by {grown // 1024} MB\n"
    )
    sys.exit(1 if faults else 0)


def _good(folder: Path) -> Path:
    made.make_coco(folder / "coco", 3)
    made.make_yolo(folder / "yolo", 3)
    made.make_voc(folder / "voc", 3)
    return folder


def _round(rng: random.Random, good: Path, folder: Path) -> str:
    shutil.rmtree(folder, ignore_errors=True)
    kind = rng.choice(["coco", "coco", "yolo", "voc"])
    shutil.copytree(good / kind, folder)
    source = {"coco": _coco, "yolo": _yolo, "voc": _voc}[kind](rng, folder)
    source.on_bad_asset = rng.choice([OnBadAsset.fail, OnBadAsset.skip, OnBadAsset.quarantine])
    return f"{kind} {_read(source, folder)}"


def _read(source: InstanceSource, folder: Path) -> str:
    """What came of a check: `good`, `refused`, or `FAULT` with the reason."""
    try:
        catalogue = source.check(SIZE)
        assert all(one.reason and is_one_line(one.file) for one in catalogue.left_out)
        for key in [*catalogue.foregrounds[:2], *catalogue.foregrounds[-1:]]:
            source.foreground(key, SIZE)
        for key in catalogue.backgrounds[:1]:
            source.background(key, SIZE)
    except SettingError:
        return "refused"
    except UsageError as error:
        first = str(error).splitlines()[0]
        names = str(folder) in first or re.search(r"\.(json|ya?ml|txt|png|jpg)", first)
        return "refused" if names else f"FAULT: the line names no file: {first}"
    except DepthmaskError as error:
        return f"FAULT: {error}"
    except Exception:
        return f"FAULT: {traceback.format_exc()}"
    return "good"


def _coco(rng: random.Random, folder: Path) -> Coco:
    path = folder / "instances.json"
    if rng.random() < 0.75:
        content = json.loads(path.read_text())
        for _ in range(rng.randint(1, 4)):
            _change(rng, content)
        path.write_text(json.dumps(content), encoding="utf-8", errors="surrogatepass")
    else:
        _change_bytes(rng, path)
    return Coco(root=str(folder / "pictures"), annotations=str(path), least_area=1,
                truncated=rng.random() < 0.5, crowd=rng.random() < 0.5)  # fmt: skip


def _yolo(rng: random.Random, folder: Path) -> Yolo:
    for _ in range(rng.randint(1, 3)):
        _change_bytes(rng, rng.choice([folder / "data.yaml", *folder.glob("labels/*/*.txt")]))
    return Yolo(root=str(folder), least_area=1, parts=["train", "val"], truncated=True)


def _voc(rng: random.Random, folder: Path) -> Voc:
    files = [*folder.glob("Segmentation*/*.png"), *folder.glob("ImageSets/*/*.txt")]
    for _ in range(rng.randint(1, 3)):
        _change_bytes(rng, rng.choice(files))
    return Voc(root=str(folder), least_area=1, image_set=rng.choice(["", "train"]), truncated=True)


def _change(rng: random.Random, content: Any) -> None:
    """Change, remove, add or repeat something at a random depth of JSON data."""
    at = content
    while True:
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        if not keys:
            return
        key = rng.choice(keys)
        if isinstance(at[key], dict | list) and at[key] and rng.random() < 0.8:
            at = at[key]
            continue
        action = rng.randrange(4)
        if action < 2:
            at[key] = rng.choice(VALUES)
        elif action == 2 or isinstance(at, dict):
            at.pop(key)
        else:
            at.append(at[key])
        return


def _change_bytes(rng: random.Random, path: Path) -> None:
    """Cut, replace or insert bytes."""
    data = bytearray(path.read_bytes())
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data) + 1)
        action = rng.randrange(4)
        if action == 0:
            del data[at:]
        elif action == 1:
            data[at : at + rng.randint(1, 8)] = rng.choice(BYTES)
        elif action == 2:
            data[at:at] = rng.choice(BYTES)
        elif data:
            data[at % len(data)] ^= 1 << rng.randrange(8)
    path.write_bytes(bytes(data))


if __name__ == "__main__":
    main()
