"""A dataset of ours as the origin of another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from depthmask.config.build import from_plain
from depthmask.config.root import Root
from depthmask.data import AssetFiles, Encoded
from depthmask.engine.inputs.base import JobInput
from depthmask.errors import DepthmaskError
from depthmask.plan.layout import Layout, Shard, shard_name
from depthmask.reading.dataset import Dataset
from depthmask.reading.dataset import open as open_dataset
from depthmask.statistics import Statistics
from depthmask.storage.dataset_info import manifest_hash, numbering
from depthmask.storage.location import location
from depthmask.storage.publish import require_sealed
from depthmask.storage.records import Records
from depthmask.untrusted import untrusted

_DESCRIBED = ("size", "variants", "splits", "leakage", "backgrounds", "foregrounds")


class DatasetInput(JobInput):
    """A finished dataset, read shard by shard, each hashed before it is believed.

    root, job, inputs: of the run that made it, by its `plan.json`.
    """

    def __init__(self, path: str) -> None:
        self._dataset: Dataset = open_dataset(path)
        info = self._dataset.info
        self.paths = (str(location(path)),)
        self.samples, self.shard_size = len(self._dataset), info["shard_size"]
        self.size = (info["size"][0], info["size"][1])
        self.contract = self._dataset.contract
        self.numbering = numbering(info)
        self.sample_bytes = -(-info["bytes"] // self.samples)
        plan = require_sealed(self._dataset.path / "plan.json")
        with untrusted(str(self._dataset.path / "plan.json")):
            self.root: Root = from_plain(plan["config"])
            self.job, self.inputs = str(plan["job"]), plan.get("inputs")
        self.encode = self.root.encode
        self.sha256 = manifest_hash(self._dataset.records())
        if self.sha256 != info["manifest_sha256"]:
            raise DepthmaskError(
                f"{path}: its records are not those that dataset.json was made from; "
                f"`python -m depthmask verify {path} --repair` mends it"
            )

    def read(self, index: int) -> Encoded:
        """As its writer reads it."""
        return self._dataset.encoded(index)

    def described(self) -> dict[str, Any]:
        """The same."""
        return {key: self._dataset.info[key] for key in _DESCRIBED}

    @property
    def assets(self) -> Mapping[str, AssetFiles]:
        """The same."""
        files = self._dataset.info.get("assets", {})
        return {kind: AssetFiles(one["files"], one["bytes"]) for kind, one in files.items()}

    @property
    def licences(self) -> Mapping[str, Mapping[str, int]]:
        """The same."""
        return dict(self._dataset.info.get("licences", {}))

    def begin(self, layout: Layout, shard: Shard) -> Statistics | None:
        """Hash the files; statistics are known where the shards are the same ones."""
        records = Records(self._dataset.path)
        for number in range(shard.start // self.shard_size, -(-shard.stop // self.shard_size)):
            record = records.require(shard_name(shard.split, number))
            for problem in records.problems(record):
                raise DepthmaskError(
                    f"{self._dataset.path}: {problem}; "
                    f"`python -m depthmask verify {self._dataset.path} --repair` makes it again"
                )
        if layout.shard_size != self.shard_size:
            return None
        with untrusted(f"{self._dataset.path}: {record.shard}"):
            return Statistics.from_sums(record.statistics)
