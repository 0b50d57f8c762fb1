"""What a run says about itself, in the terminal and in its log."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from depthmask.concurrency import machine_info
from depthmask.config.command_from_plan import command_of
from depthmask.config.plugins import registry
from depthmask.config.versions import versions
from depthmask.data import AssetCatalogue, LeftOut
from depthmask.engine.display import Display
from depthmask.engine.job import Job
from depthmask.reports.dataset.formatting import counted
from depthmask.reports.units import size
from depthmask.storage.left_out import left_out_in_one_line

_log = logging.getLogger(__name__)


def log_beginning(job: Job, left_out: Iterable[LeftOut]) -> None:
    """Log versions, machine, output, the command of the dataset, and the files left out."""
    _log.info("depthmask %s, %s, %s", versions(job.root)["depthmask"], machine_info(), job.output)
    if command := command_of(job.identity.description, job.output):
        _log.info("command: %s", command)
    for asset in left_out:
        _log.info("left out: %s: %s", asset.file, asset.reason)


def show_plugins(display: Display) -> None:
    """Show a warning for each plugin that could not be loaded, and for what else is wrong."""
    for warning in (*registry().problems, *registry().warnings):
        display.line(str(warning), "warning")


def show_assets(job: Job, display: Display) -> None:
    """Show how many assets there are, and the notes of the source."""
    if text := assets_in_one_line(job.catalogue, job.root.source.name):
        display.line(text)
    for note in job.catalogue.notes:
        _log.warning("%s", note)


def assets_in_one_line(catalogue: AssetCatalogue, source: str) -> str:
    """How many assets a run uses, and how many files it does not use and why.

    source: the name of the source. Empty for a job that uses no assets.
    """
    if not catalogue.backgrounds:
        return ""
    backgrounds = counted(len(catalogue.backgrounds), "background")
    counts = f"{backgrounds}, {counted(len(catalogue.foregrounds), 'foreground')}"
    origin = f"in {catalogue.origin}" if catalogue.origin else f"of source={source}"
    unused = left_out_in_one_line(catalogue.left_out)
    return f"{counts} {origin}" + (f"; {unused}" if unused else "")


def announce(job: Job, samples: int, display: Display) -> None:
    """Show how many samples the run makes, their size, and the output."""
    display.line(
        _announcement(job, samples),
        "start",
        samples=samples,
        already_made=job.plan.samples - samples,
        bytes=samples * job.sample_bytes,
        output=str(job.output),
    )


def _announcement(job: Job, samples: int) -> str:
    """As text for people."""
    made = job.plan.samples - samples
    if not samples:
        return f"all {made:,} samples are already made, into {job.output}"
    resumed = f" ({made:,} are already made)" if made else ""
    free = job.output.free_bytes()
    space = "" if free is None else f"{size(free)} free, "
    expected = f"about {size(samples * job.sample_bytes)}"
    return f"{samples:,} samples{resumed}, {expected}, {space}into {job.output}"


@dataclass
class Tally:
    """Counts the samples that are made and those that are in published shards."""

    published: int
    made: int = 0

    @contextmanager
    def report_loss(self, display: Display) -> Iterator[None]:
        """Say how many samples an interruption inside the block loses."""
        start = self.published
        try:
            yield
        except KeyboardInterrupt:
            if (lost := self.made - (self.published - start)) > 0:
                display.line(
                    f"{lost:,} samples of unfinished shards will be made again; "
                    f"{self.published:,} samples are in finished shards"
                )
            raise
