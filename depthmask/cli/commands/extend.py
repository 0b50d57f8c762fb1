"""`depthmask extend OUT samples=N [runner.*]`: add samples to a dataset, which keeps the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from depthmask.cli.commands.resume import continue_dataset, refuse_others
from depthmask.cli.moved_assets import assets_and_words
from depthmask.cli.plan_command import dataset_and_words, plan_of
from depthmask.config.compose import compose_root
from depthmask.config.explain.names import names_of
from depthmask.config.plan_config import input_of
from depthmask.errors import DepthmaskError, UsageError
from depthmask.storage.path import StorePath
from depthmask.storage.shell import command, path_word
from depthmask.untrusted import untrusted


def main(arguments: Sequence[str]) -> int:
    """Make the dataset N samples long; with all settings of its plan."""
    assets, words = assets_and_words(arguments)
    dataset, words = dataset_and_words("extend", words)
    refuse_others("extend", dataset, words, ("samples", "runner", "progress"))
    plan = plan_of(dataset)
    _require_generated(dataset, plan)
    samples = compose_root(words).samples if "samples" in names_of(words) else None
    present = _samples_of(dataset, plan)
    if samples is None:
        example = command("extend", path_word(dataset), f"samples={2 * present}")
        raise UsageError(f"extend needs samples=N, a whole number, as in `{example}`")
    if samples < present:
        raise UsageError(
            f"samples={samples}: {dataset} is planned with {present:,} samples, and `extend` adds "
            f"some; ds[:{samples}] reads the first {samples:,}"
        )
    others = [word for word in words if names_of([word]) != ["samples"]]
    continue_dataset(dataset, plan, others, assets=assets, samples=samples)
    return 0


def _require_generated(dataset: StorePath, plan: dict[str, Any]) -> None:
    """Raise `UsageError` for a dataset that has as many samples as its input."""
    with untrusted(str(dataset / "plan.json")):
        job = plan["job"]
        paths = [] if job == "generate" else input_of(plan)["paths"]
    if job != "generate":
        raise UsageError(
            f"{dataset} was made by `{job}` and has the samples of {', '.join(map(str, paths))}; "
            f"extend that, then `{command('repeat', path_word(dataset), 'output=OUT2')}`"
        )


def _samples_of(dataset: StorePath, plan: dict[str, Any]) -> int:
    with untrusted(str(dataset / "plan.json")):
        samples = plan["config"]["samples"]
    if type(samples) is not int:
        raise DepthmaskError(f"{dataset / 'plan.json'}: samples is {samples!r}, and no number")
    return samples
