"""Chooses the instances to use: by category, size, border and crowd; counts the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import Enum

from depthmask import Size

from depthmask_coco._instances import Instance

_AT_BORDER_PX = 2
"""An object that comes as near to the border of its photograph is most likely cut off by it."""
CROWD = "a crowd of objects; source.crowd=true uses it"


class Photographs(Enum):
    """Which photographs are backgrounds, by whether they show the chosen categories."""

    any = "any"
    without = "without"
    only = "only"


class OwnInstances(Enum):
    """Where the instances are that a background shows by itself."""

    none = "none"
    labels = "labels"
    mask = "mask"


@dataclass(frozen=True, slots=True)
class Choice:
    """The settings. categories: all if empty. least_area: in pixels of the photograph."""

    categories: Collection[str]
    least_area: int
    truncated: bool
    crowd: bool

    def is_of_category(self, instance: Instance) -> bool:
        """Whether an instance is of a chosen category."""
        return not self.categories or instance.label in self.categories

    def refusal(self, instance: Instance, size: Size) -> str:
        """Why an instance on a photograph of `size` is not used; empty if it is."""
        height, width = size
        box, area = instance.shape.scaled(size)
        if instance.is_crowd and not self.crowd:
            return CROWD
        if not self.is_of_category(instance):
            return "of other categories"
        if area < self.least_area:
            return f"smaller than source.least_area={self.least_area}"
        if not self.truncated and (
            min(box.top, box.left) < _AT_BORDER_PX
            or box.bottom > height - _AT_BORDER_PX
            or box.right > width - _AT_BORDER_PX
        ):
            return "cut off by the border (source.truncated=true uses them)"
        return ""


def chosen(
    instances: Iterable[tuple[Instance, Size]], choice: Choice
) -> tuple[list[Instance], Counter[str]]:
    """The instances to use, and how many are not, by the reason."""
    used, refused = [], Counter[str]()
    for instance, size in instances:
        if reason := choice.refusal(instance, size):
            refused[reason] += 1
        else:
            used.append(instance)
    return used, refused
