"""The charts of the report. Each caption says on which samples the chart is based."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from depthmask.data import DepthContract
from depthmask.reports.dataset.charts import histogram, placement_map
from depthmask.reports.dataset.collect import Findings
from depthmask.reports.dataset.formatting import counted
from depthmask.reports.dataset.histogram import Histogram
from depthmask.reports.units import depth_title, with_unit
from depthmask.statistics.added import Distribution
from depthmask.storage.dataset_info import DatasetInfo


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture with its title and caption."""

    title: str
    picture: Markup
    caption: str


def distributions(
    info: DatasetInfo, contract: DepthContract | None, findings: Findings
) -> Iterator[Chart]:
    """Yield a chart for each quantity with at least two values."""
    if contract is not None and findings.pixels.depth.total > 1:
        yield _depth(contract, findings)
    if findings.pixels.samples > 1:
        yield Chart(
            "Mask area",
            histogram(findings.pixels.area, "covered share of the image [%]", "%", percent=True),
            f"Share of samples. {_quartiles(findings.pixels.area, '%', 100)} {_decoded(findings)}",
        )
    census, source = (
        findings.census,
        f"Based on all {counted(findings.census.samples, 'description')}.",
    )
    if census.visible.total > 1:
        yield Chart(
            "Visible share",
            histogram(census.visible, "visible share of the foreground [%]", "%", percent=True),
            f"Share of the {census.visible.total:,} layers (placed foregrounds). The edges of the "
            f"canvas and nearer pixels hide the rest. {source}",
        )
    if census.distance_m.total > 1:
        yield Chart(
            "Foreground distance",
            histogram(census.distance_m, "depth at the foot point [m]", " m"),
            f"Share of the {census.distance_m.total:,} layers. "
            f"{_quartiles(census.distance_m, ' m')} {source}",
        )
    if census.placement.sum() > 1:
        yield Chart(
            "Placement",
            placement_map(census, info.size),
            "Centres of the boxes: the stronger the colour, the more boxes. The frame is the "
            f"canvas. {source}",
        )
    for name, distribution in sorted(findings.statistics.added.items()):
        if distribution.quantity.bins and sum(distribution.counts[1:-1]) > 1:
            yield _added(name, distribution)


def _added(name: str, distribution: Distribution) -> Chart:
    """The histogram of a statistic that a plugin has added."""
    assert distribution.quantity.bins is not None, "it has a histogram"
    low, high, bins = distribution.quantity.bins
    below, *counts, above = distribution.counts
    numbers = Histogram((high - low) / bins, high, low)
    numbers.counts[:] = counts
    unit = distribution.quantity.unit
    help_text, values = distribution.help.rstrip("."), counted(sum(counts), "value")
    outside = f", {below:,} below and {above:,} above the bins" if below or above else ""
    return Chart(
        name,
        histogram(numbers, with_unit(name, unit), f" {unit}".rstrip()),
        f"{help_text}. Share of {values}{outside}. Measured by {distribution.quantity.package} in "
        f"{counted(distribution.samples, 'sample')}.",
    )


def _depth(contract: DepthContract, findings: Findings) -> Chart:
    unit = f" {contract.unit}".rstrip()
    depth = findings.pixels.depth
    return Chart(
        "Depth",
        histogram(depth, depth_title(contract), unit),
        f"Share of valid pixels. {_quartiles(depth, unit)} {_decoded(findings)}",
    )


def _decoded(findings: Findings) -> str:
    decoded, samples = findings.pixels.samples, findings.census.samples
    if decoded == samples:
        return f"Based on all {counted(samples, 'sample')}."
    return f"Based on the pixels of {counted(decoded, 'sample')}, spread over all {samples:,}."


def _quartiles(numbers: Histogram, unit: str, factor: float = 1) -> str:
    first, median, last = (
        f"{numbers.quantile(share) * factor:#.3g}".rstrip(".") for share in (0.25, 0.5, 0.75)
    )
    return f"Median {median}{unit}, interquartile range {first} to {last}{unit}."
