"""Random numbers that depend on seed, purpose and sample number alone."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, TypeAlias

import numpy as np
from numpy.random.bit_generator import ISpawnableSeedSequence
from numpy.typing import NDArray

UInt64: TypeAlias = NDArray[np.uint64]
Words: TypeAlias = tuple[UInt64, UInt64, UInt64, UInt64]
_MULTIPLIERS = 0xD2E7470EE14C6C93, 0xCA5A826395121157
_WEYL = 0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B
_LOW_32 = 2**32 - 1
_SHIFT_32 = np.uint64(32)
_LEAST_ROWS = 100
"""Fewer rows are drawn one by one: to compute all at once takes 300 us however few they are."""


class Stream:
    """One Philox generator whose counter is set for each sample.

    Setting the counter takes a sixth of the time of a new generator, and gives the same numbers. A
    sample has 2**128 numbers of its own, so streams of different samples never meet (Salmon et al.
    2011, "Parallel random numbers: as easy as 1, 2, 3"). The generators that it spawns depend on
    the sample as well.
    """

    def __init__(self, seed: int, purpose: str) -> None:
        digest = blake2b(f"{seed}/{purpose}".encode(), digest_size=16).digest()
        state = np.random.Philox(key=int.from_bytes(digest, "little")).state
        self._key: UInt64 = state["state"]["key"]
        # Tuples of Python's integers, which the generator reads in half the time of arrays.
        self._numbers = {"key": tuple(self._key.tolist()), "counter": (0, 0, 0, 0)}
        buffer = tuple(state["buffer"].tolist())
        # Typed Any, since NumPy's stubs ask for arrays although it takes tuples.
        self._state: Any = {**state, "state": self._numbers, "buffer": buffer}
        self._seeds = _SampleSeeds(self._key)
        # NumPy takes any `ISeedSequence`, but its types do not say so.
        self._bits = np.random.Philox(self._seeds)  # type: ignore[arg-type]
        self._generator = np.random.Generator(self._bits)

    def at(self, index: int, attempt: int = 0) -> np.random.Generator:
        """The generator, set to the start of sample `index`; earlier results are no longer valid.

        attempt: how many times the sample has drawn before; each attempt has its own numbers.
        """
        self._numbers["counter"] = 0, 0, index, attempt
        self._seeds.sample = index, attempt
        self._seeds.sequence = None
        self._bits.state = self._state
        return self._generator

    def rows(self, indices: Sequence[int], count: int) -> NDArray[np.float64]:
        """`at(i).random(count)` for each index, as [len(indices), count].

        All rows are computed at once, in a tenth of the time. NumPy's generators cannot do that, so
        the rounds of Philox are written here, as in the paper.
        """
        if len(indices) < _LEAST_ROWS:
            return np.array([self.at(index).random(count) for index in indices])
        blocks = -(-count // 4)
        low = np.tile(np.arange(1, blocks + 1, dtype=np.uint64), len(indices))
        index = np.repeat(np.array(indices, np.uint64), blocks)
        zero = np.zeros_like(low)
        words = np.stack(_philox((low, zero, index, zero), self._key), axis=1)
        # NumPy makes a float from the upper 53 of 64 bits.
        upper = words.reshape(len(indices), -1)[:, :count] >> np.uint64(11)
        return np.multiply(upper, 2.0**-53, dtype=np.float64)


class _SampleSeeds(ISpawnableSeedSequence):
    """The seed sequence of the sample at which a stream is, made when it is first used.

    NumPy's own `SeedSequence` cannot be set to another sample, and a new one takes 10 us. This one
    costs samples that do not spawn next to nothing. key: that of the stream.
    """

    def __init__(self, key: UInt64) -> None:
        self._key = key
        self.sample = 0, 0
        """The number of the sample, and the attempt."""
        self.sequence: np.random.SeedSequence | None = None
        """NumPy's sequence for this sample, which counts its children; None until it is used."""

    def generate_state(self, n_words: int, dtype: Any = np.uint32) -> NDArray[Any]:
        """Words for another bit generator, as `SeedSequence.generate_state`."""
        return self._of_sample().generate_state(n_words, dtype)

    def spawn(self, n_children: int) -> list[np.random.SeedSequence]:  # type: ignore[override]
        """Sequences that differ from all that were spawned before in this sample and attempt."""
        return self._of_sample().spawn(n_children)

    def _of_sample(self) -> np.random.SeedSequence:
        if self.sequence is None:
            words = np.concatenate([self._key, np.array(self.sample, np.uint64)])
            # Always 8 words of 32 bits, so that no sample can have the words of another's child.
            self.sequence = np.random.SeedSequence(words.astype("<u8").view("<u4").tolist())
        return self.sequence


def _philox(counter: Words, key: UInt64) -> Words:
    """Ten rounds of Philox4x64 for many counters; each of the four words is an array."""
    a, b, c, d = counter
    left, right = key
    for _ in range(10):
        high_a, low_a = _product(_MULTIPLIERS[0], a)
        high_c, low_c = _product(_MULTIPLIERS[1], c)
        a, b, c, d = high_c ^ b ^ left, low_c, high_a ^ d ^ right, low_a
        left, right = _add_wrapping(left, _WEYL[0]), _add_wrapping(right, _WEYL[1])
    return a, b, c, d


def _product(factor: int, words: UInt64) -> tuple[UInt64, UInt64]:
    """The upper and the lower 64 bits of each product, computed from halves of 32 bits."""
    high, low = np.uint64(factor >> 32), np.uint64(factor & _LOW_32)
    upper, lower = words >> _SHIFT_32, words & np.uint64(_LOW_32)
    middle = high * lower
    cross = low * upper + (low * lower >> _SHIFT_32) + (middle & np.uint64(_LOW_32))
    return high * upper + (middle >> _SHIFT_32) + (cross >> _SHIFT_32), words * np.uint64(factor)


def _add_wrapping(word: np.uint64, more: int) -> np.uint64:
    # In Python's integers, since NumPy warns when a scalar wraps around.
    return np.uint64((int(word) + more) % 2**64)
