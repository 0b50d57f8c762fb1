"""The root of the config: the settings of a run, and one stage from each config group."""

from __future__ import annotations

from dataclasses import field
from enum import Enum
from typing import Any

from depthmask.codec.sample import Encode
from depthmask.data import Size
from depthmask.errors import SettingError
from depthmask.plan.plan import Sampling
from depthmask.plan.shares import Shares
from depthmask.stage import setting, settings

MISSING: Any = "???"
"""OmegaConf's mark of a required value, repeated here since importing OmegaConf takes 0.1 s."""

SIZE = "[height, width], two whole numbers from 8 to 8192, as in size=[160,160]"
"""What the setting `size` must be, for messages."""
BLOCKS = {"split": Shares, "encode": Encode}
"""Name in `Root` -> the class of a block of settings."""


class ProgressStyle(Enum):
    """How the progress of a run is shown on stderr."""

    auto = "auto"
    """A bar on a terminal, lines elsewhere."""
    bar = "bar"
    lines = "lines"
    json = "json"
    """A JSON object in each line."""
    none = "none"
    """Nothing but errors."""


@settings
class Root:
    """The config of a run: the root settings, and one stage from each group."""

    output: str | None = setting(None, help="folder of the dataset; null: outputs/STAGES-HASH")
    overwrite: bool = setting(False, help="delete an existing dataset in output")
    samples: int | None = setting(
        400, ge=1, le=10**12, help="number of samples; null: all pairs of sampling=product"
    )
    seed: int = setting(0, ge=0, help="the same seed gives the same samples")
    size: list[int] = setting(
        [160, 160], help="canvas [height, width] in pixels, each from 8 to 8192"
    )
    objects: Any = setting(1, help="foregrounds in a sample: a number, or [least, greatest]")
    sampling: Sampling = setting(
        Sampling.random, help="random: draw assets; product: every pair in nested loops"
    )
    flips: bool = setting(True, help="mirror half of the foregrounds, chosen at random")
    repeats: int = setting(20, ge=1, help="positions for each pair with sampling=product")
    fov_deg: float = setting(
        60.0, gt=5, lt=150, help="horizontal field of view assumed for backgrounds without a camera"
    )
    shard_size: int | None = setting(
        None, ge=1, help="samples in a shard; null: about 64 MB of samples, at most 1,000"
    )
    target: Any = setting(
        None,
        help="number in dataset.json that a sweep optimises, such as statistics.mask.mean, or a "
        "list of several",
    )
    progress: ProgressStyle = setting(
        ProgressStyle.auto,
        help="on stderr: auto (a bar on a terminal, else lines), bar, lines, json, none",
    )
    split: Shares = field(
        default_factory=Shares,
        metadata={"help": "training, validation and test splits (see below)"},
    )
    encode: Encode = field(
        default_factory=Encode, metadata={"help": "how samples are encoded (see below)"}
    )
    source: Any = MISSING
    geometry: Any = MISSING
    placement: Any = MISSING
    blend: Any = MISSING
    depth: Any = MISSING
    labels: Any = field(default_factory=dict)
    """Name -> label stage."""
    writer: Any = MISSING
    runner: Any = MISSING

    def __post_init__(self) -> None:
        lengths = [length for length in self.size if type(length) is int and 8 <= length <= 8192]
        if not len(lengths) == len(self.size) == 2:
            raise SettingError("size", self.size, f"must be {SIZE}")
        least, greatest = self.object_range
        if not 1 <= least <= greatest <= 65535:
            raise SettingError(
                "objects", self.objects, "must be from 1 to 65535, the smaller number first"
            )
        if not all(isinstance(name, str) and name for name in self.targets):
            raise SettingError(
                "target",
                self.target,
                "must be the name of a number in dataset.json, or a list of such names",
            )

    @property
    def targets(self) -> tuple[str, ...]:
        """The names of the numbers that a sweep optimises."""
        if self.target is None:
            return ()
        return tuple(self.target) if isinstance(self.target, list) else (self.target,)

    @property
    def canvas(self) -> Size:
        """(height, width) in pixels."""
        return self.size[0], self.size[1]

    @property
    def object_range(self) -> tuple[int, int]:
        """The smallest and the largest number of foregrounds in a sample."""
        limits = self.objects if isinstance(self.objects, list) else [self.objects] * 2
        if len(limits) != 2 or not all(type(number) is int for number in limits):
            raise SettingError(
                "objects",
                self.objects,
                "must be a whole number or a list of two, [least, greatest]",
            )
        return limits[0], limits[1]
