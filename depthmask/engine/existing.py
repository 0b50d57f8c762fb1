"""What convert and annotate have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from depthmask.config.build import to_plain
from depthmask.config.root import Root
from depthmask.config.versions import versions
from depthmask.contract import contract_as_json
from depthmask.data import DepthContract
from depthmask.engine.inputs.base import JobInput
from depthmask.engine.job import Job
from depthmask.engine.recode import Recoding
from depthmask.storage.dataset_info import SCHEMA
from depthmask.storage.identity import DatasetIdentity
from depthmask.storage.location import Location, location

CONFIG = ("samples", "size", "shard_size", "encode", "writer")
"""What of the config decides about a dataset whose samples were there."""


@dataclass(frozen=True)
class InputJob(Job):
    """A job over samples that are there."""

    input: JobInput
    recoding: Recoding

    def named(self, index: int) -> str:
        """With where it comes from."""
        return f"sample {index} of {', '.join(self.input.paths)}"

    def described(self, claim: DatasetIdentity) -> dict[str, Any]:
        """As there."""
        return self.input.described()


def claim_of(
    job: str,
    job_input: JobInput,
    root: Root,
    found: Recoding,
    contract: DepthContract | None,
    stages: Sequence[str] = (),
) -> DatasetIdentity:
    """All that decides the bytes. stages: those that do, beside the writer."""
    kept = {*CONFIG, *stages}
    return DatasetIdentity(
        {
            "schema": SCHEMA,
            "job": job,
            "dataset": {"paths": list(job_input.paths), "sha256": job_input.sha256},
            "encoded": sorted(found.changed),
            "config": {key: value for key, value in to_plain(root).items() if key in kept},
            "depth": contract_as_json(contract),
            "versions": versions(root),
        }
    )


def output_of(root: Root, job_input: JobInput, wanted: DatasetIdentity) -> Location:
    """The folder of the new dataset."""
    if root.output is not None:
        return location(root.output)
    stages = [root.depth.name] if "depth" in wanted.description["config"] else []
    own = [location(job_input.paths[0]).stem, *stages, root.writer.name, wanted.fingerprint[:8]]
    return location("outputs") / "-".join(own)
