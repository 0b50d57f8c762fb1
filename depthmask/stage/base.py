"""The base class of all stages."""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping, Sequence
from typing import ClassVar, Protocol


class Lookup(Protocol):
    """A function that returns the stage class of `kind=name`."""

    def __call__(self, kind: str, name: str) -> type[Stage]:
        """Return the class; raise `UsageError` if there is no such stage."""


class Stage(ABC):
    """The base class of all stages. kind: the config group. name: the name in that group."""

    kind: ClassVar[str]
    name: ClassVar[str]
    pixel_version: ClassVar[int] = 1
    """Raised by the author when the same settings and assets give other results."""
    setting_versions: ClassVar[Mapping[str, int]] = {}
    """As `pixel_version`, for what a setting turns on: its name -> the version where it is not 0,
    false or null. Datasets without it stay as they are."""

    def bind(self, lookup: Lookup) -> None:  # noqa: B027 (most stages create no others)
        """Receive the lookup of stage classes, for stages that create other stages.

        Called after a stage is created from a config; does nothing by default. The lookup can be
        kept in the stage, since it can be pickled.
        """

    def check_resources(self) -> None:  # noqa: B027 (most stages need nothing)
        """Raise `SettingError` or `UsageError` if this machine lacks what the stage needs to run.

        That is a file of weights, a device or a library, for example. Called once in the process of
        a run, before anything is written, and also for `inner_stages`; not where the stage does not
        run, as when its dataset is opened, verified or converted. Does nothing by default.
        """

    def inner_stages(self) -> Sequence[Stage]:
        """The stages that this one uses; their pixel versions count for a dataset as well."""
        return ()
