"""Random generators: one for each room and cut-out, from the seed and its number alone."""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Kind(IntEnum):
    """The use of a generator."""

    room = 1
    item = 2
    grain = 3


def stream(seed: int, kind: Kind, number: int) -> np.random.Generator:
    """The generator of a room, of a cut-out, or of the sensor noise of a room."""
    entropy = np.random.SeedSequence([seed, int(kind), number])
    return np.random.Generator(np.random.Philox(entropy))
