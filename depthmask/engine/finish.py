"""Writes the files about a whole dataset, from its published shards."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence

from PIL import Image

from depthmask.engine.job import Job
from depthmask.engine.labels import deriving_stages
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
from depthmask.storage.path import PREVIEW, StorePath


def preview_shards(plan: Layout) -> set[str]:
    """The names of the shards that contain the samples of the preview."""
    ranks = map(plan.numbering.at, _preview_samples(plan.samples))
    return {shard_name(split, rank // plan.shard_size) for split, rank in ranks}


def finish(job: Job, totals: Totals) -> DatasetInfo:
    """Write preview, cards, and the files of labels and writer; returns `dataset.json`."""
    info = summarise(job, totals)
    dataset = Dataset(job.output, info, known=totals.records)
    _write_preview(dataset, job.output)
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
    for name, text in (optional("the card", lambda: cards(facts)) or {}).items():
        (job.output / name).write_text(text, encoding="utf-8")
    with StageCalls(job.root.writer, "derive"):
        job.root.writer.derive(dataset)
    dataset.close()
    # Remove drafts of workers that died while others continued.
    job.output.remove_leftovers()
    return info


def _write_preview(dataset: Dataset, output: StorePath) -> None:
    samples = [thinned(dataset[index]) for index in _preview_samples(len(dataset))]
    title = f"{output.name}: {len(dataset):,} samples"
    content = optional(PREVIEW, lambda: _as_jpeg(contact_sheet(samples, title, dataset.contract)))
    if content is None:
        # An earlier one shows fewer samples.
        (output / PREVIEW).unlink(missing_ok=True)
    else:
        (output / PREVIEW).write_bytes(content)


def _as_jpeg(picture: Image.Image) -> bytes:
    content = io.BytesIO()
    picture.save(content, "jpeg", quality=92)
    return content.getvalue()


def _preview_samples(samples: int) -> Sequence[int]:
    """The indices of the samples in the preview, spread evenly over the dataset."""
    return range(0, samples, max(1, samples // SAMPLES))[:SAMPLES]
