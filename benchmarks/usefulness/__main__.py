"""Trains networks on datasets of depthmask, and tries them on real photographs.

    python -m benchmarks.usefulness --small [--data DIR] [--out DIR] [--device cpu|cuda]
    python -m benchmarks.usefulness --full ...

Each run is kept as a line of OUT/runs.jsonl once it is done; the same command goes on after a kill.
A run whose data cannot be made is said in one line, the others go on, and the command ends with 1.
The table and the page show the choosing half of the scenes. `--final` shows the other half, if all
runs are of commits without changes, and notes in OUT/looks.jsonl that it was looked at.
`--planted` tries the harness itself instead.
benchmarks/usefulness/README.md says where the photographs come from.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from benchmarks.usefulness.identity import identity_of
from benchmarks.usefulness.lock import locked
from benchmarks.usefulness.recipes_file import FOLDER, read_recipes
from benchmarks.usefulness.runs import SCALES, Ledger, runs_of
from benchmarks.usefulness.sets import (
    CHOOSING,
    FINAL,
    READERS,
    Picture,
    of_part,
    read_set,
    scenes_of,
)
from benchmarks.usefulness.trainers import Place, usual_jobs
from benchmarks.usefulness.work import Study, carry_out, circumstances
from depthmask.reports.evaluation.boundaries import can_find_edges


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out the runs that are missing, then print the table and write the page."""
    options = _parser().parse_args(arguments)
    if not can_find_edges():
        raise SystemExit("scikit-image is absent: pip install -e '.[evaluate]'")
    try:
        with locked(options.out):
            return _work(options)
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from here", file=sys.stderr)
        return 130


def _work(options: argparse.Namespace) -> int:
    study = _study(options)
    if options.planted:
        from benchmarks.usefulness.planted import try_harness

        return try_harness(study)
    runs = [run for recipe in study.chosen for run in runs_of(recipe, study.scale, study.identity)]
    is_whole = carry_out(study, runs)
    # All that the ledger has, so that a part of the recipes leaves the table whole.
    _show(study, is_final=options.final)
    return 0 if is_whole else 1


def _study(options: argparse.Namespace) -> Study:
    scale = SCALES[options.scale]
    recipes = [one for one in read_recipes(options.recipes) if one.small or scale.name == "full"]
    sets = {kind: read_set(options.data, kind) for kind in READERS}
    return Study(
        scale,
        recipes,
        [one for one in recipes if options.only in f"{one.task}/{one.name}"],
        sets,
        Ledger(options.out / "runs.jsonl"),
        identity_of(options.data, sets, options.device),
        Place(sets, options.data, options.out, options.device),
        options.jobs or usual_jobs(options.device),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m benchmarks.usefulness",
        description=__doc__,
        epilog=_what_runs(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    size = parser.add_mutually_exclusive_group(required=True)
    for name in SCALES:
        text = argparse.SUPPRESS if name == "tiny" else None
        size.add_argument(f"--{name}", dest="scale", action="store_const", const=name, help=text)
    parser.add_argument("--data", type=Path, default=Path("usefulness-data"))
    parser.add_argument("--out", type=Path, default=Path("usefulness-out"))
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument(
        "--jobs", type=_count, help="trainings at once; by default as processors and memory allow"
    )
    parser.add_argument("--only", default="", help="run recipes whose TASK/NAME contains this")
    parser.add_argument("--recipes", type=Path, default=FOLDER, help="another folder of recipes")
    parser.add_argument("--final", action="store_true", help="show the final half, and note it")
    parser.add_argument(
        "--planted", action="store_true", help="does the harness see what is planted?"
    )
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text}: a number from 1 on is needed")
    return int(text)


def _what_runs() -> str:
    small = SCALES["small"]
    recipes = [recipe for recipe in read_recipes() if recipe.small]
    names = ", ".join(f"{recipe.task}/{recipe.name}" for recipe in recipes)
    return (
        f"--small: {names}; {small.steps} steps, seeds 0 to {small.seeds - 1}, draws 0 to "
        f"{small.draws - 1} of n = {', '.join(map(str, small.photographs))} photographs. "
        f"--full: all of benchmarks/usefulness/recipes."
    )


def _show(study: Study, *, is_final: bool) -> None:
    """Print the table of a half and write the page."""
    from benchmarks.usefulness.page import page
    from benchmarks.usefulness.table import Results, as_json, as_text

    part, scale, sets, out = (
        FINAL if is_final else CHOOSING,
        study.scale,
        study.sets,
        study.place.out,
    )
    results = Results(study.ledger, study.recipes, scale, part, scenes_of(sets), study.identity)
    now = circumstances(study.identity.device)
    if is_final:
        require_committed(_commits(results))
        with (out / "looks.jsonl").open("a") as file:
            file.write(json.dumps(now) + "\n")
    rows = results.rows()
    print(as_text(rows))
    counts = ", ".join(
        f"{len(scenes)} scenes of {kind}" for kind, scenes in _scenes_of(sets, part).items()
    )
    facts = f"--{scale.name}, the {part} half: {counts}; {_states(results)}"
    target = out / f"{scale.name}-{part}.html"
    target.write_text(page(rows, results, sets, out, facts))
    kept = {"made": facts, "at": now, "rows": as_json(rows)}
    target.with_suffix(".json").write_text(json.dumps(kept, indent=1) + "\n")
    print(target)


def _scenes_of(sets: dict[str, list[Picture]], part: str) -> dict[str, set[str]]:
    """The scenes of each set that are in this part."""
    return {
        kind: {picture.scene for picture in of_part(pictures, kind, part)}
        for kind, pictures in sets.items()
    }


def _commits(results: Any) -> set[str]:
    """The commits at which the runs were made."""
    return {line["commit"] for lines in results.lines.values() for _, line in lines}


def require_committed(commits: set[str]) -> None:
    """Refuse a last table with runs of files that no commit has; pixels are the same in all."""
    changed = sorted(commit for commit in commits if commit.endswith("-dirty"))
    if changed:
        raise SystemExit(
            f"--final: runs were made at {', '.join(changed)}; make them anew at a commit without "
            "changes, with another --out"
        )


def _states(results: Any) -> str:
    commits = _commits(results)
    return f"made at {', '.join(sorted(commits))}" if any(commits) else "made without git"


if __name__ == "__main__":
    raise SystemExit(main())
