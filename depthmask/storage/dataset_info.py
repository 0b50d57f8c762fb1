"""`dataset.json`: the last file of a dataset, and the sign that it is complete."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

from depthmask.codec.sample import MOST_PIXELS
from depthmask.contract import contract_from_json
from depthmask.errors import DepthmaskError
from depthmask.plan.layout import shard_name
from depthmask.plan.numbering import Numbering
from depthmask.plan.shares import MILLION, NAMES
from depthmask.storage.record import MOST_SAMPLES, Record, ShardFile

SCHEMA = 2
"""Version of `dataset.json`; version 1 had a single split and no variants."""


def check_summary(info: dict[str, Any]) -> None:
    """Raise unless a `dataset.json` has what a run writes; call it in `untrusted`.

    Its checksum shows that it is whole, not that depthmask wrote it.
    """
    if info["schema"] != SCHEMA:
        raise DepthmaskError(f"schema {info['schema']!r}, this version reads {SCHEMA}")
    samples, shard_size, shards = (info[key] for key in ("samples", "shard_size", "shards"))
    shares = [split["share"] for split in info["splits"].values()]
    counts = (samples, shard_size, shards, info["bytes"], info["variants"], *info["size"], *shares)
    if not all(type(count) is int and count > 0 for count in counts):
        raise DepthmaskError("a count is not a positive integer")
    if len(shares) > len(NAMES) or sum(shares) != MILLION or info["variants"] > MOST_SAMPLES:
        raise DepthmaskError("its splits are not valid")
    if samples > MOST_SAMPLES or shards != sum(shard_counts(info).values()):
        raise DepthmaskError(f"{samples:,} samples in {shards:,} shards of {shard_size:,}")
    contract = contract_from_json(info["depth"])
    for height, width in [info["size"], *([contract.resolution] if contract else [])]:
        if not 0 < height * width <= MOST_PIXELS:
            raise DepthmaskError(f"images of {height}x{width}")
    counted = [item for licences in info.get("licences", {}).values() for item in licences.items()]
    if not all(type(text) is str and type(count) is int for text, count in counted):
        raise DepthmaskError("its licences are not valid")
    if not set(NAMES).issuperset(info["splits"]) or not isinstance(info["statistics"], dict):
        raise DepthmaskError("its splits or its statistics are not valid")


def numbering(info: dict[str, Any]) -> Numbering:
    """Return which sample of the dataset is in which split."""
    shares = tuple((name, split["share"]) for name, split in info["splits"].items())
    return Numbering(shares, info["variants"])


def shard_counts(info: dict[str, Any]) -> dict[str, int]:
    """Return the number of shards of each split."""
    numbers = numbering(info)
    return {
        name: -(-numbers.count(name, info["samples"]) // info["shard_size"])
        for name in numbers.names
    }


def shard_names(info: dict[str, Any]) -> Iterator[str]:
    """Yield the names of all shards, in the order of the manifest."""
    for split, count in shard_counts(info).items():
        for number in range(count):
            yield shard_name(split, number)


def manifest_lines(files: Iterable[ShardFile]) -> bytes:
    """Return what the manifest hashes: a line with hash and name for each file."""
    return "".join(f"{file.sha256} {file.name}\n" for file in files).encode()


class Manifest:
    """Computes one sha256 over the names and hashes of all files, in the order of the shards."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, files: Iterable[ShardFile]) -> None:
        """Add the files of the next shard."""
        self._hash.update(manifest_lines(files))

    @property
    def sha256(self) -> str:
        """The hash over all files so far."""
        return self._hash.hexdigest()


def manifest_hash(records: Iterable[Record]) -> str:
    """Return the hash over the files of these records."""
    manifest = Manifest()
    for record in records:
        manifest.add(record.files)
    return manifest.sha256
