"""Writes the files about a whole dataset, from its published shards."""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from PIL import Image

from depthmask.data import LeftOut
from depthmask.engine.job import Job
from depthmask.engine.labels import deriving_stages
from depthmask.engine.quarantine import quarantine
from depthmask.engine.summarise import summarise
from depthmask.engine.totals import Totals
from depthmask.plan.layout import Layout, shard_name
from depthmask.reading.dataset import Dataset
from depthmask.reports.card import cards
from depthmask.reports.card.facts import CardFacts
from depthmask.reports.card.licences import with_own_licence
from depthmask.reports.optional import optional
from depthmask.reports.preview import SAMPLES, contact_sheet, thinned
from depthmask.stage.calls import StageCalls
from depthmask.storage.dataset_info import DatasetInfo
from depthmask.storage.derived import CARD, is_edited_card, listed
from depthmask.storage.path import PREVIEW, StorePath
from depthmask.storage.record import ShardFile, is_inside
from depthmask.storage.shell import command, path_word

_log = logging.getLogger(__name__)


def preview_shards(plan: Layout) -> set[str]:
    """The names of the shards that contain the samples of the preview."""
    ranks = map(plan.numbering.at, _preview_samples(plan.samples))
    return {shard_name(split, rank // plan.shard_size) for split, rank in ranks}


def finish(job: Job, totals: Totals, left_out: Iterable[LeftOut]) -> DatasetInfo:
    """Write the files about the dataset, and return `dataset.json`, which lists them.

    left_out: the files of the source to keep in the folder of the dataset.
    """
    info = summarise(job, totals)
    files = write_derived(job, totals, Dataset(job.output, info, known=totals.records), left_out)
    # Remove drafts of workers that died while others continued.
    job.output.remove_leftovers()
    return replace(info, derived=tuple(files[name] for name in sorted(files)))


def write_derived(
    job: Job, totals: Totals, dataset: Dataset, left_out: Iterable[LeftOut]
) -> dict[str, ShardFile]:
    """Write all derived files into the path of a dataset, which is closed; returns them by name.

    left_out: as in `finish`.
    """
    with dataset.path.recorded() as files:
        quarantine(dataset.path, left_out)
        card = _write_files(job, totals, dataset)
    # That of a card which its owner has edited is recorded as it would be without.
    return {name: file for name, file in {**card, **files}.items() if is_inside(name)}


def _write_files(job: Job, totals: Totals, dataset: Dataset) -> dict[str, ShardFile]:
    """Write preview, cards, and the files of labels and writer; returns the README by its name."""
    info = dataset.metadata
    _write_preview(dataset, job.output.name)
    for labels in deriving_stages(job.root.encode, info.labels):
        with StageCalls(labels, "derive"):
            labels.derive(dataset)
    facts = CardFacts(
        name=os.fsencode(job.output.absolute().name).decode("utf-8", "backslashreplace"),
        info=with_own_licence(info, job.source_plan),
        plan=job.identity.description,
        shard_kind=job.root.writer.shard_kind,
        sample=dataset.encoded(0),
        suffix=totals.suffix,
        files=totals.files(shard.name for shard in job.plan.shards()),
    )
    card = _write_cards(dataset.path, optional("the card", lambda: cards(facts)) or {})
    with StageCalls(job.root.writer, "derive"):
        job.root.writer.derive(dataset)
    dataset.close()
    return card


def _write_cards(output: StorePath, texts: Mapping[str, str]) -> dict[str, ShardFile]:
    """Write the cards, but keep a README that its owner has edited."""
    contents = {name: text.encode() for name, text in texts.items()}
    for name, content in contents.items():
        if name == CARD and is_edited_card(output):
            _log.warning(
                "%s is kept, as it was edited, or made by an earlier version; delete it, and "
                "`%s` makes it again", CARD, command("verify", path_word(output), "--repair"),
            )  # fmt: skip
        else:
            (output / name).write_whole(content)
    return {CARD: listed(CARD, contents[CARD])} if CARD in contents else {}


def _write_preview(dataset: Dataset, name: str) -> None:
    """Write the preview. name: that of the dataset, in the title."""
    samples = [thinned(dataset[index]) for index in _preview_samples(len(dataset))]
    title = f"{name}: {len(dataset):,} samples"
    content = optional(PREVIEW, lambda: _as_jpeg(contact_sheet(samples, title, dataset.contract)))
    if content is None:
        # An earlier one shows fewer samples.
        (dataset.path / PREVIEW).unlink(missing_ok=True)
    else:
        (dataset.path / PREVIEW).write_whole(content)


def _as_jpeg(picture: Image.Image) -> bytes:
    content = io.BytesIO()
    picture.save(content, "jpeg", quality=92)
    return content.getvalue()


def _preview_samples(samples: int) -> Sequence[int]:
    """The indices of the samples in the preview, spread evenly over the dataset."""
    return range(0, samples, max(1, samples // SAMPLES))[:SAMPLES]
