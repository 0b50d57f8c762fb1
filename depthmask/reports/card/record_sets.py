"""Describes the files and record sets of a dataset in Croissant 1.1 for `mlcroissant` 1.1.

`mlcroissant` joins at most two file sets, and keeps the content of one of them
(https://github.com/mlcommons/croissant/issues/683). So where members are files, each member has its
own record set with the sample's key; Parquet has one record set with all columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from depthmask.codec.members import DEPTH_PNG, INSTANCES_PNG, JSON, is_label, member_of
from depthmask.reports.card.facts import CardFacts
from depthmask.stages.writer.base import ShardKind
from depthmask.storage.record import ShardFile

_FORMATS = {
    "tar": "application/x-tar",
    "zip": "application/zip",
    "parquet": "application/x-parquet",
    # npz has no registered media type; this page describes the format.
    "npz": "https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html",
    "jpg": "image/jpeg",
    "png": "image/png",
    "json": "application/json",
}
"""Suffix of a file -> its encoding format in Croissant."""
_PICTURES, _TEXTS = ("jpg", "png"), ("json",)
"""Suffixes of members with a record set; Croissant cannot describe an npz file within a shard."""
_SIXTEEN_BITS = {INSTANCES_PNG.name, DEPTH_PNG.name}
"""Members that may have 16 bits; so may the pictures of labels."""
_MEANINGS = {
    "key": "the sample's number",
    "split": "the split",
    "index": "the sample's number",
    "background": "key of the background",
    "image": "the composite, RGB",
    "mask": "soft alpha of all foregrounds, 0..255",
    "instances": "number of the foreground or annotated instance at each pixel, 0 = none",
    "depth": "depth in the unit of the contract in dataset.json, whose `invalid` is no depth",
    DEPTH_PNG.name: "depth in millimetres, 0 = invalid",
    "depth_planes": "depth in millimetres as byte planes, see depthmask.codec.planes",
    "json": "background, foregrounds with their boxes, camera, as JSON",
}
_TEXT = "sc:Text"
_NUMBERS = {"float32": "cr:Float32", "float16": "cr:Float16", "uint8": "cr:UInt8"}

Node: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Structure:
    """A dataset in Croissant: its files, and the record sets over them.

    note: what Croissant cannot describe or `mlcroissant` cannot read; empty if it can do all.
    """

    distribution: list[Node]
    record_sets: list[Node]
    note: str = ""


def structure_of(facts: CardFacts) -> Structure:
    """The files and record sets of a dataset."""
    if facts.is_parquet:
        return _of_parquet(facts)
    if facts.info.named:
        # Its patterns for the files of a member would match those of others.
        return _of_shards(facts)
    if facts.shard_kind is ShardKind.files:
        return _of_folders(facts)
    if facts.shard_kind is ShardKind.archive and facts.files is not None:
        return _of_archives(facts, facts.files)
    return _of_shards(facts)


def _of_archives(facts: CardFacts, files: Sequence[ShardFile]) -> Structure:
    structure = Structure([_file_object(file) for file in files], [])
    for split in facts.splits:
        shards = [{"@id": file.name} for file in files if file.name.startswith(f"{split}-")]
        for member in facts.sample.members:
            file_set = _file_set(f"{split}-{member}", member, facts.names(member))
            structure.distribution.append(file_set | {"containedIn": shards})
            if _has_field(member):
                structure.record_sets.append(_contents(facts, split, member, file_set))
    return structure


def _of_folders(facts: CardFacts) -> Structure:
    sixteen_bit = {name for name in facts.sample.members if _may_have_16_bits(name)}
    note = "Pictures of 16 bits have no record set: mlcroissant 1.1 reduces them to 8 bits."
    structure = Structure([], [], note if sixteen_bit else "")
    for split in facts.splits:
        for member in facts.sample.members:
            names = [f"shards/{split}-*/{name}" for name in facts.names(member)]
            file_set = _file_set(f"{split}-{member}", member, names)
            structure.distribution.append(file_set)
            if member == JSON.name:
                # `mlcroissant` parses JSON files in folders, but returns those in archives as text.
                structure.record_sets.append(_labels(split, file_set))
            elif _has_field(member) and member not in sixteen_bit:
                structure.record_sets.append(_contents(facts, split, member, file_set))
    return structure


def _of_parquet(facts: CardFacts) -> Structure:
    structure = Structure([], [])
    for split in facts.splits:
        file_set = _shards(facts, split)
        columns = [_field(split, "key", _TEXT, file_set, column="key")]
        for member in filter(_has_field, facts.sample.members):
            name, kind = _field_name(member), _kind(member)
            text = _meaning(facts, member)
            columns.append(_field(split, name, kind, file_set, text, column=name))
            if kind != _TEXT:
                # Hugging Face `datasets` stores an image as {"bytes": ..., "path": ...}.
                columns[-1]["source"]["transform"] = {"jsonPath": "bytes"}
        for name, array in facts.sample.arrays.items():
            kind = _NUMBERS[array.dtype.name]
            shape = ",".join(map(str, array.shape))
            column = _field(split, name, kind, file_set, column=name)
            columns.append(column | {"isArray": True, "arrayShape": shape})
        structure.distribution.append(file_set)
        structure.record_sets.append(_record_set(split, split, columns))
    return structure


def _of_shards(facts: CardFacts) -> Structure:
    """Only the shard files: each with its hash if there are few, otherwise by a pattern."""
    note = "Croissant cannot describe the layout of samples in these files."
    if facts.info.named:
        note = "Croissant cannot tell members apart by names that are no numbers."
    elif facts.shard_kind is ShardKind.archive:
        note = "Croissant can read archives only if each is listed; there are too many here."
    if facts.files is not None:
        return Structure([_file_object(file) for file in facts.files], [], note)
    return Structure([_shards(facts, split) for split in facts.splits], [], note)


def _shards(facts: CardFacts, split: str) -> Node:
    return _file_set(f"{split}-shards", facts.suffix, [f"shards/{split}-*.{facts.suffix}"])


def _has_field(member: str) -> bool:
    """Whether the content of a member is a field, of a picture or a text."""
    return member_of(member).suffix in (*_PICTURES, *_TEXTS)


def _may_have_16_bits(member: str) -> bool:
    is_grey_label = is_label(member_of(member)) and member.endswith(".png")
    return is_grey_label or member in _SIXTEEN_BITS


def _field_name(member: str) -> str:
    """The name of the Croissant field with the content of a member."""
    return "json" if member == JSON.name else member_of(member).carries


def _kind(member: str) -> str:
    return _TEXT if member_of(member).suffix in _TEXTS else "sc:ImageObject"


def _meaning(facts: CardFacts, member: str) -> str:
    """What the field of a member means: a label as its stage describes it."""
    name = _field_name(member)
    known = _MEANINGS.get(member) or _MEANINGS.get(name)
    if known:
        return known
    outputs = (output for label in facts.info.labels for output in label.outputs)
    return next((one.meaning for one in outputs if one.name == name), f"the label {name}")


def _contents(facts: CardFacts, split: str, member: str, file_set: Node) -> Node:
    """A record set with the key and the content of each file of a member."""
    name = _field_name(member)
    record_set = f"{split}/{name}"
    key = _field(record_set, "key", _TEXT, file_set, fileProperty="filename")
    key["source"]["transform"] = {"regex": r"^(\d+)\."}
    text = _meaning(facts, member)
    content = _field(record_set, name, _kind(member), file_set, text, fileProperty="content")
    return _record_set(record_set, split, [key, content])


def _labels(split: str, file_set: Node) -> Node:
    """A record set with the scalar values of each JSON file; lists have no fields."""
    record_set = f"{split}/json"
    kinds = {"key": _TEXT, "index": "sc:Integer", "background": _TEXT}
    fields = [
        _field(record_set, name, kind, file_set, jsonPath=f"$.{name}")
        for name, kind in kinds.items()
    ]
    return _record_set(record_set, split, fields)


def _file_object(file: ShardFile) -> Node:
    return {
        "@type": "cr:FileObject",
        "@id": file.name,
        "name": file.name,
        "contentUrl": f"shards/{file.name}",
        "contentSize": f"{file.bytes} B",
        "encodingFormat": _format(file.name),
        "sha256": file.sha256,
    }


def _file_set(name: str, file_name: str, includes: list[str]) -> Node:
    return {
        "@type": "cr:FileSet",
        "@id": name,
        "name": name,
        "encodingFormat": _format(file_name),
        "includes": includes,
    }


def _format(name: str) -> str:
    return _FORMATS.get(name.rpartition(".")[2], "application/octet-stream")


def _field(
    record_set: str, name: str, kind: str, file_set: Node, meaning: str = "", **extract: str
) -> Node:
    return {
        "@type": "cr:Field",
        "@id": f"{record_set}/{name}",
        "name": name,
        "description": meaning or _MEANINGS[name],
        "dataType": kind,
        "source": {"fileSet": {"@id": file_set["@id"]}, "extract": extract},
    }


def _record_set(name: str, split: str, fields: list[Node]) -> Node:
    """A record set, with the name of the split as a constant field."""
    constant = {
        "@type": "cr:Field",
        "@id": f"{name}/split",
        "name": "split",
        "description": _MEANINGS["split"],
        "dataType": _TEXT,
        "value": split,
    }
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "key": {"@id": f"{name}/key"},
        "field": [*fields, constant],
    }
