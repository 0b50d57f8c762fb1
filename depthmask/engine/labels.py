"""Computes the labels of samples with the label stages of a run."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from depthmask.codec.labels import LabelCodec, LabelOutput
from depthmask.codec.sample import Encode, InstancesFormat, LayerLabels, SizeEstimate
from depthmask.compose.results import read_only
from depthmask.config.plugins import registry
from depthmask.config.root import Root
from depthmask.data import Composite, DepthContract, Float32, Size
from depthmask.errors import DepthmaskError, UsageError, group_before_setting_errors
from depthmask.plan.rng import Stream
from depthmask.stage.calls import StageCalls, StageError
from depthmask.stages.labels.base import FinishedSample, Labels
from depthmask.stages.labels.coco import Coco
from depthmask.stages.labels.instances import Instances
from depthmask.storage.dataset_info import LabelInfo, LabelOutputInfo

_log = logging.getLogger(__name__)
_OF_LAYERS = ("depth_m", "iscrowd", "meta")
"""Keys in the JSON of a layer, or of an instance of a background, that only some have."""


class Labeller:
    """The label stages of a run, and all that they declare. Labels are the same in any worker."""

    def __init__(self, root: Root, contract: DepthContract | None) -> None:
        """Raises `UsageError` if a stage cannot label the samples of the run, or two collide."""
        self._contract = contract
        self._stages = [
            (
                stage,
                Stream(root.seed, f"labels/{stage.name}"),
                _outputs(stage, root.canvas, contract),
            )
            for stage in label_stages(root)
        ]
        self.outputs: tuple[LabelOutput, ...] = tuple(
            _distinct([(stage, outputs) for stage, _, outputs in self._stages])
        )
        """The labels of all stages; the stages are sorted by name."""

    def __bool__(self) -> bool:
        return bool(self._stages)

    @property
    def reads_geometry(self) -> bool:
        """Whether any stage reads the geometry of backgrounds."""
        return any(stage.reads_geometry for stage, _, _ in self._stages)

    def add(
        self, composite: Composite, depth: Float32 | None, meta: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The labels of a sample by name; those of layers are added to `meta["layers"]`."""
        sample = FinishedSample(composite, read_only(depth), self._contract)
        labels: dict[str, Any] = {}
        for stage, stream, outputs in self._stages:
            calls = StageCalls(stage, "label")
            with calls:
                values = stage.label(sample, stream.at(composite.recipe.index))
            try:
                _require_names(calls, values, outputs)
                for name, output in outputs.items():
                    value = output.checked(values[name])
                    if output.codec is LabelCodec.layers:
                        _join(meta, value, name)
                    else:
                        labels[name] = value
            except StageError:
                raise
            except DepthmaskError as error:
                raise StageError(stage, str(error)) from None
        return labels

    def enlarged(self, expected: SizeEstimate) -> SizeEstimate:
        """The estimate for a sample with its labels."""
        return replace(
            expected,
            members=expected.members + sum(output.member is not None for output in self.outputs),
            bytes=expected.bytes + sum(output.bytes for output in self.outputs),
        )

    def infos(self, root: Root) -> tuple[LabelInfo, ...]:
        """What `dataset.json` says about the stages that `labels` lists."""
        return tuple(
            _info(stage, outputs.values())
            for stage, _, outputs in self._stages
            if stage.name in root.labels
        )


def label_stages(root: Root) -> list[Labels]:
    """The label stages of a run, sorted by name: those of `labels`, and those of `encode`."""
    stages: dict[str, Labels] = dict(root.labels)
    if root.encode.labels is LayerLabels.coco:
        stages.setdefault(Coco.name, Coco())
    if root.encode.instances is InstancesFormat.png:
        stages.setdefault(Instances.name, Instances())
    return [stages[name] for name in sorted(stages)]


def deriving_stages(encode: Encode, infos: Iterable[LabelInfo]) -> Iterator[Labels]:
    """The label stages of a dataset that can write their files about it.

    Left out are those that write none, and those that cannot be made here, since their plugin or a
    file is absent: `convert` copies labels without them.
    """
    # Imported here, since it imports OmegaConf, which would slow down `--help`.
    from depthmask.config.build import STAGE, stage_from_plain

    names = [info.stage for info in infos]
    if encode.labels is LayerLabels.coco and Coco.name not in names:
        yield Coco()
    for info in infos:
        # Not only those of packages: a script may define the stage.
        registered = registry().find(Labels.kind, info.stage)
        if registered is None or registered.stage.derive is Labels.derive:  # type: ignore[attr-defined]
            continue
        try:
            yield stage_from_plain(Labels.kind, {STAGE: info.stage, **info.settings})
        except UsageError as error:
            _log.warning("labels=%s writes no files about the dataset: %s", info.stage, error)


def _outputs(stage: Labels, size: Size, contract: DepthContract | None) -> dict[str, LabelOutput]:
    calls = StageCalls(stage, "outputs")
    with group_before_setting_errors(f"labels.{stage.name}"), calls:
        outputs = stage.outputs(size, contract)
    if not isinstance(outputs, Sequence) or not all(
        isinstance(output, LabelOutput) for output in outputs
    ):
        raise calls.returned(outputs, "a list of LabelOutput")
    by_name = {output.name: output for output in outputs}
    if len(by_name) < len(outputs):
        raise calls.fault("returned two labels of one name")
    return by_name


def _distinct(outputs: Sequence[tuple[Labels, Mapping[str, LabelOutput]]]) -> Iterator[LabelOutput]:
    """Yield all outputs; raises `UsageError` if two stages declare a label of the same name."""
    owners: dict[str, str] = {}
    for stage, declared in outputs:
        for name, output in declared.items():
            if name in owners:
                raise UsageError(
                    f"labels=[{owners[name]},{stage.name}]: both give a label {name!r}; "
                    "choose one of them"
                )
            owners[name] = stage.name
            yield output


def _require_names(calls: StageCalls, values: object, outputs: Mapping[str, LabelOutput]) -> None:
    if not isinstance(values, Mapping):
        raise calls.returned(values, f"a mapping with {sorted(outputs)}")
    if values.keys() != outputs.keys():
        raise calls.fault(f"returned {list(values)}; expected {sorted(outputs)}, as declared")


def _join(meta: Mapping[str, Any], values: Any, name: str) -> None:
    """Add the values of a label to those of each layer, and of each instance of the background."""
    layers, own = meta["layers"], meta.get("background_instances", ())
    # A stage may label the layers alone.
    if not isinstance(values, list) or len(values) not in (len(layers), len(layers) + len(own)):
        raise DepthmaskError(f"{name}: expected a list with a mapping for each layer")
    for layer, value in zip((*layers, *own), values, strict=False):
        if not isinstance(value, dict):
            raise DepthmaskError(f"{name}: expected a list with a mapping for each layer")
        if taken := sorted({*layer, *_OF_LAYERS} & value.keys()):
            raise DepthmaskError(f"{name}: {taken[0]!r} is taken in the JSON of a layer")
        layer |= value


def _info(stage: Labels, outputs: Iterable[LabelOutput]) -> LabelInfo:
    # Imported here, since it imports OmegaConf, which would slow down `--help`.
    from depthmask.config.build import plain_settings

    return LabelInfo(
        stage=stage.name,
        settings=plain_settings(stage),
        reads_depth=stage.reads_depth,
        outputs=tuple(
            LabelOutputInfo(output.name, output.member, output.meaning) for output in outputs
        ),
    )
