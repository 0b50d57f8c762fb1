"""The settings of splits."""

from __future__ import annotations

from depthmask.errors import SettingError
from depthmask.stage import setting, settings

MILLION = 1_000_000
NAMES = ("train", "val", "test")


@settings
class Shares:
    """The share of the samples, and of the assets, that each split gets.

    No background and no foreground is in two splits, nor are near-duplicates of one another.
    """

    train: float = setting(1.0, ge=0, le=1, help="share of the samples for training")
    val: float = setting(0.0, ge=0, le=1, help="share for validation")
    test: float = setting(0.0, ge=0, le=1, help="share for the test")
    alike: int = setting(
        10, ge=0, le=31, help="near-duplicates: pictures that differ in so many of 64 bits or less"
    )

    def __post_init__(self) -> None:
        total = sum(getattr(self, name) for name in NAMES)
        if abs(total - 1) > 1e-9:
            total_of = " + ".join(f"{name} {getattr(self, name):g}" for name in NAMES)
            raise SettingError("train", self.train, f"{total_of} make {total:g}, they must make 1")

    def millionths(self) -> tuple[tuple[str, int], ...]:
        """(name, share in millionths) of every split with a share; they add up to a million."""
        millionths = {name: round(getattr(self, name) * MILLION) for name in NAMES}
        # A third each: what rounding left over goes to the largest.
        largest = max(millionths, key=lambda name: millionths[name])
        millionths[largest] += MILLION - sum(millionths.values())
        return tuple((name, share) for name, share in millionths.items() if share)
