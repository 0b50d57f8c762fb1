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
from depthmask.engine.inputs.base import Origin
from depthmask.engine.job import Job
from depthmask.engine.recode import Recoding
from depthmask.storage.dataset_info import SCHEMA
from depthmask.storage.identity import Claim
from depthmask.storage.location import Location, location

CONFIG = ("samples", "size", "shard_size", "encode", "writer")
"""What of the config decides about a dataset whose samples were there."""


@dataclass(frozen=True)
class OverOrigin(Job):
    """A job over samples that are there."""

    origin: Origin
    recoding: Recoding

    def named(self, index: int) -> str:
        """With where it comes from."""
        return f"sample {index} of {', '.join(self.origin.paths)}"

    def described(self, claim: Claim) -> dict[str, Any]:
        """As there."""
        return self.origin.described()


def claim_of(
    job: str,
    origin: Origin,
    root: Root,
    found: Recoding,
    contract: DepthContract | None,
    stages: Sequence[str] = (),
) -> Claim:
    """All that decides the bytes. stages: those that do, beside the writer."""
    kept = {*CONFIG, *stages}
    return Claim(
        {
            "schema": SCHEMA,
            "job": job,
            "dataset": {"paths": list(origin.paths), "sha256": origin.sha256},
            "encoded": sorted(found.changed),
            "config": {key: value for key, value in to_plain(root).items() if key in kept},
            "depth": contract_as_json(contract),
            "versions": versions(root),
        }
    )


def output_of(root: Root, origin: Origin, wanted: Claim) -> Location:
    """The folder of the new dataset."""
    if root.output is not None:
        return location(root.output)
    stages = [root.depth.name] if "depth" in wanted.description["config"] else []
    own = [location(origin.paths[0]).stem, *stages, root.writer.name, wanted.fingerprint[:8]]
    return location("outputs") / "-".join(own)
