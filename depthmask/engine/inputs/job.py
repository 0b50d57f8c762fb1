"""The base class of the jobs over existing samples, convert and annotate."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from depthmask.config.plan_config import plan_config
from depthmask.config.root import Root
from depthmask.config.versions import plan_versions
from depthmask.contract import contract_as_json
from depthmask.data import DepthContract
from depthmask.engine.inputs.base import JobInput
from depthmask.engine.job import Job
from depthmask.engine.recode import Recoding
from depthmask.errors import SettingError
from depthmask.storage.dataset_info import SCHEMA, DatasetFacts, LabelInfo
from depthmask.storage.identity import DatasetIdentity
from depthmask.storage.location import location
from depthmask.storage.path import StorePath

_SETTINGS = ("samples", "size", "shard_size", "encode", "writer")
"""The settings that determine the bytes of a dataset made from existing samples."""


@dataclass(frozen=True)
class InputJob(Job):
    """A job that makes a dataset from existing samples."""

    input: JobInput
    recoding: Recoding

    def named(self, index: int) -> str:
        """The index of a sample and the paths of the input as text."""
        return f"sample {index} of {', '.join(self.input.paths)}"

    def dataset_facts(self) -> DatasetFacts:
        """The facts of the input, which are copied, without labels that are left out."""
        facts = self.input.dataset_facts()
        return {**facts, "labels": tuple(_without(facts["labels"], self.recoding.changed))}


def leaves_out_labels(root: Root, overridden: Collection[str]) -> bool:
    """Whether the user gave `labels=[]`, so that the new dataset has no labels.

    Raises `SettingError` for a label stage, which needs more than the files of a sample.
    """
    if root.labels:
        raise SettingError(
            "labels",
            f"[{','.join(root.labels)}]",
            "cannot be added to existing samples; set it in the run that generates them "
            "(labels=[] leaves all labels out)",
        )
    return "labels" in overridden


def _without(labels: Sequence[LabelInfo], names: Collection[str]) -> Iterator[LabelInfo]:
    for label in labels:
        outputs = tuple(one for one in label.outputs if one.member is None or one.name not in names)
        if outputs:
            yield replace(label, outputs=outputs)


def identity_of(
    job: str,
    job_input: JobInput,
    root: Root,
    recoding: Recoding,
    contract: DepthContract | None,
    shard_size: int,
    stages: Sequence[str] = (),
) -> DatasetIdentity:
    """The identity of a dataset made from an input.

    shard_size: the samples in a shard. stages: the kinds of stages that have an effect on its
    bytes, besides the writer.
    """
    names = {*_SETTINGS, *stages}
    return DatasetIdentity(
        {
            "schema": SCHEMA,
            "job": job,
            "dataset": {"paths": list(job_input.paths), "sha256": job_input.sha256},
            "encoded": sorted(recoding.changed),
            **plan_config(root, names, shard_size),
            "depth": contract_as_json(contract),
            **plan_versions(root, names),
        }
    )


def output_of(root: Root, job_input: JobInput, identity: DatasetIdentity) -> StorePath:
    """The folder of the new dataset; without `output` it is named after the input."""
    if root.output is not None:
        return location(root.output)
    stages = [root.depth.name] if "depth" in identity.description["config"] else []
    stem = location(job_input.paths[0]).stem
    return location("outputs") / "-".join(
        [stem, *stages, root.writer.name, identity.fingerprint[:8]]
    )
