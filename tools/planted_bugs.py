"""Does the suite notice? Bugs, each planted into a copy of the package; every one must be.

python -m tools.planted_bugs                 # all
python -m tools.planted_bugs derived repair  # those whose names have one of these words
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

    @property
    def chosen(self) -> str:
        """What chooses its tests, for `pytest -k`."""
        return self.tests[2] if len(self.tests) > 1 else Path(self.tests[0]).stem


_LOCAL, _PUBLISH = "storage/local.py", "storage/publish.py"
_PIPELINE = "engine/generate.py"
_ORDER = "tests/storage/test_publish_order.py"
_RUN, _FINISH, _REPAIR, _VERIFY = (
    "engine/run.py",
    "engine/finish.py",
    "engine/restore.py",
    "storage/verify.py",
)
_DERIVED = "tests/storage/test_derived.py"
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
    Bug(
        "derived files not synced",
        ((_LOCAL, "files |= {name: _synced(self, self / name)",
          "files |= {name: _hashed(self, self / name)"),
         (_LOCAL, "def _temporary(", "def _hashed(draft: Path, path: Path) -> ShardFile:\n"
          "    content = path.read_bytes()\n"
          "    digest = hashlib.sha256(content).hexdigest()\n"
          "    return ShardFile(path.relative_to(draft).as_posix(), len(content), digest)\n\n\n"
          "def _temporary("),),
        (_DERIVED, "-k", "durable"),
    ),
    Bug(
        "derived files after dataset.json",
        (
            (_RUN, "info = finish(job, totals, left_out)\n",
             "info = replace(summarise(job, totals), derived=())\n"
             '                    write_sealed(job.output / "dataset.json", info.as_json())\n'
             "                    info = finish(job, totals, left_out)\n"),
            (_RUN, "from depthmask.engine.totals",
             "from depthmask.engine.summarise import summarise\nfrom depthmask.engine.totals"),
        ),
        (_DERIVED, "-k", "ends_anywhere"),
    ),
    Bug(
        "derived files not listed",
        ((_FINISH, "derived=tuple(files[name] for name in sorted(files))",
          "derived=None"),),
        (_DERIVED, "-k", "every_file_is_listed"),
    ),
    Bug(
        "derived files not verified",
        ((_VERIFY, "return Findings(problems + differing, notes, lacking)",
          "return Findings(problems, notes, lacking)"),),
        (_DERIVED, "-k", "named_and_repaired"),
    ),
    Bug(
        "derived files not looked at by the same command",
        ((_RUN, "return info.derived is not None and bool(not_intact(job.output, info.derived))",
          "return False"),),
        (_DERIVED, "-k", "same_command"),
    ),
    Bug(
        "edited card overwritten",
        ((_FINISH, "if name == CARD and is_edited_card(output):", "if False:"),),
        (_DERIVED, "-k", "edited_card"),
    ),
    Bug(
        "foreign derived files are damage",
        ((_VERIFY, "    notes += other_files(output, info.derived)\n",
          "    others = other_files(output, info.derived)\n"
          "    problems += [Problem(None, text) for text in others]\n"),),
        (_DERIVED, "-k", "no_damage"),
    ),
    Bug(
        "repair accepts other bytes",
        ((_REPAIR, "if _hashes(record) == _hashes(recorded):", "if True:"),),
        ("tests/engine/test_restore.py", "-k", "stays_as_it_is"),
    ),
    Bug(
        "repair accepts other bytes of shards without records",
        ((_REPAIR, "if self.totals.manifest_sha256(self.job.plan.numbering.names) == manifest:",
          "if True:"),),
        ("tests/engine/test_restore.py", "-k", "stays_as_it_is"),
    ),
    Bug(
        "plan before the preconditions",
        ((_RUN, "    if state.is_new:\n        _require_space(job, job.plan.samples)\n",
          "    take_output(job.output, job.identity, overwrite=overwrite)\n"
          "    if state.is_new:\n        _require_space(job, job.plan.samples)\n"),),
        ("tests/engine/test_refused_runs.py",),
    ),
    Bug(
        "a run without samples blocks others",
        (("storage/identity.py", "        if holds_samples(output):\n            raise\n"
          "        return FolderState.without_samples\n", "        raise\n"),),
        ("tests/engine/test_refused_runs.py",),
    ),
    Bug(
        "contents of assets ignored",
        (("engine/from_config.py", '"inputs": catalogue.digest,', '"inputs": "",'),),
        ("tests/storage/test_identity_table.py", "-k", "assets"),
    ),
    Bug(
        "source.root in the hash",
        (("config/plan_config.py",
          "            if taken:\n                unhashed[kind] = taken\n",
          "            if taken:\n                config[kind] |= taken\n"),),
        ("tests/cli/test_moved_assets.py", "-k", "same_command"),
    ),
    Bug(
        "self-test always passes",
        (("engine/self_test.py", "        if names := _other_members(",
          "        if names := None and _other_members("),),
        ("tests/engine/test_self_test.py", "-k", "every_writer"),
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
    # Anything but tests that passed or failed is a mistake of ours, such as no test found.
    if done.returncode not in (0, 1) or (done.returncode and " failed" not in done.stdout):
        raise SystemExit(done.stdout + done.stderr)
    return done.returncode == 1


def main() -> int:
    """Plant them one by one; 1 if the suite did not notice one, or is red without any."""
    words = sys.argv[1:]
    bugs = [bug for bug in BUGS if not words or any(word in bug.name for word in words)]
    folder = Path(tempfile.mkdtemp(prefix="depthmask-planted-"))
    files = sorted({bug.tests[0] for bug in bugs})
    chosen = " or ".join(sorted({bug.chosen for bug in bugs}))
    if noticed(None, (*files, "-k", chosen), folder):
        raise SystemExit("the tests are red without any bug")
    missed = 0
    for bug in bugs:
        red = noticed(bug, bug.tests, folder)
        print(f"{bug.name:52} {'noticed' if red else 'MISSED'} by {bug.tests[0]}", flush=True)
        missed += not red
    shutil.rmtree(folder)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
