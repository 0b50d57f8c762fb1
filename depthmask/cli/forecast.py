"""Shows what a run would make, for `--dry-run`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from depthmask.cli.screen import Screen
from depthmask.config.build import STAGE, to_plain
from depthmask.config.registry import KINDS, LISTS
from depthmask.engine.displays.pace import duration, rounded
from depthmask.engine.forecast import Forecast, forecast
from depthmask.engine.generate import Generate
from depthmask.engine.inputs.job import InputJob
from depthmask.engine.job import Job
from depthmask.engine.run_lines import assets_in_one_line
from depthmask.reports.units import size
from depthmask.storage.identity import FolderState

_MOST_CHARACTERS = 60
"""The length of a value in the list of settings; longer ones are cut."""
_STAGES_OF_INPUT_JOBS = ("writer", "runner")


def show_forecast(job: Job, screen: Screen) -> None:
    """Show what a run of the job would make, with size and time by a short measurement."""
    result = forecast(job, screen)
    for line in _lines(result):
        screen.line(line)
    for note in job.catalogue.notes:
        screen.line(note, "note")
    screen.line("nothing was written (--dry-run)", "dry-run", **_facts(result))


def _lines(result: Forecast) -> Iterator[str]:
    job = result.job
    plain = to_plain(job.root)
    yield f"output    {job.output}, {state_of(result)}"
    yield f"samples   {job.plan.samples:,}{_splits(job)}"
    yield f"settings  {_settings({name: plain[name] for name in _root_names(job)})}"
    for kind in _kinds(job):
        yield from _stages(kind, plain.get(kind, {}))
    yield from _assets(job)
    shards = len(result.missing)
    yield f"shards    {shards:,} to make, of {job.plan.shard_size:,} samples at most"
    if result.measurement is not None:
        yield from _measured(result)


def state_of(result: Forecast) -> str:
    """What the output folder is to the run."""
    missing, samples = result.missing.samples, result.job.plan.samples
    if result.state is FolderState.without_samples:
        return "whose plan of another dataset, without any sample, would give way"
    if result.state is FolderState.empty:
        is_full = result.job.root.overwrite and (result.job.output / "plan.json").exists()
        return "whose dataset would be deleted" if is_full else "a new dataset"
    kept = f"{samples - missing:,} samples are in"
    if result.state is FolderState.fewer_samples:
        return f"which would be extended; {kept} full shards, which stay"
    return (
        f"which would be completed; {kept} finished shards" if missing else "which has all samples"
    )


def _splits(job: Job) -> str:
    counts = ", ".join(f"{name} {count:,}" for name, count in job.plan.counts.items())
    return f" ({counts})" if len(job.plan.counts) > 1 else ""


def _root_names(job: Job) -> list[str]:
    """The settings that have an effect on the job, without those that have lines of their own."""
    names = job.identity.description["config"]
    return [name for name in names if name not in (*KINDS, "samples", "shard_size")]


def _kinds(job: Job) -> tuple[str, ...]:
    """The config groups that have an effect on the job."""
    if isinstance(job, Generate):
        return tuple(KINDS)
    used = job.identity.description["config"]
    return tuple(kind for kind in KINDS if kind in used or kind in _STAGES_OF_INPUT_JOBS)


def _stages(kind: str, plain: dict[str, Any]) -> Iterator[str]:
    """Yield a line for each stage of a group."""
    stages = plain.values() if kind in LISTS else [plain]
    for stage in stages:
        settings = {name: value for name, value in stage.items() if name != STAGE}
        yield f"{kind:<9} {stage[STAGE]}  {_settings(settings)}".rstrip()


def _settings(plain: dict[str, Any]) -> str:
    return " ".join(f"{name}={_short(value)}" for name, value in _flat(plain))


def _flat(plain: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in plain.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
    return text if len(text) <= _MOST_CHARACTERS else f"{text[: _MOST_CHARACTERS - 3]}..."


def _assets(job: Job) -> Iterator[str]:
    if text := assets_in_one_line(job.catalogue, job.root.source.name):
        yield f"assets    {text}"
    if isinstance(job, InputJob):
        yield f"input     {', '.join(job.input.paths)}"


def _measured(result: Forecast) -> Iterator[str]:
    assert result.measurement is not None, "the caller has checked it"
    count = f"measured on {result.measurement.samples:,} samples"
    free = result.job.output.free_bytes()
    space = "" if free is None else f"; {free / 1e9:,.0f} GB free"
    most = min(result.job.plan.shard_size, result.missing.samples)
    each = result.measurement.bytes * most
    yield f"size      about {size(result.bytes)}, {size(each)} a full shard, {count}{space}"
    workers = result.workers
    by = "in one process" if workers is None else f"with {workers} worker{'s' * (workers > 1)}"
    rate = rounded(result.missing.samples / max(result.seconds, 1e-9))
    yield f"time      about {duration(result.seconds)} {by}, {rate}/s"


def _facts(result: Forecast) -> dict[str, Any]:
    job = result.job
    return {
        "output": str(job.output),
        "folder": result.state.name,
        "samples": job.plan.samples,
        "missing": result.missing.samples,
        "splits": dict(job.plan.counts),
        "shards": len(result.missing),
        "shard_size": job.plan.shard_size,
        "bytes": round(result.bytes),
        "seconds": round(result.seconds, 1),
        "workers": result.workers,
        "config": to_plain(job.root),
    }
