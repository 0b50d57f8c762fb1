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


def manifest_lines(files: Iterable[ShardFile]) -> bytes:
    """The hash and the name of each file, a line for each: what the manifest is hashed from."""
    return "".join(f"{file.sha256} {file.name}\n" for file in files).encode()


class Manifest:
    """One sha256 over the names and hashes of all files, in the order of the shards."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, files: Iterable[ShardFile]) -> None:
        """Append the files of a shard."""
        self._hash.update(manifest_lines(files))

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
