"""Random streams: one for each thing that is made, from the settings' seed and its number alone."""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Kind(IntEnum):
    """What a stream is for."""

    room = 1
    item = 2
    grain = 3


def stream(seed: int, kind: Kind, number: int) -> np.random.Generator:
    """The generator for one thing."""
    entropy = np.random.SeedSequence([seed, int(kind), number])
    return np.random.Generator(np.random.Philox(entropy))
