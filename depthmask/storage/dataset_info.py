"""`dataset.json`: the last file of a dataset, and the sign that it is complete."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, NotRequired, TypedDict

from depthmask.codec.pictures import MOST_PIXELS
from depthmask.contract import contract_as_json, contract_from_json
from depthmask.data import AssetFiles, DepthContract, LeftOut, Size
from depthmask.errors import DepthmaskError
from depthmask.plan.layout import shard_name
from depthmask.plan.numbering import Numbering
from depthmask.plan.shares import MILLION, NAMES
from depthmask.statistics.added import checked_summaries
from depthmask.storage.record import MOST_SAMPLES, Record, ShardFile, shard_file

SCHEMA = 2
"""1 had a single split and no variants."""
DERIVED = "derived"
"""The field with the files that a run wrote beside shards and records."""
LICENSED = ("backgrounds", "foregrounds")
"""The kinds of assets whose licences are counted."""
_FILE = "file"
"""The kind of most assets that are left out, which need not be said."""


@dataclass(frozen=True, slots=True)
class SplitInfo:
    """A split, with the number of its samples and assets. share: in millionths of all samples."""

    share: int
    samples: int
    backgrounds: int
    foregrounds: int


@dataclass(frozen=True, slots=True)
class Leakage:
    """The assets that splits have in common.

    assets: how many assets are in several splits. near_duplicates: how many pairs of assets that
    look alike are in different splits.
    """

    assets: int
    near_duplicates: int


@dataclass(frozen=True, slots=True)
class LabelOutputInfo:
    """A label of the samples.

    name: its key in `Sample.labels`. member: the member that carries it, None for values in the
    JSON of each layer. meaning: what the values mean.
    """

    name: str
    member: str | None
    meaning: str


@dataclass(frozen=True, slots=True)
class LabelInfo:
    """A label stage and its labels. settings: its settings, as JSON values.

    reads_depth: whether the labels depend on the sample's depth.
    """

    stage: str
    settings: Mapping[str, Any]
    reads_depth: bool
    outputs: tuple[LabelOutputInfo, ...]


def derived_in(data: Mapping[str, Any]) -> tuple[ShardFile, ...] | None:
    """The derived files that `dataset.json` lists; None if it lists none. Call in `untrusted`."""
    return tuple(map(shard_file, data[DERIVED])) if DERIVED in data else None


class DatasetFacts(TypedDict):
    """The fields of `DatasetInfo` about where the samples come from."""

    size: Size
    smallest: NotRequired[Size | None]
    named: NotRequired[bool]
    variants: int
    splits: Mapping[str, SplitInfo]
    leakage: Leakage
    backgrounds: int
    foregrounds: int
    labels: tuple[LabelInfo, ...]


@dataclass(frozen=True, slots=True)
class DatasetInfo:
    """The content of `dataset.json`.

    fingerprint: the hash of the plan (see `DatasetIdentity`). size: (height, width) of the images
    in pixels. variants: how many consecutive samples show one scene. backgrounds, foregrounds: how
    many assets of each kind are in use. bytes: the size of all shards. assets: the files of the
    assets, by kind. licences: how many assets have each licence, by kind. statistics: mean and std
    of each channel of image, mask and depth (see `Statistics.summary`). counts: how often samples
    were drawn again, or layers blended in a simpler way (see `Statistics`). versions: those of all
    software that determines the bytes. labels: the label stages, sorted by name. added_statistics:
    those of plugins, by name (see `Distribution.summary`); the shards that another run made may
    lack some. smallest: the size of the smallest image if sizes differ, `size` is then that of the
    largest; None if all have one size. named: whether the keys of samples are in their JSON, after
    the names of pictures; else they are numbers. foreground_labels: those of all foregrounds of
    the source, and of instances of its backgrounds, sorted; empty if they are not known. derived:
    the files that the run wrote beside shards and records, sorted by name; None if an earlier
    version made the dataset.
    """

    fingerprint: str
    samples: int
    size: Size
    variants: int
    splits: Mapping[str, SplitInfo]
    leakage: Leakage
    backgrounds: int
    foregrounds: int
    shards: int
    shard_size: int
    bytes: int
    assets: Mapping[str, AssetFiles]
    licences: Mapping[str, Mapping[str, int]]
    left_out: tuple[LeftOut, ...]
    contract: DepthContract | None
    statistics: Mapping[str, Mapping[str, list[float]]]
    counts: Mapping[str, int]
    versions: Mapping[str, str]
    manifest_sha256: str
    labels: tuple[LabelInfo, ...] = ()
    added_statistics: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    smallest: Size | None = None
    named: bool = False
    foreground_labels: tuple[str, ...] = ()
    derived: tuple[ShardFile, ...] | None = None

    @property
    def size_text(self) -> str:
        """The sizes of the images as text: `160x160`, or `300x400 to 3024x4032`."""
        sizes = [self.size] if self.smallest is None else [self.smallest, self.size]
        return " to ".join(f"{height}x{width}" for height, width in sizes)

    @property
    def numbering(self) -> Numbering:
        """The split of each sample."""
        shares = tuple((name, split.share) for name, split in self.splits.items())
        return Numbering(shares, self.variants)

    def shard_counts(self) -> dict[str, int]:
        """Return the number of shards in each split."""
        numbering = self.numbering
        return {
            name: -(-numbering.count(name, self.samples) // self.shard_size)
            for name in numbering.names
        }

    def shard_names(self) -> Iterator[str]:
        """The names of all shards, in the order of the manifest."""
        for split, count in self.shard_counts().items():
            for number in range(count):
                yield shard_name(split, number)

    @property
    def picture_sizes(self) -> tuple[Size, ...]:
        """(height, width) of images and masks, and of depth maps if there are any."""
        return (self.size, self.contract.resolution) if self.contract else (self.size,)

    @property
    def most_pixels(self) -> int:
        """The number of pixels of the largest picture or depth map."""
        return max(height * width for height, width in self.picture_sizes)

    def unlicensed(self, kind: str) -> int:
        """Return how many `backgrounds` or `foregrounds` have no licence."""
        assets = self.backgrounds if kind == "backgrounds" else self.foregrounds
        return assets - sum(self.licences[kind].values())

    def as_json(self) -> dict[str, Any]:
        """Return plain data for the JSON file."""
        labels = {"labels": [asdict(label) for label in self.labels]} if self.labels else {}
        added = dict(self.added_statistics)
        foreground_labels = list(self.foreground_labels)
        smallest = {} if self.smallest is None else {"smallest": list(self.smallest)}
        return {
            "schema": SCHEMA,
            "fingerprint": self.fingerprint,
            "samples": self.samples,
            "size": list(self.size),
            **smallest,
            **({"named": True} if self.named else {}),
            "variants": self.variants,
            "splits": {name: asdict(split) for name, split in self.splits.items()},
            "leakage": asdict(self.leakage),
            "backgrounds": self.backgrounds,
            "foregrounds": self.foregrounds,
            **({"foreground_labels": foreground_labels} if foreground_labels else {}),
            "shards": self.shards,
            "shard_size": self.shard_size,
            "bytes": self.bytes,
            "assets": {
                kind: {"files": files.count, "bytes": files.bytes}
                for kind, files in self.assets.items()
            },
            "licences": {kind: dict(self.licences[kind]) for kind in LICENSED},
            "left_out": [
                {"file": asset.file, "reason": asset.reason}
                | ({"files": asset.files} if asset.files != 1 else {})
                | ({"kind": asset.kind} if asset.kind != _FILE else {})
                for asset in self.left_out
            ],
            "depth": contract_as_json(self.contract),
            "statistics": {
                name: {moment: list(values) for moment, values in moments.items()}
                for name, moments in self.statistics.items()
            },
            "counts": dict(self.counts),
            "versions": dict(self.versions),
            "manifest_sha256": self.manifest_sha256,
            **labels,
            **({"added_statistics": added} if added else {}),
            **({} if self.derived is None else {DERIVED: [one.as_json() for one in self.derived]}),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> DatasetInfo:
        """Read the result of `as_json`; raises for content that no run can have written.

        Call in `untrusted`: the checksum says that the file is whole, not who wrote it.
        """
        if data["schema"] != SCHEMA:
            raise DepthmaskError(f"schema {data['schema']!r}; this version reads {SCHEMA}")
        height, width = data["size"]
        licences = data.get("licences", {})
        info = cls(
            fingerprint=_text(data["fingerprint"]),
            samples=_positive(data["samples"]),
            size=(_positive(height), _positive(width)),
            smallest=_smallest(data.get("smallest")),
            named=data.get("named") is True,
            variants=_positive(data["variants"]),
            splits=_splits(data["splits"]),
            leakage=Leakage(**{name: _count(one) for name, one in data["leakage"].items()}),
            backgrounds=_count(data["backgrounds"]),
            foregrounds=_count(data["foregrounds"]),
            foreground_labels=tuple(map(_text, data.get("foreground_labels", ()))),
            shards=_positive(data["shards"]),
            shard_size=_positive(data["shard_size"]),
            bytes=_positive(data["bytes"]),
            # `assets`, `licences` and `counts` are missing in the first datasets of this schema.
            assets={
                kind: AssetFiles(_count(files["files"]), _count(files["bytes"]))
                for kind, files in data.get("assets", {}).items()
            },
            licences={kind: _counts(licences.get(kind, {})) for kind in LICENSED},
            left_out=tuple(
                LeftOut(
                    _text(asset["file"]),
                    _text(asset["reason"]),
                    files=_positive(asset.get("files", 1)),
                    kind=_text(asset.get("kind", _FILE)),
                )
                for asset in data["left_out"]
            ),
            contract=contract_from_json(data["depth"]),
            statistics={
                name: {moment: _numbers(values) for moment, values in moments.items()}
                for name, moments in data["statistics"].items()
            },
            counts=_counts(data.get("counts", {})),
            versions=dict(data["versions"]),
            manifest_sha256=_text(data["manifest_sha256"]),
            labels=tuple(map(_label, data.get("labels", ()))),
            added_statistics=checked_summaries(data.get("added_statistics", {})),
            derived=derived_in(data),
        )
        _check_plausible(info)
        return info


def _smallest(size: Any) -> Size | None:
    if size is None:
        return None
    height, width = size
    return _positive(height), _positive(width)


def _splits(data: Mapping[str, Any]) -> dict[str, SplitInfo]:
    """Read the splits, whose shares must make a million."""
    for name in data:
        if name not in NAMES:
            raise DepthmaskError(f"split {name!r}; expected {', '.join(NAMES)}")
    splits = {
        name: SplitInfo(
            _positive(split["share"]),
            _count(split["samples"]),
            _count(split["backgrounds"]),
            _count(split["foregrounds"]),
        )
        for name, split in data.items()
    }
    shares = sum(split.share for split in splits.values())
    if shares != MILLION:
        raise DepthmaskError(f"the shares of its splits make {shares:,} millionths")
    return splits


def _label(data: Mapping[str, Any]) -> LabelInfo:
    return LabelInfo(
        stage=_text(data["stage"]),
        settings=dict(data["settings"]),
        reads_depth=data["reads_depth"] is True,
        outputs=tuple(
            LabelOutputInfo(
                _text(output["name"]),
                None if output["member"] is None else _text(output["member"]),
                _text(output["meaning"]),
            )
            for output in data["outputs"]
        ),
    )


def _check_plausible(info: DatasetInfo) -> None:
    """Raise for numbers that do not fit together, before memory is allocated by them."""
    too_many = max(info.samples, info.variants) > MOST_SAMPLES
    if too_many or info.shards != sum(info.shard_counts().values()):
        raise DepthmaskError(
            f"{info.samples:,} samples in {info.shards:,} shards of {info.shard_size:,}"
        )
    for height, width in info.picture_sizes:
        if not 0 < height * width <= MOST_PIXELS:
            raise DepthmaskError(f"pictures of {height}x{width}")


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise DepthmaskError(f"{value!r} is not a count")
    return value


def _positive(value: Any) -> int:
    if not _count(value):
        raise DepthmaskError("0 where at least 1 is expected")
    return int(value)


def _counts(data: Mapping[str, Any]) -> dict[str, int]:
    return {name: _count(count) for name, count in data.items()}


def _numbers(values: Any) -> list[float]:
    if not all(type(value) in (int, float) for value in values):
        raise DepthmaskError("statistics that are not numbers")
    return list(values)


def _text(value: Any) -> str:
    if type(value) is not str:
        raise DepthmaskError(f"{value!r} is not a text")
    return value


def manifest_lines(files: Iterable[ShardFile]) -> bytes:
    """Return the text that a manifest hashes: a line with hash and name for each file."""
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
