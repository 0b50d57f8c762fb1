"""The charts of the page, each with where its numbers are from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from depthmask.data import DepthContract
from depthmask.reports.dataset.charts import histogram, placement_map
from depthmask.reports.dataset.collect import Findings
from depthmask.reports.dataset.histogram import Histogram
from depthmask.reports.dataset.words import counted
from depthmask.storage.dataset_info import DatasetInfo


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture with what stands above and below it."""

    title: str
    picture: Markup
    caption: str


def distributions(
    info: DatasetInfo, contract: DepthContract | None, found: Findings
) -> Iterator[Chart]:
    """Of all that more than one number is known of."""
    if contract is not None and found.pixels.depth.total > 1:
        yield _depth(contract, found)
    if found.pixels.samples > 1:
        yield Chart(
            "Mask area",
            histogram(found.pixels.area, "covered share of the image [%]", "%", percent=True),
            f"Share of samples. {_quartiles(found.pixels.area, '%', 100)} {_decoded(found)}",
        )
    census, source = found.census, f"Based on all {counted(found.census.samples, 'description')}."
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
            "Where the middles of the boxes lie: the stronger the colour, the more. The frame is "
            f"the canvas. {source}",
        )


def _depth(contract: DepthContract, found: Findings) -> Chart:
    title = f"depth [{contract.unit}]" if contract.unit else "depth"
    unit = f" {contract.unit}".rstrip()
    depth = found.pixels.depth
    return Chart(
        "Depth",
        histogram(depth, title, unit),
        f"Share of valid pixels. {_quartiles(depth, unit)} {_decoded(found)}",
    )


def _decoded(found: Findings) -> str:
    some, all_samples = found.pixels.samples, found.census.samples
    if some == all_samples:
        return f"Based on all {counted(some, 'sample')}."
    return f"Based on the pixels of {counted(some, 'sample')}, spread over all {all_samples:,}."


def _quartiles(numbers: Histogram, unit: str, factor: float = 1) -> str:
    first, middle, last = (
        f"{numbers.quantile(part) * factor:#.3g}".rstrip(".") for part in (0.25, 0.5, 0.75)
    )
    return f"Median {middle}{unit}, interquartile range {first} to {last}{unit}."
