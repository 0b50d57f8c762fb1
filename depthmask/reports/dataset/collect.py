"""Reads a dataset once: all records, all descriptions, and the pixels of some samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import orjson

from depthmask.codec.members import JSON
from depthmask.data import Encoded
from depthmask.reading.dataset import Dataset
from depthmask.reports.dataset.census import Census
from depthmask.reports.dataset.gallery import MOST_CARDS, Card, card, cards_within, evenly_spaced
from depthmask.reports.dataset.pixels import Pixels
from depthmask.statistics.pixels import Statistics
from depthmask.statistics.redraws import Redraws
from depthmask.timing import add_seconds
from depthmask.untrusted import untrusted

_MOST_DECODED = 2000
_MOST_DECODED_PIXELS = 1 << 28
"""Decoding 2,000 images of 160x160 with depth takes 2 s; fewer are decoded if they are larger."""
_LEAST_DECODED = 24
_MOST_EXTRA_CARDS = 96
"""The most cards for classes and assets that no other card shows."""
_MOST_EXTRA_BYTES = 3 << 20
_SAMPLES_PER_ADVANCE = 1000


@dataclass
class SplitTotals:
    """Totals over the records of a split."""

    shards: int = 0
    samples: int = 0
    bytes: int = 0
    statistics: Statistics = field(default_factory=Statistics)


@dataclass
class Findings:
    """The data of the report. seconds: seconds by station, summed over all workers.

    redraws: why samples drew other assets.
    """

    splits: dict[str, SplitTotals]
    seconds: dict[str, float]
    census: Census
    pixels: Pixels
    cards: list[Card]
    redraws: Redraws = field(default_factory=Redraws)

    @property
    def statistics(self) -> Statistics:
        """The statistics over all splits."""
        total = Statistics()
        for split in self.splits.values():
            total.merge(split.statistics)
        return total


def collect(dataset: Dataset, advance: Callable[[int], None] = lambda samples: None) -> Findings:
    """Read the whole dataset; advance: called with the number of samples read since its last call.

    One process is enough: the 400,000 descriptions of DepthMaskDataset take 7 s.
    """
    splits, seconds, redraws = _totals(dataset)
    height, width = dataset.metadata.size
    census, pixels = Census((height, width)), Pixels(dataset.contract)
    chosen = evenly_spaced(
        len(dataset),
        max(_LEAST_DECODED, min(_MOST_DECODED, _MOST_DECODED_PIXELS // (height * width))),
    )
    shown = set(chosen[:MOST_CARDS])
    cards: dict[int, Card] = {}
    for number, split, encoded in _count_descriptions(dataset, census, set(chosen), advance):
        with untrusted(f"{dataset.path}: sample {number}"):
            sample = dataset[number]
            pixels.add(sample)
            if number in shown:
                cards[number] = card(number, split, encoded, sample, dataset.contract)
    kept = cards_within([cards[number] for number in chosen[:MOST_CARDS]])
    kept += cards_within(_extra_cards(dataset, census, kept), _MOST_EXTRA_BYTES)
    dataset.close()
    kept.sort(key=lambda card: card.number)
    return Findings(splits, seconds, census, pixels, kept, redraws)


def _totals(dataset: Dataset) -> tuple[dict[str, SplitTotals], dict[str, float], Redraws]:
    splits = {name: SplitTotals() for name in dataset.splits}
    seconds: dict[str, float] = {}
    redraws = Redraws()
    for record in dataset.records():
        with untrusted(f"{dataset.path}: the record of {record.shard}"):
            totals = splits[record.split]
            totals.shards += 1
            totals.samples += len(record)
            totals.bytes += record.bytes
            totals.statistics.merge(Statistics.from_sums(record.statistics))
            add_seconds(seconds, record.seconds)
            redraws.merge(Redraws.from_json(record.redraws))
    return splits, seconds, redraws


def _count_descriptions(
    dataset: Dataset, census: Census, chosen: set[int], advance: Callable[[int], None]
) -> Iterator[tuple[int, str, Encoded]]:
    """Count all descriptions; yields (number, split, members) of the chosen samples.

    The splits are read one after the other, which is the order of the files.
    """
    numbering, count = dataset.metadata.numbering, 0
    for name in dataset.splits:
        split = dataset.split(name)
        for rank in range(len(split)):
            number, encoded = numbering.index(name, rank), split.encoded(rank)
            with untrusted(f"{dataset.path}: the description of sample {number}"):
                census.add(number, name, orjson.loads(encoded.members[JSON.name]), encoded.members)
            if number in chosen:
                yield number, name, encoded
            count += 1
            if count % _SAMPLES_PER_ADVANCE == 0:
                advance(_SAMPLES_PER_ADVANCE)
        split.close()
    with untrusted(f"{dataset.path}: the descriptions of its samples"):
        census.count_pending()


def _extra_cards(dataset: Dataset, census: Census, cards: Sequence[Card]) -> list[Card]:
    """Up to `_MOST_EXTRA_CARDS` cards for classes and assets that none of these cards shows.

    Classes come first: there may be more foregrounds than cards.
    """
    shown = {one for card in cards for one in _shown(card)}
    numbering = dataset.metadata.numbering
    more: list[Card] = []
    for asset, number in sorted(census.first_samples.items(), key=lambda one: one[0][0] != "label"):
        if asset not in shown and len(more) < _MOST_EXTRA_CARDS:
            split, _ = numbering.at(number)
            encoded, sample = dataset.encoded(number), dataset[number]
            more.append(card(number, split, encoded, sample, dataset.contract))
            shown.update(_shown(more[-1]))
    return more


def _shown(card: Card) -> Iterator[tuple[str, str]]:
    """Yield what a card shows, as in `Census.first_samples`."""
    yield "background", card.background
    yield from (("foreground", key) for key in card.foregrounds)
    yield from (("label", label) for label in card.labels)
