"""The input that reads a finished dataset of depthmask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from depthmask.codec.sample import Encode
from depthmask.config.build import encode_from_plain, from_plain
from depthmask.config.needs import require_stages
from depthmask.config.plan_config import config_of
from depthmask.config.root import Root
from depthmask.data import AssetFiles, Encoded
from depthmask.engine.inputs.base import JobInput
from depthmask.errors import DepthmaskError
from depthmask.plan.layout import Layout, Shard, shard_name
from depthmask.reading.dataset import Dataset
from depthmask.reading.dataset import open as open_dataset
from depthmask.statistics.pixels import Statistics
from depthmask.storage.dataset_info import DatasetFacts, manifest_hash
from depthmask.storage.location import location
from depthmask.storage.publish import require_sealed
from depthmask.storage.records import Records
from depthmask.storage.shell import command, path_word
from depthmask.untrusted import untrusted


class DatasetInput(JobInput):
    """A finished dataset; each shard is hashed before its samples are read."""

    shard_size: int

    def __init__(self, path: str) -> None:
        self._dataset: Dataset = open_dataset(path)
        info = self._dataset.metadata
        self.paths = (str(location(path)),)
        self.samples, self.shard_size, self.size = info.samples, info.shard_size, info.size
        self.smallest, self.named = info.smallest, info.named
        self.contract = info.contract
        self.numbering = info.numbering
        self.sample_bytes = -(-info.bytes // info.samples)
        self.plan: dict[str, Any] = require_sealed(self._dataset.path / "plan.json")
        with untrusted(str(self._dataset.path / "plan.json")):
            self.encode = encode_from_plain(self.plan["config"]["encode"])
        self.sha256 = manifest_hash(self._dataset.records())
        if self.sha256 != info.manifest_sha256:
            raise DepthmaskError(
                f"{path}: its records do not match dataset.json; "
                f"run `{command('verify', path_word(self._dataset.path), '--repair')}`"
            )

    def root_with(self, **stages: Any) -> Root:
        """The root that generated the samples, with these stages instead of its own.

        Raises `UsageError` if one of its other stages is not installed.
        """
        with untrusted(str(self._dataset.path / "plan.json")):
            whole = config_of(self.plan)
            config = {name: value for name, value in whole.items() if name not in stages}
            require_stages({**self.plan, "config": config})
            return replace(from_plain(config), **stages)

    def read(self, index: int) -> Encoded:
        """The members of a sample, as the writer of the dataset reads them."""
        return self._dataset.encoded(index)

    def dataset_facts(self) -> DatasetFacts:
        """Copied from the input dataset."""
        info = self._dataset.metadata
        return {
            "size": info.size,
            "smallest": info.smallest,
            "named": info.named,
            "variants": info.variants,
            "splits": info.splits,
            "leakage": info.leakage,
            "backgrounds": info.backgrounds,
            "foregrounds": info.foregrounds,
            "labels": info.labels,
        }

    @property
    def stored(self) -> Encode:
        """As the writer of the dataset stores them."""
        return self._dataset.writer.stored_as(self.encode)

    @property
    def assets(self) -> Mapping[str, AssetFiles]:
        """Copied from the input dataset."""
        return self._dataset.metadata.assets

    @property
    def licences(self) -> Mapping[str, Mapping[str, int]]:
        """Copied from the input dataset."""
        return self._dataset.metadata.licences

    @property
    def foreground_labels(self) -> tuple[str, ...]:
        """Copied from the input dataset."""
        return self._dataset.foreground_labels

    def check_shard(self, layout: Layout, shard: Shard) -> Statistics | None:
        """Check the files by their hashes; returns statistics if the shards have the same size."""
        records = Records(self._dataset.path)
        for number in range(shard.start // self.shard_size, -(-shard.stop // self.shard_size)):
            record = records.require(shard_name(shard.split, number))
            for problem in records.problems(record):
                raise DepthmaskError(
                    f"{self._dataset.path}: {problem}; "
                    f"`{command('verify', path_word(self._dataset.path), '--repair')}` repairs it"
                )
        if layout.shard_size != self.shard_size:
            return None
        with untrusted(f"{self._dataset.path}: {record.shard}"):
            return Statistics.from_sums(record.statistics)
