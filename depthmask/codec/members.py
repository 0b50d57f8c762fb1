"""The members of a sample: the files that hold it, and what each of them carries."""

from __future__ import annotations

from dataclasses import dataclass

from depthmask.data import Encoded


@dataclass(frozen=True, slots=True)
class Member:
    """One file of a sample.

    name: what follows the key in the file's name, as in `000000777.mask.png`. carries: the field of
    `Sample` that the file holds: `image`, `mask`, `instances`, `depth` or `meta`.
    """

    name: str
    carries: str

    @property
    def suffix(self) -> str:
        """The file format, as the end of the name says it: `png`."""
        return self.name.rpartition(".")[2]


JPG = Member("jpg", "image")
PNG = Member("png", "image")
MASK_PNG = Member("mask.png", "mask")
MASK_JPG = Member("mask.jpg", "mask")
INSTANCES_PNG = Member("instances.png", "instances")
DEPTH_PNG = Member("depth.png", "depth")
DEPTH_NPZ = Member("depth.npz", "depth")
JSON = Member("json", "meta")

MEMBERS = {
    member.name: member
    for member in (JPG, PNG, MASK_PNG, MASK_JPG, INSTANCES_PNG, DEPTH_PNG, DEPTH_NPZ, JSON)
}
"""All members by name, in the order in which they are written."""

DEPTH_ARRAYS = frozenset({"depth", "depth_planes"})
"""The arrays of `Encoded` that carry depth: as numbers, or as planes (see `codec.planes`)."""


def names_of(carries: str) -> tuple[str, ...]:
    """The names of the members that can carry a field of a sample."""
    return tuple(name for name, member in MEMBERS.items() if member.carries == carries)


def has_depth(encoded: Encoded) -> bool:
    """Whether a sample has a depth map, as a member or as an array."""
    return any(name in encoded.members for name in _DEPTH_MEMBERS) or any(
        name in encoded.arrays for name in DEPTH_ARRAYS
    )


def without_depth(encoded: Encoded) -> Encoded:
    """The sample without its depth map."""
    return Encoded(
        encoded.key,
        {name: data for name, data in encoded.members.items() if name not in _DEPTH_MEMBERS},
        {name: array for name, array in encoded.arrays.items() if name not in DEPTH_ARRAYS},
    )


_DEPTH_MEMBERS = names_of("depth")
