"""The members of a sample: the files that hold it, and what each of them carries.

Eight members have fixed names. Every other member carries a label, which is named by the file:
`edges.png` carries the label `edges`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from depthmask.data import Encoded


@dataclass(frozen=True, slots=True)
class Member:
    """One file of a sample.

    name: what follows the key in the file's name, as in `000000777.mask.png`. carries: the field of
    `Sample` that the file holds, `image`, `mask`, `depth` or `meta`, or the name of a label.
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
"""The members with fixed names, in the order in which they are written."""

LABEL_SUFFIXES = ("png", "npz", "json")
"""The file formats of labels; the values of files in other formats are their bytes."""
RESERVED = frozenset(
    {
        *("key", "index", "split", "background", "image", "mask", "valid"),
        *("depth", "depth_planes", "meta", "json", "labels"),
    }
)
"""Names that labels cannot have, since they mean something else in a sample or in a table."""

DEPTH_ARRAYS = frozenset({"depth", "depth_planes"})
"""The arrays of `Encoded` that carry depth: as numbers, or as planes (see `codec.planes`)."""


def member_of(name: str) -> Member:
    """The member of this name; one without a fixed name carries a label."""
    known = MEMBERS.get(name)
    if known is not None:
        return known
    stem, _, suffix = name.rpartition(".")
    is_label = suffix in LABEL_SUFFIXES and stem and stem not in RESERVED
    return Member(name, stem if is_label else name)


def is_label(member: Member) -> bool:
    """Whether the member carries a label; the map of instances is one with a fixed name."""
    return member.name not in MEMBERS or member is INSTANCES_PNG


def in_order(members: Mapping[str, bytes]) -> dict[str, bytes]:
    """The members in the order in which they are written: labels by name, before the JSON."""
    labels = sorted(name for name in members if name not in MEMBERS)
    names = [*MEMBERS]
    names[-1:-1] = labels
    return {name: members[name] for name in names if name in members}


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
