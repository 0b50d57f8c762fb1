"""`depthmask render OUT --index 123`: make one sample again, from its number alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from depthmask.cli.lines import show_path
from depthmask.cli.local_folder import folder_for
from depthmask.cli.moved_assets import assets_and_words
from depthmask.cli.usage.parser import parse
from depthmask.config.plan_config import input_of
from depthmask.data import Encoded
from depthmask.engine.environment import OTHER_MACHINE, other_environment
from depthmask.engine.from_config import job_from_config
from depthmask.engine.from_plan import root_from_plan
from depthmask.engine.job import Job
from depthmask.engine.run import continued
from depthmask.engine.self_test import other_members
from depthmask.errors import DepthmaskError, UsageError
from depthmask.reading.dataset import no_dataset
from depthmask.storage.identity import FolderState, changed_assets
from depthmask.storage.location import location
from depthmask.storage.packages import other_pixels
from depthmask.storage.path import StorePath
from depthmask.storage.publish import require_sealed
from depthmask.storage.records import Records
from depthmask.untrusted import untrusted


def main(arguments: Sequence[str]) -> int:
    """Write the members of one sample as files, and print their paths."""
    assets, words = assets_and_words(arguments)
    options = parse("render", words)
    dataset = location(options["OUT"])
    encoded, difference = render(dataset, options["index"], assets)
    files = {f"{encoded.key}.{name}": data for name, data in encoded.members.items()}
    folder = folder_for(dataset, "render", options["into"], files)
    for name, data in files.items():
        (folder / name).write_bytes(data)
        show_path(folder / name)
    if difference:
        raise DepthmaskError(difference)
    return 0


def render(dataset: StorePath, index: int, assets: str | None = None) -> tuple[Encoded, str]:
    """Make and encode a sample as the run does, from the plan and the assets.

    Returns it, and how it differs from the published one, in words; empty if it does not, or if
    its shard is not there as published. assets: the present `source.root`; None if that of the
    plan holds. Raises `UsageError` if there is no such sample, if the assets have changed, or if a
    stage has another pixel version than in the dataset.
    """
    if not (dataset / "plan.json").is_file():
        raise no_dataset(dataset)
    plan = require_sealed(dataset / "plan.json")
    with untrusted(str(dataset / "plan.json")):
        if plan["job"] != "generate":
            raise UsageError(
                f"render can only make samples of a generated dataset; this one was made by "
                f"`{plan['job']}` from {', '.join(input_of(plan)['paths'])}"
            )
    root = root_from_plan(plan, dataset, assets)
    job = job_from_config(root)
    if pixels := other_pixels(plan, job.identity.description):
        raise UsageError(f"{dataset}: the published sample cannot be shown: {pixels}")
    if job.catalogue.digest != plan.get("inputs"):
        changes = changed_assets(dataset, job.catalogue.hashes)
        named = f": {changes}" if changes else ""
        raise UsageError(f"{dataset}: the assets have changed since the dataset was made{named}")
    if not 0 <= index < job.plan.samples:
        raise UsageError(f"--index {index}: {dataset} has samples 0 to {job.plan.samples - 1}")
    encoded = root.encode.encode(job.sample(index), job.labeller.outputs)
    return encoded, _difference(continued(replace(job, output=dataset), FolderState.same), index)


def _difference(job: Job, index: int) -> str:
    """How a sample differs from the published one, in words; empty if none can be read."""
    split, rank = job.plan.numbering.at(index)
    shard = job.plan.shard(rank // job.plan.shard_size, split)
    record = Records(job.output).read(shard.name)
    if record is None or Records(job.output).problems(record):
        return ""
    one = replace(shard, start=rank, stop=rank + 1)
    names = other_members(job, one)
    if not names:
        return ""
    return (
        f"sample {index} is not as published in {shard.name}: other bytes of "
        f"{' and '.join(names)} ({other_environment(job) or OTHER_MACHINE})"
    )
