"""A run: from a live config to a finished dataset."""

from __future__ import annotations

import itertools
import logging
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from depthmask.config.build import to_plain
from depthmask.config.registry import registry
from depthmask.config.root import Root
from depthmask.dataset import Dataset
from depthmask.depth.contract import contract_as_json
from depthmask.errors import UsageError, setting_errors_named
from depthmask.geometry.estimated import as_geometry
from depthmask.machine import machine
from depthmask.output.guard import FREE, Claim, Found, claim, examine
from depthmask.output.lock import locked
from depthmask.output.preview import SAMPLES, contact_sheet
from depthmask.output.publish import DRAFTS, read_sealed, write_sealed
from depthmask.output.record import Record
from depthmask.output.summary import summarise
from depthmask.output.verify import standing
from depthmask.pipeline import Generate
from depthmask.plan import Plan, Shard
from depthmask.timing import add_seconds
from depthmask.versions import versions

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
    start = time.perf_counter()
    inputs = root.source.check(root.canvas)
    job, wanted = prepare(root, inputs, sweep=sweep)
    examine(job.output, wanted, overwrite=root.overwrite)
    with locked(job.output):
        found = claim(job.output, wanted, overwrite=root.overwrite)
        screen.open_log(job.output / "run.log")
        _log.info("depthmask %s, %s, %s", versions(root)["depthmask"], machine(), job.output)
        made, stations = _complete(job, wanted, found, screen)
    return Result(Dataset(job.output), made, time.perf_counter() - start, stations)


def _complete(
    job: Generate, wanted: Claim, found: Found, screen: Screen
) -> tuple[int, dict[str, float]]:
    """Make what is missing; how many samples that were, and the time by station."""
    shards = [job.plan.shard(number) for number in range(job.plan.shard_count())]
    records: dict[str, Record] = {}
    if found is not Found.nothing:
        records = {record.shard: record for record in standing(job.output, shards)}
    missing = [shard for shard in shards if shard.name not in records]
    stations: dict[str, float] = {}
    if missing or read_sealed(job.output / "dataset.json") is None:
        (job.output / "dataset.json").unlink(missing_ok=True)
        screen.line(_announcement(job, missing))
        registry().plugins.hook.depthmask_run_started(root=job.root, output=job.output)
        _measure_backgrounds(job, screen, stations)
        for record in _make(job, missing, screen):
            records[record.shard] = record
            add_seconds(stations, record.seconds)
            _log.info("%s: samples %d..%d", record.shard, record.start, record.stop - 1)
        _finish(job, [records[shard.name] for shard in shards], wanted)
        registry().plugins.hook.depthmask_run_finished(root=job.root, output=job.output)
    return sum(map(len, missing)), stations


def prepare(root: Root, inputs: str, *, sweep: bool = False) -> tuple[Generate, Claim]:
    """The job behind a config, and its claim; nothing is written.

    inputs: the hash of the assets (`Source.check`).
    """
    source = root.source
    plan = Plan(
        seed=root.seed,
        samples=root.samples,
        shard_size=root.shard_size,
        sampling=root.sampling,
        objects=root.object_range,
        flips=root.flips,
        repeats=root.repeats,
        backgrounds=tuple(source.backgrounds()),
        foregrounds=tuple(source.foregrounds()),
    )
    known = sum(map(source.has_depth, plan.backgrounds)) / len(plan.backgrounds)
    with setting_errors_named("geometry"):
        geometry = as_geometry(root.geometry).contract(root.canvas, known)
    with setting_errors_named("depth"):
        contract = root.depth.contract(root.canvas, geometry)
    root.encode.check(contract)
    wanted = Claim(
        {
            "schema": 1,
            "config": {key: value for key, value in to_plain(root).items() if key not in FREE},
            "inputs": inputs,
            "depth": contract_as_json(contract),
            "versions": versions(root),
        }
    )
    name = "-".join(stage.name for stage in (root.source, root.placement, root.depth, root.writer))
    own = f"{name}-{wanted.fingerprint[:8]}"
    if root.output is None:
        output = Path("outputs") / own
    else:
        output = Path(root.output) / own if sweep else Path(root.output)
    return Generate(root, plan, contract, output), wanted


def _announcement(job: Generate, missing: list[Shard]) -> str:
    samples = sum(map(len, missing))
    depth = job.contract.resolution if job.contract else None
    expected = samples * job.root.encode.bytes_per_sample(job.root.canvas, depth)
    free = shutil.disk_usage(job.output).free
    done = job.plan.samples - samples
    resumed = f" ({done:,} are there already)" if done else ""
    if expected > free:
        raise UsageError(
            f"output={job.output}: {samples:,} samples take about {expected / 1e9:,.2f} GB, "
            f"the disk has {free / 1e9:,.2f} GB free"
        )
    return (
        f"{samples:,} samples{resumed}, about {expected / 1e6:,.0f} MB, "
        f"{free / 1e9:,.0f} GB free, into {job.output}"
    )


def _measure_backgrounds(job: Generate, screen: Screen, stations: dict[str, float]) -> None:
    """Ask the geometry's model about every background once, before workers start."""
    keys = job.geometry.to_measure(job.plan.backgrounds) if job.reads_geometry else []
    if keys:
        start = time.perf_counter()
        with screen.bar("geometry", len(keys), "backgrounds") as advance:
            job.geometry.fill(keys, advance)
        add_seconds(stations, {"geometry": time.perf_counter() - start})


def _make(job: Generate, missing: list[Shard], screen: Screen) -> Any:
    with screen.bar("samples", sum(map(len, missing)), "samples") as advance:
        yield from job.root.runner.run(job, missing, advance)


def _finish(job: Generate, records: list[Record], wanted: Claim) -> None:
    """Derived files first, `dataset.json` last: with it the dataset is complete."""
    summary = summarise(job, records, wanted.fingerprint, versions(job.root))
    dataset = Dataset(job.output, summary)
    step = max(1, len(dataset) // SAMPLES)
    chosen = itertools.islice(range(0, len(dataset), step), SAMPLES)
    title = f"{job.output.name}: {len(dataset):,} samples"
    contact_sheet([dataset[index] for index in chosen], title, job.contract).save(
        job.output / "preview.jpg", quality=92
    )
    dataset.close()
    shutil.rmtree(job.output / DRAFTS, ignore_errors=True)
    write_sealed(job.output / "dataset.json", summary)
