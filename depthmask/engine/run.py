"""A run: from a live config to a finished dataset."""

from __future__ import annotations

import io
import itertools
import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from depthmask.codec.sample import Labels
from depthmask.compose.asset_splits import parts
from depthmask.concurrency import machine, parallel_map
from depthmask.config.build import to_plain
from depthmask.config.registry import registry
from depthmask.config.root import Root
from depthmask.config.versions import versions
from depthmask.contract import contract_as_json
from depthmask.engine.generate import Generate, in_one_line
from depthmask.engine.job import Job
from depthmask.engine.quarantine import quarantine
from depthmask.errors import DepthmaskError, SettingError, UsageError, setting_errors_named
from depthmask.plan.layout import Shard, Shards
from depthmask.plan.plan import Plan, Sampling, SplitAssets
from depthmask.reading.dataset import Dataset, require_record
from depthmask.reports.card import cards
from depthmask.reports.card.about import About, FileList
from depthmask.reports.coco import write_coco
from depthmask.reports.preview import SAMPLES, contact_sheet
from depthmask.stages.geometry.estimated import as_geometry
from depthmask.stages.source.base import AssetCatalogue
from depthmask.stages.writer.base import check_shard_size
from depthmask.storage.choice import locked, store_of
from depthmask.storage.dataset_info import SCHEMA, manifest_hash, summarise
from depthmask.storage.identity import FREE, DatasetIdentity, FolderState, claim, examine
from depthmask.storage.location import Location, location
from depthmask.storage.publish import disk_error, read_sealed, write_sealed
from depthmask.storage.record import Record, recorded
from depthmask.storage.verify import intact_records
from depthmask.timing import add_seconds

if TYPE_CHECKING:
    from depthmask.cli.screen import Screen

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Result:
    """What a run did. seconds: wall time; stations: time by station, of all workers together."""

    dataset: Dataset
    made: int
    seconds: float
    stations: dict[str, float]


def run(root: Root, screen: Screen, *, sweep: bool = False) -> Result:
    """Make, complete or extend the dataset that the config describes.

    sweep: `output` is a folder of datasets, one for each job. Raises `UsageError` before anything
    is written if config, assets or output folder are not right.
    """
    checked = root.source.check(root.canvas)
    job, wanted = prepare(root, checked.digest, sweep=sweep)
    return run_job(job, wanted, checked, screen)


def run_job(job: Job, wanted: DatasetIdentity, checked: AssetCatalogue, screen: Screen) -> Result:
    """Make what a job lacks in its output; raises as `run`. checked: what it is made from."""
    start = time.perf_counter()
    overwrite = job.root.overwrite
    examine(job.output, wanted, overwrite=overwrite)
    with (
        _one_line_for_failures(job.output),
        locked(job.output) as require_lock,
        store_of(job.output).appended(job.output / "run.log") as log,
    ):
        found = claim(job.output, wanted, overwrite=overwrite)
        screen.open_log(log)
        _log.info("depthmask %s, %s, %s", versions(job.root)["depthmask"], machine(), job.output)
        for one in checked.left_out:
            _log.info("left out: %s: %s", one.file, one.reason)
        quarantine(job.output, checked.left_out)
        made, stations = _complete(job, wanted, found, checked, screen, require_lock)
    return Result(Dataset(job.output), made, time.perf_counter() - start, stations)


@contextmanager
def _one_line_for_failures(output: Location) -> Iterator[None]:
    """Turn what nobody foresaw into one line for the user, and a traceback in the log."""
    try:
        yield
    except DepthmaskError:
        raise
    except OSError as error:
        raise disk_error(error, output) from error
    except Exception as error:
        _log.info("failed", exc_info=True)
        raise DepthmaskError(f"{in_one_line(error)}; see {output / 'run.log'}") from error


def _complete(
    job: Job,
    wanted: DatasetIdentity,
    found: FolderState,
    checked: AssetCatalogue,
    screen: Screen,
    require_lock: Callable[[], None],
) -> tuple[int, dict[str, float]]:
    """Make what is missing; how many samples that were, and the time by station."""
    done: list[Shard] = []
    if found is not FolderState.nothing:
        there = intact_records(job.output, recorded(job.output, job.plan), job.lineage)
        done = [
            job.plan.shard(record.start // job.plan.shard_size, record.split) for record in there
        ]
    missing = job.plan.shards(done)
    stations: dict[str, float] = {}
    if missing or not _is_complete(job):
        (job.output / "dataset.json").unlink(missing_ok=True)
        screen.line(_announcement(job, missing))
        registry().plugins.hook.depthmask_run_started(root=job.root, output=job.output)
        add_seconds(stations, job.before(screen))
        for record in _make(job, missing, screen):
            require_lock()
            add_seconds(stations, record.seconds)
            _log.info("%s: samples %d..%d", record.shard, record.start, record.stop - 1)
        summary = _finish(job, wanted, checked)
        require_lock()
        write_sealed(job.output / "dataset.json", summary)
        registry().plugins.hook.depthmask_run_finished(root=job.root, output=job.output)
    return missing.samples, stations


def _is_complete(job: Job) -> bool:
    """Whether `dataset.json` is there, and about the records that stand."""
    summary = read_sealed(job.output / "dataset.json")
    if summary is None:
        return False
    return bool(summary.get("manifest_sha256") == manifest_hash(_records(job)))


def _records(job: Job) -> Iterator[Record]:
    """Those of all shards, read one by one: a million of them would not fit the memory."""
    names = (shard.name for shard in job.plan.shards())
    read = partial(require_record, job.output)
    readers = store_of(job.output).readers
    return map(read, names) if readers == 1 else parallel_map(readers, read, names)


def prepare(root: Root, inputs: str, *, sweep: bool = False) -> tuple[Generate, DatasetIdentity]:
    """The job behind a config, and its claim; nothing is written.

    inputs: the hash of the assets (`Source.check`).
    """
    source = root.source
    of_splits = parts(source, root.split, inputs)
    samples = _samples(root, of_splits)
    root = replace(root, samples=samples)
    plan = Plan(
        seed=root.seed,
        samples=samples,
        shard_size=root.shard_size,
        sampling=root.sampling,
        objects=root.object_range,
        flips=root.flips,
        repeats=root.repeats,
        parts=of_splits,
        variants=root.blend.variants,
    )
    known = sum(map(source.has_depth, plan.backgrounds)) / len(plan.backgrounds)
    with setting_errors_named("geometry"):
        geometry = as_geometry(root.geometry).contract(root.canvas, known)
    with setting_errors_named("depth"):
        contract = root.depth.contract(root.canvas, geometry)
    root.encode.check(contract)
    depth = contract.resolution if contract else None
    check_shard_size(root.writer, root.encode.expected(root.canvas, depth), plan)
    wanted = DatasetIdentity(
        {
            "schema": SCHEMA,
            "job": "generate",
            "config": {key: value for key, value in to_plain(root).items() if key not in FREE},
            "inputs": inputs,
            "depth": contract_as_json(contract),
            "versions": versions(root),
        }
    )
    name = "-".join(stage.name for stage in (root.source, root.placement, root.depth, root.writer))
    own = f"{name}-{wanted.fingerprint[:8]}"
    if root.output is None:
        output = location("outputs") / own
    else:
        output = location(root.output) / own if sweep else location(root.output)
    return Generate(root, plan, contract, output, wanted.lineage), wanted


def _samples(root: Root, of_splits: Sequence[SplitAssets]) -> int:
    """As many as are asked for, or each pair of assets as often as `product` has it."""
    if root.samples is not None:
        return root.samples
    if root.sampling is not Sampling.product or len(of_splits) > 1:
        raise SettingError(
            "samples", "null", "means all pairs of sampling=product without splits; give a number"
        )
    pairs = len(of_splits[0].backgrounds) * len(of_splits[0].foregrounds)
    return pairs * root.repeats * (1 + root.flips) * root.blend.variants


def _announcement(job: Job, missing: Shards) -> str:
    samples = missing.samples
    expected = samples * job.sample_bytes
    free = store_of(job.output).free(job.output)
    done = job.plan.samples - samples
    resumed = f" ({done:,} are there already)" if done else ""
    if free is not None and expected > free:
        raise UsageError(
            f"output={job.output}: {samples:,} samples take about {expected / 1e9:,.2f} GB, "
            f"the disk has {free / 1e9:,.2f} GB free"
        )
    room = "" if free is None else f"{free / 1e9:,.0f} GB free, "
    return f"{samples:,} samples{resumed}, about {expected / 1e6:,.0f} MB, {room}into {job.output}"


def _make(job: Job, missing: Shards, screen: Screen) -> Any:
    with screen.bar("samples", missing.samples, "samples") as advance:
        yield from job.root.runner.run(job, missing, advance)


def _finish(job: Job, wanted: DatasetIdentity, checked: AssetCatalogue) -> dict[str, Any]:
    """Make the derived files; returns what `dataset.json` shall say."""
    listed = FileList()
    summary = summarise(job, listed.through(_records(job)), wanted, checked)
    dataset = Dataset(job.output, summary)
    step = max(1, len(dataset) // SAMPLES)
    chosen = itertools.islice(range(0, len(dataset), step), SAMPLES)
    title = f"{job.output.name}: {len(dataset):,} samples"
    preview = io.BytesIO()
    contact_sheet([dataset[index] for index in chosen], title, job.contract).save(
        preview, "jpeg", quality=92
    )
    (job.output / "preview.jpg").write_bytes(preview.getvalue())
    if job.root.encode.labels is Labels.coco:
        for split in filter(len, map(dataset.split, dataset.splits)):
            write_coco(split, job.output / f"coco_{split.only}.json")
    about = About(
        name=os.fsencode(job.output.absolute().name).decode("utf-8", "backslashreplace"),
        info=summary,
        plan=wanted.description,
        shard_kind=job.root.writer.shard_kind,
        sample=dataset.encoded(0),
        listed=listed,
    )
    for name, text in cards(about).items():
        (job.output / name).write_text(text, encoding="utf-8")
    job.root.writer.derive(dataset)
    dataset.close()
    # Of workers that died while others went on.
    store_of(job.output).remove_leftovers(job.output)
    return summary
