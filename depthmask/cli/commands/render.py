"""`depthmask render OUT --index 123`: make one sample again, from its number alone."""

from __future__ import annotations

from collections.abc import Sequence

from depthmask.cli.lines import show_path
from depthmask.cli.local_folder import folder_for
from depthmask.cli.moved_assets import assets_and_words
from depthmask.cli.usage.parser import parse
from depthmask.config.plan_config import input_of
from depthmask.data import Encoded
from depthmask.engine.from_config import job_from_config
from depthmask.engine.from_plan import root_from_plan
from depthmask.errors import UsageError
from depthmask.reading.dataset import no_dataset
from depthmask.storage.identity import changed_assets
from depthmask.storage.location import location
from depthmask.storage.packages import other_pixels
from depthmask.storage.path import StorePath
from depthmask.storage.publish import require_sealed
from depthmask.untrusted import untrusted


def main(arguments: Sequence[str]) -> int:
    """Write the members of one sample as files, and print their paths."""
    assets, words = assets_and_words(arguments)
    options = parse("render", words)
    dataset = location(options["OUT"])
    encoded = render(dataset, options["index"], assets)
    files = {f"{encoded.key}.{name}": data for name, data in encoded.members.items()}
    folder = folder_for(dataset, "render", options["into"], files)
    for name, data in files.items():
        (folder / name).write_bytes(data)
        show_path(folder / name)
    return 0


def render(dataset: StorePath, index: int, assets: str | None = None) -> Encoded:
    """Make and encode a sample as the run does, from the plan and the assets; no shard is read.

    assets: the present `source.root`; None if that of the plan holds. Raises `UsageError` if there
    is no such sample, if the assets have changed, or if a stage has another pixel version than in
    the dataset.
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
    return root.encode.encode(job.sample(index), job.labeller.outputs)
