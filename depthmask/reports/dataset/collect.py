"""One pass over a dataset: every record, every description, and the pixels of some samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import orjson

from depthmask.data import Encoded
from depthmask.reading.dataset import Dataset
from depthmask.reports.dataset.census import Census
from depthmask.reports.dataset.gallery import MOST_CARDS, Card, card, evenly_spaced, within
from depthmask.reports.dataset.pixels import Pixels
from depthmask.statistics import Statistics
from depthmask.timing import add_seconds
from depthmask.untrusted import untrusted

_DECODED = 2000
_DECODED_PIXELS = 1 << 28
"""2,000 pictures of 160x160 take 2 s with their depth; of large ones fewer are decoded."""
_FEWEST = 24
_EXTRA_CARDS = 96
"""For assets that no other card shows."""
_EXTRA_BYTES = 3 << 20
_TOLD_EVERY = 1000


@dataclass
class SplitTotals:
    """What the records of a split say."""

    shards: int = 0
    samples: int = 0
    bytes: int = 0
    statistics: Statistics = field(default_factory=Statistics)


@dataclass
class Findings:
    """All that the page is made from. seconds: by station, of all workers together."""

    splits: dict[str, SplitTotals]
    seconds: dict[str, float]
    census: Census
    pixels: Pixels
    cards: list[Card]


def collect(dataset: Dataset, advance: Callable[[int], None] = lambda samples: None) -> Findings:
    """Look at the whole dataset; advance: told the number of samples looked at since its last call.

    One process: a description takes 15 us to read and count where the disk keeps up, all 400,000 of
    DepthMaskDataset 7 s.
    """
    splits, seconds = _totals(dataset)
    height, width = dataset.metadata.size
    census, pixels = Census((height, width)), Pixels(dataset.contract)
    chosen = evenly_spaced(
        len(dataset), max(_FEWEST, min(_DECODED, _DECODED_PIXELS // (height * width)))
    )
    shown = set(chosen[:MOST_CARDS])
    cards: dict[int, Card] = {}
    for number, split, encoded in _described(dataset, census, set(chosen), advance):
        with untrusted(f"{dataset.path}: sample {number}"):
            sample = dataset[number]
            pixels.add(sample)
            if number in shown:
                cards[number] = card(number, split, encoded, sample, dataset.contract)
    kept = within([cards[number] for number in chosen[:MOST_CARDS]])
    kept += within(_missing(dataset, census, kept), _EXTRA_BYTES)
    dataset.close()
    return Findings(splits, seconds, census, pixels, sorted(kept, key=lambda one: one.number))


def _totals(dataset: Dataset) -> tuple[dict[str, SplitTotals], dict[str, float]]:
    splits = {name: SplitTotals() for name in dataset.splits}
    seconds: dict[str, float] = {}
    for record in dataset.records():
        with untrusted(f"{dataset.path}: the record of {record.shard}"):
            of_split = splits[record.split]
            of_split.shards += 1
            of_split.samples += len(record)
            of_split.bytes += record.bytes
            of_split.statistics.merge(Statistics.from_sums(record.statistics))
            add_seconds(seconds, record.seconds)
    return splits, seconds


def _described(
    dataset: Dataset, census: Census, wanted: set[int], advance: Callable[[int], None]
) -> Iterator[tuple[int, str, Encoded]]:
    """Count every description; yields (number, split, sample) of those that are wanted.

    Split by split: in the order of the files.
    """
    numbers, looked = dataset.metadata.numbering, 0
    for name in dataset.splits:
        part = dataset.split(name)
        for rank in range(len(part)):
            number, encoded = numbers.index(name, rank), part.encoded(rank)
            with untrusted(f"{dataset.path}: the description of sample {number}"):
                census.add(number, name, orjson.loads(encoded.members["json"]), encoded.members)
            if number in wanted:
                yield number, name, encoded
            looked += 1
            if looked % _TOLD_EVERY == 0:
                advance(_TOLD_EVERY)
        part.close()
    with untrusted(f"{dataset.path}: the descriptions of its samples"):
        census.settle()


def _missing(dataset: Dataset, census: Census, cards: Sequence[Card]) -> list[Card]:
    """Cards for assets that none of these show, as far as there is room."""
    shown = {("background", one.background) for one in cards}
    shown |= {("foreground", key) for one in cards for key in one.foregrounds}
    numbers = dataset.metadata.numbering
    more: list[Card] = []
    for asset, number in census.first.items():
        if asset not in shown and len(more) < _EXTRA_CARDS:
            split, _ = numbers.at(number)
            encoded, sample = dataset.encoded(number), dataset[number]
            more.append(card(number, split, encoded, sample, dataset.contract))
            shown.add(("background", more[-1].background))
            shown.update(("foreground", key) for key in more[-1].foregrounds)
    return more
