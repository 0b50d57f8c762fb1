"""Damage the files about a dataset, one at a time: each is named, and made again to the same bytes.

    python -m tools.damage                  # about 1,500 cases in a folder
    python -m tools.damage --s3             # in an S3 server that it starts
    python -m tools.damage zip npz          # only datasets of these writers

For each writer there are a dataset with splits, COCO labels and a quarantine, and what `convert`
and `annotate` make of it. A case takes one kind of file (the card, the preview, ...) and flips a
byte, truncates it, deletes it, swaps it with another, or adds a file beside it. `verify` has to
name it, and `verify --repair` and the same command have to bring the published bytes back. A card
that has changed is its owner's, and a file that was added is foreign: both are named, and stay.
Prints each case that went wrong; exits 1 if there is any.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import nullcontext, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from depthmask.cli.main import main as depthmask
from depthmask.storage.derived import CARD
from depthmask.storage.location import location
from depthmask.storage.path import StorePath
from tests.support import tiny
from tests.support.plugins import install_module
from tests.support.s3_server import BUCKET, s3_server

HOW = ("flip", "truncate", "delete", "swap", "add")
WAYS = ("repair", "run")
JOBS = ("generate", "convert", "annotate")
PLUGIN = "rows_of_methods"
TABLES = f"""
from depthmask import stage
from depthmask.stages.writer.folder import Folder

@stage("{PLUGIN}")
class Tables(Folder):
    "A folder for each shard, and a table for each."

    def derive(self, dataset):
        (dataset.path / "tables").make_folder()
        for record in dataset.records():
            names = "".join(f"{{file.name}}\\\\n" for file in record.files)
            (dataset.path / "tables" / f"{{record.shard}}.txt").write_text(names, "utf-8")
"""
"""A writer of others."""


@dataclass(frozen=True)
class Case:
    """What is done to one file, and how it is to be made again. other: the file to swap it with."""

    name: str
    how: str
    way: str
    other: str

    @property
    def is_no_damage(self) -> set[str]:
        """The names of the files that the run must leave as they are now."""
        if self.how == "add":
            return {self.added}
        return {CARD} & ({self.name, self.other} if self.how == "swap" else {self.name}) - (
            {CARD} if self.how == "delete" else set()
        )

    @property
    def added(self) -> str:
        """The name of the file that is added beside this one."""
        folder, slash, name = self.name.rpartition("/")
        return f"{folder}{slash}foreign_{name}"

    def contents(self, whole: Mapping[str, bytes]) -> dict[str, bytes | None]:
        """The new content of the files that it changes; None for a file that it deletes."""
        content = whole[self.name]
        middle = len(content) // 2
        flipped = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
        return {
            "flip": {self.name: flipped},
            "truncate": {self.name: content[:-1]},
            "delete": {self.name: None},
            "swap": {self.name: whole[self.other], self.other: content},
            "add": {self.added: content},
        }[self.how]  # type: ignore[return-value]


@dataclass(frozen=True)
class Subject:
    """A finished dataset. words: the command that made it; whole: its files beside the shards."""

    output: StorePath
    words: list[str]
    whole: Mapping[str, bytes]

    def cases(self) -> Iterator[Case]:
        """Each kind of file, in each way."""
        kinds = {kind_of(name): name for name in sorted(self.whole, reverse=True)}
        names = list(kinds.values())
        for (number, name), how, way in product(enumerate(names), HOW, WAYS):
            yield Case(name, how, way, names[number - 1])

    def problems(self, case: Case) -> list[str]:
        """Do it, and say what went otherwise than it has to."""
        contents = case.contents(self.whole)
        for name, content in contents.items():
            self._put(name, content)
        named = [*contents] if self.whole[case.name] != self.whole[case.other] else []
        wrong = self._wrongly_named(case, named)
        # So that there is something to repair.
        if case.how == "add":
            self._put("preview.jpg", None)
        words = self.words if case.way == "run" else ["verify", str(self.output), "--repair"]
        code, text = said(words)
        if code:
            wrong.append(f"exit code {code}: {text[-300:]}")
        wanted = {**self.whole, **{name: contents[name] for name in case.is_no_damage}}
        left = derived_files(self.output)
        wrong += [
            f"{name}: not as it has to be" for name in wanted if left.get(name) != wanted[name]
        ]
        wrong += [f"{name}: new" for name in left.keys() - wanted.keys()]
        for name in {*wanted, *left}:
            if left.get(name) != self.whole.get(name):
                self._put(name, self.whole.get(name))
        return wrong

    def _wrongly_named(self, case: Case, names: list[str]) -> list[str]:
        code, text = said(["verify", str(self.output)])
        lines = [line.removeprefix("note: ") for line in text.splitlines()]
        wrong = [
            f"verify does not name {name}"
            for name in names
            if not any(line.startswith(name) for line in lines)
        ]
        expected = 1 if set(names) - case.is_no_damage else 0
        return wrong + ([f"verify ends with {code}: {text}"] if code != expected else [])

    def _put(self, name: str, content: bytes | None) -> None:
        if content is None:
            (self.output / name).unlink(missing_ok=True)
        else:
            (self.output / name).write_bytes(content)


def kind_of(name: str) -> str:
    """What a file about a dataset is: one of each kind is damaged."""
    folder, _, file = name.rpartition("/")
    return f"{folder.partition('/')[0]}/{Path(file).suffix}" if folder else file.partition("_")[0]


def derived_files(output: StorePath) -> dict[str, bytes]:
    """Name -> content of all files beside shards and records."""
    return {name: (output / name).read_bytes() for name in output.derived_names()}


def said(words: list[str]) -> tuple[int, str]:
    """The exit code of a command, and what it printed."""
    text = io.StringIO()
    with redirect_stdout(text), redirect_stderr(text):
        code = depthmask(words)
    if code > 128:
        raise KeyboardInterrupt  # A signal to this process is no matter of the dataset's.
    return code, text.getvalue()


def subjects(folder: Path, place: StorePath, writers: tuple[str, ...]) -> Iterator[Subject]:
    """The datasets of all writers and jobs."""
    assets = tiny.make_assets(folder / "assets")
    (assets / "fg" / "broken.png").write_bytes(b"no picture")
    plan = ("samples=4", "shard_size=2", "split.train=0.5", "split.val=0.5", "labels=[coco]")
    for writer, job in product(writers, JOBS):
        output = place / f"{writer}-{job}"
        words = [f"writer={writer}", "runner.workers=1"]
        if job == "generate":
            words += ["source.on_bad_asset=quarantine", *plan]
            words = tiny.words(assets, output, *words)
        else:
            depth = ["depth=layered", "geometry=source"] if job == "annotate" else []
            words = [job, str(place / f"{writer}-generate"), f"output={output}", *depth, *words]
        code, text = said(words)
        if code:
            raise SystemExit(f"{words}: {text}")
        yield Subject(output, words, derived_files(output))


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Damage the files about datasets.")
    parser.add_argument("writers", nargs="*", default=[*tiny.WRITERS, PLUGIN])
    parser.add_argument("--s3", action="store_true", help="datasets in an S3 server")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="depthmask-damage-") as scratch,
        s3_server() if options.s3 else nullcontext(),
    ):
        folder = Path(scratch)
        install_module(folder, PLUGIN, TABLES)
        # Before the first command looks for plugins.
        sys.path.insert(0, scratch)
        place = location(f"s3://{BUCKET}/damage" if options.s3 else folder / "datasets")
        return _run(subjects(folder, place, tuple(options.writers)))


def _run(datasets: Iterator[Subject]) -> int:
    count = bad = 0
    for dataset in datasets:
        for case in dataset.cases():
            wrong = dataset.problems(case)
            count += 1
            bad += bool(wrong)
            if wrong:
                print(f"{dataset.output}: {case.how} {case.name}, {case.way}: {wrong}", flush=True)
        print(f"{dataset.output.name}: {count} cases so far, {bad} went wrong", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
