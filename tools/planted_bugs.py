"""Does the suite notice? Eight bugs, each planted into a copy of the package; every one must be.

python -m tools.planted_bugs
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Bug:
    """edits: (file of the package, text that is there, text instead). tests: those to go red."""

    name: str
    edits: tuple[tuple[str, str, str], ...]
    tests: tuple[str, ...]


_LOCAL, _PUBLISH = "storage/local.py", "storage/publish.py"
_PIPELINE = "engine/generate.py"
_ORDER = "tests/storage/test_publish_order.py"
BUGS = (
    Bug("no fsync", ((_LOCAL, "os.fsync(", "(lambda handle: None)("),), (_ORDER,)),
    Bug(
        "no rename",
        ((_LOCAL, 'path.with_name(f"{path.name}.{secrets.token_hex(8)}{TEMPORARY}")', "path"),),
        (_ORDER,),
    ),
    Bug(
        "record before data",
        (
            (_LOCAL, "            _replace(entry, self",
             "            (LATER.append(entry), self"),
            (_LOCAL, "class LocalPath(", "LATER: list[Path] = []\n\n\nclass LocalPath("),
            (
                _LOCAL,
                "    os.replace(temporary, path)\n    _sync",
                "    os.replace(temporary, path)\n"
                '    while path.parent.name == "records" and LATER:\n'
                "        late = LATER.pop(0)\n"
                '        os.replace(late, path.parent.parent / "shards" / late.name)\n'
                "    _sync",
            ),
            (
                _PUBLISH,
                "            shutil.rmtree(self.folder, ignore_errors=True)\n",
                "            pass\n",
            ),
        ),
        (_ORDER,),
    ),
    Bug(
        "marker by presence",
        (("storage/records.py", "self._shards.is_intact(file)", "True"),),
        ("tests/cli/commands/test_verify.py",),
    ),
    Bug(
        "the lock is not read before a rename",
        ((_LOCAL, "    try:\n        require_lock(path)\n", "    try:\n        pass\n"),),
        ("tests/storage/test_fence.py",),
    ),
    Bug(
        "an object is put whatever is there",
        (("storage/remote.py", "content, instead_of, 0)", "content, None, 0)"),),
        ("tests/storage/test_fence.py", "-k", "meanwhile"),
    ),
    Bug(
        "workers have no lock",
        (("engine/job.py", '"fence": fence_of(self.output)', '"fence": None'),),
        ("tests/storage/test_fence.py", "-k", "job"),
    ),
    Bug(
        "close on exception",
        (
            (_PIPELINE, "for batch in self.batches(self.plan.indices(shard), log):",
             "for batch in _quiet(self.batches(self.plan.indices(shard), log)):"),
            (_PIPELINE, "def samples_per_batch(", "def _quiet(samples):\n    try:\n        yield"
             " from samples\n    except Exception:\n        return\n\n\ndef samples_per_batch("),
        ),
        ("tests/engine/runner/test_local.py", "-k", "this_process"),
    ),
    Bug(
        "seed from worker number",
        (
            (_PIPELINE, "Composer(self.root.seed,", "Composer(self.root.seed + os.getpid(),"),
            (_PIPELINE, "import time\n", "import os\nimport time\n"),
        ),
        ("tests/engine/test_generate.py", "-k", "workers_or_shards"),
    ),
    Bug(
        "ignored worker death",
        (("engine/runner/local.py", "            answer = self._dead(worker, hung=hung)\n",
          "            worker.kill()\n            return None\n"),),
        ("tests/engine/runner/test_local.py", "-k", "fails_once or always_dies"),
    ),
    Bug(
        "append to zip",
        (
            ("stages/writer/_archive.py", '"wb"', '"ab"'),
            (_PUBLISH, "        shutil.rmtree(self.folder, ignore_errors=True)\n",
             "        pass\n"),
            (_PUBLISH, "mkdir(parents=True)", "mkdir(parents=True, exist_ok=True)"),
            (_PUBLISH, '{shard}.{secrets.token_hex(8)}', "{shard}"),
        ),
        ("tests/engine/runner/test_local.py", "-k", "begun_to_write"),
    ),
)  # fmt: skip


def noticed(bug: Bug | None, tests: tuple[str, ...], folder: Path) -> bool:
    """Whether tests fail on a copy of the package with the bug."""
    copy = folder / (bug.name.replace(" ", "-") if bug else "as-it-is")
    for name in ("depthmask", "conf", "tests", "tools"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    for file, before, after in bug.edits if bug else ():
        path = copy / "depthmask" / file
        text = path.read_text()
        if before not in text:
            raise SystemExit(f"{file} has no longer the text that {bug} replaces")
        path.write_text(text.replace(before, after))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-n0", *tests],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
        check=False,
    )
    print(f"    {done.stdout.strip().splitlines()[-1]}", flush=True)
    # 1: tests failed. Anything else is a mistake of ours, such as no test found.
    if done.returncode not in (0, 1):
        raise SystemExit(done.stdout + done.stderr)
    return done.returncode == 1


def main() -> int:
    """Plant them one by one; 1 if the suite slept through one, or is red without any."""
    folder = Path(tempfile.mkdtemp(prefix="depthmask-planted-"))
    if noticed(None, tuple(sorted({bug.tests[0] for bug in BUGS})), folder):
        raise SystemExit("the tests are red without any bug")
    missed = 0
    for bug in BUGS:
        red = noticed(bug, bug.tests, folder)
        print(f"{bug.name:24} {'noticed' if red else 'MISSED'} by {bug.tests[0]}", flush=True)
        missed += not red
    shutil.rmtree(folder)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
