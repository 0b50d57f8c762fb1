"""Makes the job of a config: it generates samples from assets."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import fields, replace
from difflib import get_close_matches

import numpy as np

from depthmask.asset_store.folder import can_store, set_limit
from depthmask.compose.asset_splits import crowded_backgrounds, split_assets, unused_by_split
from depthmask.compose.stored_assets import store_seen
from depthmask.config.plan_config import defaults_of, plan_config
from depthmask.config.resources import check_inner_stages, check_resources, check_stage
from depthmask.config.root import Root
from depthmask.config.versions import plan_versions, stages_of
from depthmask.contract import contract_as_json
from depthmask.data import AssetCatalogue, DepthContract, Size
from depthmask.engine.generate import Generate
from depthmask.engine.labels import Labeller
from depthmask.engine.sample_size import sample_size
from depthmask.engine.shard_size import shard_size_of
from depthmask.errors import SettingError, UsageError, group_before_setting_errors
from depthmask.plan.plan import Plan, Sampling, SplitAssets
from depthmask.stage import Stage
from depthmask.stage.calls import StageCalls
from depthmask.stage.decorators import setting_types
from depthmask.stages.depth.base import Depth
from depthmask.stages.geometry.estimated import as_geometry
from depthmask.stages.source.assets import Assets
from depthmask.stages.source.base import Source, catalogue_of, prepared_taken
from depthmask.stages.writer.base import check_shard_size
from depthmask.storage.dataset_info import SCHEMA
from depthmask.storage.identity import NOT_IN_PLAN, DatasetIdentity
from depthmask.storage.location import SCHEMES, holds, location
from depthmask.storage.path import StorePath
from depthmask.untrusted import other_accents

_SAMPLE_KINDS = ("source", "placement", "blend", "depth", "labels")
"""The config groups whose stages make the samples; those inside a geometry may have nothing to
measure. Writer and runner only make the files."""
_UNLABELLED = "foreground"
"""The label of the assets that have none of their own."""
_URLS = tuple(f"{scheme}://" for scheme in SCHEMES)
_MOST_LABELS = 20
"""The most labels that an error lists."""


def job_from_config(root: Root, *, sweep: bool = False) -> Generate:
    """The job that generates the dataset of a config; nothing is written.

    sweep: `output` is a folder of datasets, one for each job. Raises `UsageError` for a bad config
    or bad assets, and if this machine
    lacks what a stage needs to make samples.
    """
    check_resources(stages_of(root, _SAMPLE_KINDS))
    check_stage("geometry", root.geometry)
    set_limit(root.runner.store_bytes)
    with prepared_taken(store_seen) if can_store() else nullcontext():
        catalogue = catalogue_of(root.source, root.canvas)
    _require_known_labels(root)
    _require_count(root.blend, "variants")
    splits, notes = _splits_and_notes(root, catalogue)
    catalogue = replace(catalogue, notes=(*catalogue.notes, *notes))
    root = replace(root, samples=_samples(root, splits))
    plan = _plan(root, splits)
    geometry = _geometry_contract(root, plan)
    contract = contract_of(root.depth, root.canvas, geometry)
    root.encode.check(contract)
    expected = Labeller(root, contract).enlarged(sample_size(root, plan, contract))
    plan = plan.in_shards_of(shard_size_of(root, expected.bytes))
    check_shard_size(root.writer, expected, plan)
    names = [field.name for field in fields(root) if field.name not in NOT_IN_PLAN]
    identity = DatasetIdentity(
        {
            "schema": SCHEMA,
            "job": "generate",
            **plan_config(root, names, plan.shard_size),
            "inputs": catalogue.digest,
            "depth": contract_as_json(contract),
            **plan_versions(root, names),
        },
        catalogue.hashes,
        defaults_of(root),
    )
    output = _output(root, identity, sweep)
    keep_apart(catalogue, output)
    if root.overwrite:
        _keep_inputs(root, output)
    job = Generate(root, plan, contract, output, identity, catalogue, geometry, expected.bytes)
    if job.backgrounds_to_measure():
        check_inner_stages("geometry", root.geometry)
    return job


def _splits_and_notes(
    root: Root, catalogue: AssetCatalogue
) -> tuple[tuple[SplitAssets, ...], list[str]]:
    """The splits with the assets that samples may have, and notes about the others."""
    every, most = split_assets(root.source, catalogue, root.split), root.object_range[1]
    splits = tuple(one.for_objects(most) for one in every)
    return splits, [*unused_by_split(catalogue, every), *crowded_backgrounds(every, splits, most)]


def contract_of(
    depth: Depth, size: Size, geometry: DepthContract | None = None
) -> DepthContract | None:
    """The contract of a depth stage, checked; raises `UsageError` as the stage does."""
    calls = StageCalls(depth, "contract")
    with group_before_setting_errors("depth"), calls:
        contract = depth.contract(size, geometry)
    if not isinstance(contract, DepthContract | None):
        raise calls.returned(contract, "a DepthContract, or None")
    _require_count(depth, "batch_size")
    return contract


def _require_known_labels(root: Root) -> None:
    """Raise `SettingError` if a setting of the placement names a label that no foreground has."""
    with StageCalls(root.placement, "labels_in_settings"):
        by_setting = {
            name: list(labels) for name, labels in root.placement.labels_in_settings().items()
        }
    if not any(by_setting.values()):
        return
    with StageCalls(root.source, "foreground_labels"):
        known = list(root.source.foreground_labels())
    for setting, labels in by_setting.items():
        for label in labels if known else ():
            if label not in known:
                value = f"{{{label}: ...}}"
                raise SettingError(f"placement.{setting}", value, _unknown_label(label, known))


def _unknown_label(label: object, known: Sequence[str]) -> str:
    close = get_close_matches(str(label), known, 1)
    if close:
        accents = other_accents(str(label), close[0])
        return f"no foreground has this label; did you mean {close[0]}?{accents}"
    if list(known) == [_UNLABELLED]:
        return (
            "no foreground has a label; source=assets reads them from the column label of "
            "assets.csv"
        )
    more = f" and {len(known) - _MOST_LABELS} more" if len(known) > _MOST_LABELS else ""
    return f"no foreground has this label; the labels are {', '.join(known[:_MOST_LABELS])}{more}"


def _geometry_contract(root: Root, plan: Plan) -> DepthContract | None:
    """The contract of the geometry of the backgrounds, checked."""
    known = sum(_has_depth(root.source, key) for key in plan.backgrounds) / len(plan.backgrounds)
    calls = StageCalls(root.geometry, "contract", "geometry")
    with group_before_setting_errors("geometry"), calls:
        contract = as_geometry(root.geometry).contract(root.canvas, known)
    if not isinstance(contract, DepthContract | None):
        raise calls.returned(contract, "a DepthContract, or None")
    _require_count(root.geometry, "batch_size")
    return contract


def _has_depth(source: Source, key: str) -> bool:
    calls = StageCalls(source, "has_depth")
    with calls:
        has_depth = source.has_depth(key)
    if not isinstance(has_depth, bool | np.bool_):
        raise calls.returned(has_depth, "True or False")
    return bool(has_depth)


def _require_count(stage: Stage, name: str) -> None:
    """Raise `StageError` unless a property of a stage is a number of at least 1."""
    calls = StageCalls(stage, name)
    with calls:
        count = getattr(stage, name)
    if type(count) is not int or count < 1:
        raise calls.returned(count, "a whole number of at least 1")


def _samples(root: Root, splits: Sequence[SplitAssets]) -> int:
    """The number of samples: `samples`, or all pairs of assets with `sampling=product`."""
    if root.samples is not None:
        return root.samples
    if root.sampling is not Sampling.product or len(splits) > 1:
        raise SettingError(
            "samples", "null", "means all pairs of sampling=product without splits; give a number"
        )
    return splits[0].pairs * root.repeats * (1 + root.flips) * root.blend.variants


def _plan(root: Root, splits: tuple[SplitAssets, ...]) -> Plan:
    """The plan, in shards of one sample until the size of a sample is known."""
    assert root.samples is not None, "_samples has set it"
    return Plan(
        seed=root.seed,
        samples=root.samples,
        shard_size=root.shard_size or 1,
        sampling=root.sampling,
        objects=root.object_range,
        flips=root.flips,
        repeats=root.repeats,
        splits=splits,
        variants=root.blend.variants,
    )


def _output(root: Root, identity: DatasetIdentity, sweep: bool) -> StorePath:
    """The folder of the dataset; without `output` it is named by stages and fingerprint."""
    stages = (root.source, root.placement, root.depth, root.writer)
    name = "-".join([*(stage.name for stage in stages), identity.fingerprint[:8]])
    if root.output is None:
        return location("outputs") / name
    return location(root.output) / name if sweep else location(root.output)


def keep_apart(catalogue: AssetCatalogue, output: StorePath) -> None:
    """Raise `UsageError` for an output among the assets: the next run would read it as such."""
    for folder in catalogue.folders:
        if holds(location(folder), output):
            raise UsageError(
                f"output={output}: lies in {folder}, whose files are assets; choose another output"
            )


def _keep_inputs(root: Root, output: StorePath) -> None:
    """Raise `UsageError` if a setting names a path in the output, which is about to be deleted."""
    for kind, stage in stages_of(root):
        for name in setting_types(type(stage)):
            for value in map(os.path.expanduser, _paths(stage, name)):
                is_path = value.startswith(_URLS) or os.path.exists(value)
                if is_path and holds(output, location(value)):
                    raise UsageError(
                        f"{kind}.{name}={value}: lies in output={output}, which overwrite=true "
                        "would delete; choose another output"
                    )


def _paths(stage: Stage, name: str) -> Sequence[str]:
    """The value of a setting as text; of several folders, each."""
    if isinstance(stage, Assets) and name == "root":
        return stage.roots
    return [str(getattr(stage, name))]
