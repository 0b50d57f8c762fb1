"""The columns for the members of a sample, and their features for Hugging Face `datasets`.

`datasets` keeps its features as JSON in the metadata of the Arrow schema, under `huggingface`
(`Features.arrow_schema` of https://github.com/huggingface/datasets, features/features.py): a file
that has them needs no `features=` when it is loaded.
"""

from __future__ import annotations

import json
from typing import Any, TypeAlias

from depthmask import Encoded

Schema: TypeAlias = Any
"""pyarrow.Schema; it has no types."""

IMAGES = {
    "jpg": "image",
    "png": "image",
    "mask.png": "mask",
    "mask.jpg": "mask",
    "instances.png": "instances",
    "depth.png": "depth",
}
"""Member -> column of images."""
ARRAYS = ("depth", "depth_planes")
"""Arrays of a sample that replace its member `depth.npz`."""
MEMBERS = b"depthmask"
"""Key of the schema's metadata for the member of each column of images, and of each label."""
_NO_LABELS = ("json", "depth.npz", *IMAGES)
_TAKEN = {"key", "json", *IMAGES.values(), *ARRAYS}
"""Names of columns that labels cannot have."""


def schema(sample: Encoded) -> Schema:
    """The columns for samples like `sample`: `key`, images, arrays, `json` and labels.

    Labels are Image features or texts, or binary in formats that `datasets` does not know.
    """
    import pyarrow as pa

    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    fields: list[tuple[str, Any]] = [("key", pa.string())]
    features: dict[str, Any] = {"key": {"dtype": "string", "_type": "Value"}}
    members = {column: name for name, column in IMAGES.items() if name in sample.members}
    for column in members:
        fields.append((column, image))
        features[column] = {"_type": "Image"}
    for name in arrays(sample):
        array = sample.arrays[name]
        kind = pa.from_numpy_dtype(array.dtype)
        for _ in array.shape:
            kind = pa.list_(kind)
        fields.append((name, kind))
        features[name] = {
            "shape": list(array.shape),
            "dtype": array.dtype.name,
            "_type": f"Array{array.ndim}D",
        }
    fields.append(("json", pa.string()))
    features["json"] = {"dtype": "string", "_type": "Value"}
    for name in sorted(set(sample.members).difference(_NO_LABELS)):
        column = column_of(name)
        members[column] = name
        if name.endswith(".png"):
            fields.append((column, image))
            features[column] = {"_type": "Image"}
        else:
            dtype = "string" if name.endswith(".json") else "binary"
            fields.append((column, pa.string() if dtype == "string" else pa.binary()))
            features[column] = {"dtype": dtype, "_type": "Value"}
    metadata = {b"huggingface": json.dumps({"info": {"features": features}}).encode()}
    return pa.schema(fields, metadata={**metadata, MEMBERS: json.dumps(members).encode()})


def members_of(columns: Schema) -> dict[str, str]:
    """Column of images or of a label -> its member; {} for files of other programs."""
    members = json.loads((columns.metadata or {}).get(MEMBERS, b"{}"))
    return {column: name for column, name in members.items() if column_of(name) == column}


def column_of(member: str) -> str:
    """The column of a member: that of the table, or the name of the label that it carries."""
    if member in IMAGES:
        return IMAGES[member]
    stem, _, suffix = member.rpartition(".")
    return stem if suffix in ("png", "json") and stem and stem not in _TAKEN else member


def arrays(sample: Encoded) -> list[str]:
    """The names of the arrays to store as columns."""
    if "depth.npz" not in sample.members:
        return []
    return [name for name in ARRAYS if name in sample.arrays]
