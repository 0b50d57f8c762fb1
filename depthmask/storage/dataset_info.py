"""`dataset.json`: the last file of a dataset, and the sign that it is complete."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

from depthmask.codec.sample import MOST_PIXELS
from depthmask.contract import contract_as_json, contract_from_json
from depthmask.engine.job import Job
from depthmask.errors import DepthmaskError
from depthmask.plan.layout import shard_name
from depthmask.plan.numbering import Numbering
from depthmask.plan.shares import MILLION, NAMES
from depthmask.stages.source.base import AssetCatalogue
from depthmask.statistics import Statistics
from depthmask.storage.identity import DatasetIdentity
from depthmask.storage.record import MOST_SAMPLES, Record, ShardFile

SCHEMA = 2
"""1 had a single split and no variants."""


def check_summary(info: dict[str, Any]) -> None:
    """Raise unless the content of a `dataset.json` is what `summarise` gives; call in `untrusted`.

    Its checksum says that it is whole, not that we wrote it.
    """
    if info["schema"] != SCHEMA:
        raise DepthmaskError(f"schema {info['schema']!r}, this version reads {SCHEMA}")
    samples, shard_size, shards = (info[key] for key in ("samples", "shard_size", "shards"))
    shares = [split["share"] for split in info["splits"].values()]
    counts = (samples, shard_size, shards, info["bytes"], info["variants"], *info["size"], *shares)
    if not all(type(count) is int and count > 0 for count in counts):
        raise DepthmaskError("a number in it is none")
    if len(shares) > len(NAMES) or sum(shares) != MILLION or info["variants"] > MOST_SAMPLES:
        raise DepthmaskError("its splits cannot be right")
    if samples > MOST_SAMPLES or shards != sum(shard_counts(info).values()):
        raise DepthmaskError(f"{samples:,} samples in {shards:,} shards of {shard_size:,}")
    contract = contract_from_json(info["depth"])
    for height, width in [info["size"], *([contract.resolution] if contract else [])]:
        if not 0 < height * width <= MOST_PIXELS:
            raise DepthmaskError(f"pictures of {height}x{width}")
    counted = [item for given in info.get("licences", {}).values() for item in given.items()]
    if not all(type(text) is str and type(count) is int for text, count in counted):
        raise DepthmaskError("its licences cannot be right")
    if not set(NAMES).issuperset(info["splits"]) or not isinstance(info["statistics"], dict):
        raise DepthmaskError("its splits or its statistics cannot be right")


def numbering(info: dict[str, Any]) -> Numbering:
    """Which sample of the dataset is in which split."""
    shares = tuple((name, split["share"]) for name, split in info["splits"].items())
    return Numbering(shares, info["variants"])


def shard_counts(info: dict[str, Any]) -> dict[str, int]:
    """How many shards each split has."""
    numbers = numbering(info)
    return {
        name: -(-numbers.count(name, info["samples"]) // info["shard_size"])
        for name in numbers.names
    }


def shard_names(info: dict[str, Any]) -> Iterator[str]:
    """Of all shards, in the order of the manifest."""
    for split, count in shard_counts(info).items():
        for number in range(count):
            yield shard_name(split, number)


class Manifest:
    """One sha256 over the names and hashes of all files, in the order of the shards."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, files: Iterable[ShardFile]) -> None:
        """Append the files of a shard."""
        for file in files:
            self._hash.update(f"{file.sha256} {file.name}\n".encode())

    @property
    def sha256(self) -> str:
        """Of all that was added."""
        return self._hash.hexdigest()


def manifest_hash(records: Iterable[Record]) -> str:
    """The manifest's hash over these records."""
    manifest = Manifest()
    for record in records:
        manifest.add(record.files)
    return manifest.sha256


def summarise(
    job: Job,
    records: Iterable[Record],
    wanted: DatasetIdentity,
    checked: AssetCatalogue,
) -> dict[str, Any]:
    """Totals, exact statistics, the depth contract, and one hash over all files.

    records: in the order of the shards; each is looked at once and not kept. wanted: what the
    dataset was claimed for. checked: what was found when the assets were looked at.
    """
    statistics, manifest, size = Statistics(), Manifest(), 0
    for record in records:
        statistics.merge(Statistics.from_sums(record.statistics))
        manifest.add(record.files)
        size += record.bytes
    return {
        "schema": SCHEMA,
        "fingerprint": wanted.fingerprint,
        "samples": job.plan.samples,
        **job.described(wanted),
        "shards": job.plan.shard_count(),
        "shard_size": job.plan.shard_size,
        "bytes": size,
        "assets": {
            kind: {"files": files.count, "bytes": files.bytes}
            for kind, files in checked.files.items()
        },
        "licences": {
            kind: dict(checked.licences.get(kind, {})) for kind in ("backgrounds", "foregrounds")
        },
        "left_out": [{"file": one.file, "reason": one.reason} for one in checked.left_out],
        "depth": contract_as_json(job.contract),
        "statistics": statistics.summary(),
        "counts": dict(statistics.counts),
        "versions": wanted.description["versions"],
        "manifest_sha256": manifest.sha256,
    }
