"""The base class of the jobs over existing samples, convert and annotate."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from depthmask.config.plan_config import defaults_of, plan_config
from depthmask.config.root import Root
from depthmask.config.versions import plan_versions
from depthmask.contract import contract_as_json
from depthmask.data import DepthContract
from depthmask.engine.inputs.base import JobInput
from depthmask.engine.job import Job
from depthmask.engine.recode import Recoding
from depthmask.errors import SettingError, UsageError
from depthmask.storage.dataset_info import SCHEMA, DatasetFacts, LabelInfo
from depthmask.storage.identity import INPUT, UNHASHED, DatasetIdentity
from depthmask.storage.location import holds, location
from depthmask.storage.path import StorePath

_SETTINGS = ("samples", "size", "shard_size", "encode", "writer")
"""The settings that determine the bytes of a dataset made from existing samples."""
_IMAGE_SETTINGS = ("image", "quality", "subsampling", "optimize")
"""The settings in `encode` that determine the bytes of images."""


@dataclass(frozen=True, repr=False)
class InputJob(Job):
    """A job that makes a dataset from existing samples.

    expected_bytes: the estimated bytes of a sample, which are measured once.
    """

    input: JobInput
    recoding: Recoding
    expected_bytes: int

    @property
    def sample_bytes(self) -> int:
        """The estimated bytes of an encoded sample, the mean where sizes differ."""
        return self.expected_bytes

    def named(self, index: int) -> str:
        """The sample as its input calls it."""
        return self.input.name_of(index)

    @property
    def source_plan(self) -> Mapping[str, Any]:
        """The plan of the input."""
        return self.input.plan

    def dataset_facts(self) -> DatasetFacts:
        """The facts of the input, which are copied, without labels that are left out."""
        facts = self.input.dataset_facts()
        return {**facts, "labels": tuple(_without(facts["labels"], self.recoding.changed))}


def adapted_input(job_input: JobInput, root: Root, overridden: Collection[str]) -> JobInput:
    """The input with the size, and the format of images, that the user gave.

    Raises `SettingError` for a size that the input cannot get, and for a writer that needs one size
    of an input with several.
    """
    chosen = [name for name in _IMAGE_SETTINGS if f"encode.{name}" in overridden]
    encode = replace(job_input.encode, **{name: getattr(root.encode, name) for name in chosen})
    adapted = job_input.adapted(
        root.canvas if "size" in overridden else None,
        None if encode == job_input.encode else encode,
    )
    if adapted.smallest is not None and not root.writer.any_size:
        height, width = adapted.smallest
        raise SettingError(
            "writer",
            root.writer.name,
            f"holds samples of one size, and those of {adapted.place} have {height}x{width} to "
            f"{adapted.size[0]}x{adapted.size[1]}; choose writer=webdataset, zip or folder, or "
            "resize photographs with size=[H,W]",
        )
    return adapted


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
    fields = plan_config(root, names, shard_size)
    paths = {INPUT: {"paths": list(job_input.paths)}}
    return DatasetIdentity(
        {
            "schema": SCHEMA,
            "job": job,
            INPUT: job_input.description,
            "encoded": sorted(recoding.changed),
            **fields,
            UNHASHED: {**fields.get(UNHASHED, {}), **paths},
            "depth": contract_as_json(contract),
            **plan_versions(root, names),
        },
        defaults=defaults_of(root),
    )


def output_of(root: Root, job_input: JobInput, identity: DatasetIdentity) -> StorePath:
    """The folder of the new dataset; without `output` it is named after the input.

    Raises `UsageError` for a folder with the input, which `overwrite=true` would delete, and for
    one among files that the next run would read as well.
    """
    if root.output is not None:
        output = location(root.output)
    else:
        stages = [root.depth.name] if "depth" in identity.description["config"] else []
        words = [job_input.stem, *stages, root.writer.name, identity.fingerprint[:8]]
        output = location("outputs") / "-".join(words)
    for path in map(location, job_input.paths):
        if holds(output, path):
            raise UsageError(f"output={output}: holds the input, {path}; choose another output")
        if job_input.reads_all_files and holds(path, output):
            raise UsageError(
                f"output={output}: lies in the input, {path}, of which every file is read; choose "
                "another output"
            )
    return output
