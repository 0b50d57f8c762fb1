"""Repairs a dataset: has a run restore what is lost, and removes what belongs to no shard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from depthmask.engine.display import Display
from depthmask.engine.from_plan import job_from_plan
from depthmask.engine.job import Job
from depthmask.engine.restore import Restorer
from depthmask.engine.run import run_job
from depthmask.errors import DepthmaskError
from depthmask.plan.layout import Shard, Shards
from depthmask.reading.dataset import no_dataset
from depthmask.storage.identity import DatasetIdentity, check_output
from depthmask.storage.packages import PIXEL_VERSIONS, other_pixels
from depthmask.storage.path import StorePath
from depthmask.storage.publish import read_sealed
from depthmask.storage.verify import Findings, Problem, inspected


def findings_in(dataset: StorePath, display: Display) -> Findings:
    """What is wrong with a dataset; raises `UsageError` if there is none at this path."""
    if not (dataset / "plan.json").has_name():
        raise no_dataset(dataset)
    with display.waiting(f"checking the files of {dataset}"):
        return inspected(dataset)


def repair(
    output: StorePath,
    problems: Sequence[Problem],
    display: Display,
    *,
    assets: str | None = None,
) -> list[str]:
    """Make what a dataset lacks, and remove the files that belong to no shard.

    assets: the present `source.root`; None if that of the plan holds. Returns and raises as
    `_make_lost_shards`.
    """
    not_compared = _make_lost_shards(output, display, assets)
    # Only after the run, so that a run that is refused changes nothing.
    for problem in problems:
        if problem.stray is not None:
            problem.stray.unlink(missing_ok=True)
    return not_compared


def of_unknown_shards(output: StorePath, not_compared: Sequence[str]) -> str:
    """What to say about the shards that `repair` could compare with nothing."""
    return (
        f"{output}: complete; {len(not_compared):,} of the shards are new, from "
        f"{not_compared[0]} on: neither their records nor dataset.json were there, so nothing "
        "tells whether their bytes are those of an earlier publication"
    )


def _make_lost_shards(output: StorePath, display: Display, assets: str | None) -> list[str]:
    """Make what a dataset lacks; a shard that was published before keeps its bytes.

    Returns the names of new shards that could be compared with nothing, since neither their record
    nor `dataset.json` was there. Raises `DepthmaskError` for shards that cannot be made as they
    were, once all others are repaired; for a damaged plan; and like `run_job`.
    """
    plan = read_sealed(output / "plan.json")
    if plan is None:
        raise DepthmaskError(
            f"{output}: plan.json is damaged; make the dataset again with overwrite=true"
        )
    job = job_from_plan(plan, output, assets=assets)
    pixels = other_pixels(plan, job.identity.description)
    # Another pixel version alone is no reason to refuse the repair: the bytes are compared.
    recorded = {PIXEL_VERSIONS: plan.get(PIXEL_VERSIONS, {})}
    present = replace(job.identity, description={**job.identity.description, **recorded})
    check_output(output, present, overwrite=False)
    identity = DatasetIdentity.of_plan(plan).continued_by(job.identity)
    restorer = _Repairer(display, pixels)
    run_job(replace(job, identity=identity), display, restorer)
    return restorer.not_compared


@dataclass
class _Repairer(Restorer):
    """Keeps the names of the shards without a record, where `dataset.json` is lost as well."""

    not_compared: list[str] = field(default_factory=list)

    def provable(self, job: Job, missing: Shards) -> list[Shard]:
        """Raises `DepthmaskError` for another pixel version, if there are such shards."""
        shards = super().provable(job, missing)
        self.not_compared = sorted({one.name for one in missing} - {one.name for one in shards})
        if self.not_compared and self.pixels:
            raise self.refusal(job, self.not_compared, "nothing tells their bytes")
        return shards
