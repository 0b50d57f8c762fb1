"""The settings under `split`."""

from __future__ import annotations

from depthmask.errors import SettingError
from depthmask.stage import setting, settings

MILLION = 1_000_000
NAMES = ("train", "val", "test")


@settings
class Shares:
    """The share of the samples, and of the assets, that each split gets.

    No background and no foreground is in two splits, and near-duplicates are in the same split.
    """

    train: float = setting(1.0, ge=0, le=1, help="share of the samples for training")
    val: float = setting(0.0, ge=0, le=1, help="share for validation")
    test: float = setting(0.0, ge=0, le=1, help="share for testing")
    alike: int = setting(
        10,
        ge=0,
        le=31,
        help="pictures whose hashes differ in at most this many of 64 bits are near-duplicates",
    )

    def __post_init__(self) -> None:
        total = sum(getattr(self, name) for name in NAMES)
        if abs(total - 1) > 1e-9:
            total_of = " + ".join(f"{name} {getattr(self, name):g}" for name in NAMES)
            raise SettingError(
                "train", self.train, f"{total_of} add up to {total:g}, and must add up to 1"
            )

    def millionths(self) -> tuple[tuple[str, int], ...]:
        """(name, share in millionths) of every split with a share; they add up to a million."""
        millionths = {name: round(getattr(self, name) * MILLION) for name in NAMES}
        # Rounded shares, such as thirds, may not add up: the largest takes the difference.
        largest = max(millionths, key=lambda name: millionths[name])
        millionths[largest] += MILLION - sum(millionths.values())
        return tuple((name, share) for name, share in millionths.items() if share)
