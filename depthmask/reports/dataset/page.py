"""Renders the report: one HTML file that needs no other file and no network."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np
from markupsafe import Markup, escape

from depthmask._version import __version__
from depthmask.codec.png import encode_png
from depthmask.config.command_from_plan import command_from_plan
from depthmask.config.plan_config import config_of
from depthmask.contract import contract_as_json
from depthmask.data import DepthContract, DepthKind
from depthmask.reading.dataset import Dataset
from depthmask.reports.card.licences import with_own_licence
from depthmask.reports.colormap import colour
from depthmask.reports.dataset.census import Census
from depthmask.reports.dataset.checks import checks
from depthmask.reports.dataset.collect import Findings, collect
from depthmask.reports.dataset.distributions import distributions
from depthmask.reports.dataset.formatting import counted
from depthmask.reports.dataset.gallery import Card, data_uri, steps_per_unit
from depthmask.reports.dataset.histogram import Histogram
from depthmask.reports.dataset.picture_kinds import picture_kinds
from depthmask.reports.templates import page_template
from depthmask.reports.units import depth_title, size
from depthmask.storage.dataset_info import LICENSED, DatasetInfo
from depthmask.storage.publish import require_sealed
from depthmask.untrusted import untrusted, visible_lines

_CHANNELS = {"image": ("red", "green", "blue"), "mask": ("mask",)}
_COLOURS = 256


@dataclass(frozen=True, slots=True)
class Scale:
    """How the page colours depth and prints it.

    per_unit: steps of a `DepthPicture` in the unit. digits: decimals of a printed depth. near, far:
    the depths at the ends of the colour scale. colours: base64 of 256 RGB values, from near to far.
    bar: a picture of the scale as a `data:` URI.
    """

    per_unit: float
    digits: int
    unit: str
    near: float
    far: float
    colours: str
    bar: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A value by which the gallery can be filtered."""

    key: str
    label: str


def report(dataset: Dataset, advance: Callable[[int], None] = lambda samples: None) -> str:
    """The HTML of the page. advance: called with the number of samples read since the last call."""
    plan = require_sealed(dataset.path / "plan.json")
    findings = collect(dataset, advance)
    with untrusted(str(dataset.path)):
        return _rendered(dataset, plan, findings)


def _rendered(dataset: Dataset, plan: dict[str, Any], findings: Findings) -> str:
    # Imported here, since only runs and reports need it.
    import yaml

    info, contract = dataset.metadata, dataset.contract
    census = findings.census
    has_several = len({*census.labels.values(), *census.instances_by_label}) > 1
    labels = census.labels if has_several else {}
    script = files("depthmask.reports.dataset").joinpath("page.js").read_text(encoding="utf-8")
    return page_template("depthmask.reports.dataset").render(
        name=dataset.path.absolute().name,
        info=info,
        counted=counted,
        size=size,
        command=command_from_plan(plan),
        splits=findings.splits,
        checks=checks(info, contract, findings),
        cards=findings.cards,
        split_choices=_choices(findings.cards, lambda card: [card.split], {}),
        background_choices=_choices(findings.cards, lambda card: [card.background], {}),
        foreground_choices=_choices(findings.cards, lambda card: card.foregrounds, labels),
        label_choices=_choices(findings.cards, lambda card: card.labels, {}) if labels else (),
        classes=list(_classes(census)) if labels else (),
        has_background_instances=bool(census.instances_by_label),
        blend_choices=_choices(findings.cards, lambda card: [card.blend], {}),
        has_labels=bool(labels),
        scale=_scale(contract, findings.pixels.depth)
        if contract and findings.pixels.has_depth
        else None,
        statistics=list(_statistics(dataset, findings, contract)),
        added_statistics=sorted(findings.statistics.added.items()),
        kinds=list(picture_kinds(info, contract, findings)),
        charts=list(distributions(info, contract, findings)),
        stations=sorted(findings.seconds.items(), key=lambda item: -item[1]),
        seconds=sum(findings.seconds.values()),
        contract=contract_as_json(contract),
        licences=list(_licences(with_own_licence(info, plan))),
        member_bytes=findings.census.member_bytes,
        config=_as_lines(yaml.safe_dump(config_of(plan), sort_keys=False, allow_unicode=True)),
        version=__version__,
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def _as_lines(text: str) -> Markup:
    """A text whose line breaks stay, unlike those of all others (see `page_template`)."""
    return escape(visible_lines(text))


def _choices(
    cards: list[Card], keys_of: Callable[[Card], list[str]], labels: dict[str, str]
) -> list[Choice]:
    keys = sorted({key for card in cards for key in keys_of(card) if key})
    return [Choice(key, f"{key} ({labels[key]})" if labels.get(key) else key) for key in keys]


def _classes(census: Census) -> Iterator[tuple[str, int, int, int]]:
    """Yield each label with how many foregrounds, layers and instances of backgrounds have it."""
    foregrounds = Counter(census.labels.values())
    layers, own = census.layers_by_label, census.instances_by_label
    for label in sorted({*layers, *own}):
        yield label or "-", foregrounds[label], layers[label], own[label]


def _statistics(
    dataset: Dataset, findings: Findings, contract: DepthContract | None
) -> Iterator[tuple[str, list[tuple[float, float] | None]]]:
    """Yield each channel with (mean, std) of the dataset and of each split, None without values."""
    tables = [dataset.stats]
    if len(findings.splits) > 1:
        tables += [split.statistics.summary() for split in findings.splits.values()]
    for kind, names in {**_CHANNELS, "depth": (depth_title(contract),)}.items():
        for number, name in enumerate(names):
            cells = [
                (table[kind]["mean"][number], table[kind]["std"][number]) if kind in table else None
                for table in tables
            ]
            if any(cells):
                yield name, cells


def _licences(info: DatasetInfo) -> Iterator[tuple[str, str, int]]:
    """Yield (kind, licence, number of assets); nothing if no asset has a licence."""
    if not any(info.licences.values()):
        return
    for kind in LICENSED:
        for text, count in info.licences[kind].items():
            yield kind, text, count
        if unlicensed := info.unlicensed(kind):
            yield kind, "not given", unlicensed


def _scale(contract: DepthContract, depth: Histogram) -> Scale:
    """The scale from the 1st to the 99th percentile; a far corner does not take most colours."""
    near, far = depth.quantile(0.01), depth.quantile(0.99)
    if contract.kind is DepthKind.disparity:
        near, far = far, near
    ramp = np.linspace(near, far, _COLOURS, dtype=np.float32)
    colours = colour(ramp[None], near, far)
    return Scale(
        per_unit=steps_per_unit(contract),
        digits=2 if contract.kind is DepthKind.metric_z else 3,
        unit=contract.unit,
        near=near,
        far=far,
        colours=base64.b64encode(colours.tobytes()).decode(),
        bar=data_uri("png", encode_png(colours)),
    )
