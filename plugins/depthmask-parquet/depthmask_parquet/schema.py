"""Which member of a sample becomes which column, and what Hugging Face `datasets` is told of it.

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
"""Member -> column with an Image."""
ARRAYS = ("depth", "depth_planes")
"""Arrays of a sample that stand for its member `depth.npz`."""
MEMBERS = b"depthmask"
"""Where the schema's metadata says which member each column of images holds."""


def schema(sample: Encoded) -> Schema:
    """The columns for samples like this one: `key`, images, arrays and `json`."""
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
    told = {b"huggingface": json.dumps({"info": {"features": features}}).encode()}
    return pa.schema(fields, metadata={**told, MEMBERS: json.dumps(members).encode()})


def members_of(columns: Schema) -> dict[str, str]:
    """Column of images -> the member that it holds; {} if the file is not ours."""
    told = json.loads((columns.metadata or {}).get(MEMBERS, b"{}"))
    return {column: name for column, name in told.items() if IMAGES.get(name) == column}


def arrays(sample: Encoded) -> list[str]:
    """Names of the arrays that are kept as such."""
    if "depth.npz" not in sample.members:
        return []
    return [name for name in ARRAYS if name in sample.arrays]
