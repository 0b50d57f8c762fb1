"""Labelled image datasets: cut-out foregrounds over backgrounds, with mask and depth.

This is the whole interface for users and plugin authors: `make`, `annotate` and `convert` make
datasets, `open` and `virtual` read them, `verify` and `report` check and describe them;
`stage`, `setting`, `hookimpl` and the abstract stage classes for plugins; the data objects; the
errors.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any

from depthmask import forks
from depthmask._version import __version__
from depthmask.codec.labels import LabelCodec, LabelOutput
from depthmask.codec.metadata import move_keypoints
from depthmask.codec.planes import from_planes
from depthmask.codec.sample import SizeEstimate
from depthmask.config.command import Command
from depthmask.config.hooks import hookimpl
from depthmask.config.root import Root
from depthmask.config.versions import versions
from depthmask.data import (
    AssetCatalogue,
    AssetFiles,
    Background,
    BackgroundInstance,
    Camera,
    Composite,
    DepthContract,
    DepthKind,
    DepthMode,
    Encoded,
    Float32,
    Foreground,
    InstancePixels,
    Layer,
    LeftOut,
    Meta,
    Plane,
    Recipe,
    Sample,
    Scene,
    Size,
    UInt8,
    UInt16,
)
from depthmask.engine.display import Display
from depthmask.engine.generate import Generate
from depthmask.engine.job import Job, Progress
from depthmask.engine.runner.base import Runner
from depthmask.engine.runner.failures import Failures, Refusal, attempt
from depthmask.engine.shard import make_shard
from depthmask.errors import (
    DepthmaskError,
    NoPlaceError,
    SettingError,
    UsageError,
    for_caller,
)
from depthmask.plan.layout import Shard
from depthmask.stage import Stage, setting, settings, stage
from depthmask.stages.blend.base import Blend, Patch
from depthmask.stages.depth.base import Depth, Estimator
from depthmask.stages.depth.fixed_batch import FixedBatchEstimator, Resolution
from depthmask.stages.geometry.base import Geometry
from depthmask.stages.labels.base import FinishedSample, Labels
from depthmask.stages.placement.base import Placement, scaled_layer
from depthmask.stages.source._cut_out import scaled_cut_out
from depthmask.stages.source._folder import AssetError
from depthmask.stages.source._inspection import OnBadAsset, refusal
from depthmask.stages.source._instances import resized_instance
from depthmask.stages.source.asset_files import AssetFolder, FileLook
from depthmask.stages.source.base import Source
from depthmask.stages.writer.base import PublishedDataset, ShardKind, Writer
from depthmask.stages.writer.reader import ShardReader, open_published
from depthmask.statistics.added import Statistic
from depthmask.storage.path import StorePath
from depthmask.storage.record import Members, Record
from depthmask.storage.remote import ObjectPath
from depthmask.storage.verify import Problem
from depthmask.untrusted import is_one_line, untrusted

if TYPE_CHECKING:
    from depthmask.engine.virtual import Virtual
    from depthmask.reading.dataset import Dataset

__all__ = [
    "AssetCatalogue",
    "AssetError",
    "AssetFiles",
    "AssetFolder",
    "Background",
    "BackgroundInstance",
    "Blend",
    "Camera",
    "Command",
    "Composite",
    "Depth",
    "DepthContract",
    "DepthKind",
    "DepthMode",
    "DepthmaskError",
    "Display",
    "Encoded",
    "Estimator",
    "Failures",
    "FileLook",
    "FinishedSample",
    "FixedBatchEstimator",
    "Float32",
    "Foreground",
    "Generate",
    "Geometry",
    "InstancePixels",
    "Job",
    "LabelCodec",
    "LabelOutput",
    "Labels",
    "Layer",
    "LeftOut",
    "Members",
    "Meta",
    "NoPlaceError",
    "ObjectPath",
    "OnBadAsset",
    "Patch",
    "Placement",
    "Plane",
    "Problem",
    "Progress",
    "PublishedDataset",
    "Recipe",
    "Record",
    "Refusal",
    "Resolution",
    "Root",
    "Runner",
    "Sample",
    "Scene",
    "SettingError",
    "Shard",
    "ShardKind",
    "ShardReader",
    "Size",
    "SizeEstimate",
    "Source",
    "Stage",
    "Statistic",
    "StorePath",
    "UInt8",
    "UInt16",
    "UsageError",
    "Writer",
    "__version__",
    "annotate",
    "attempt",
    "convert",
    "forks",
    "from_planes",
    "hookimpl",
    "is_one_line",
    "make",
    "make_shard",
    "move_keypoints",
    "open",
    "open_published",
    "refusal",
    "report",
    "resized_instance",
    "scaled_cut_out",
    "scaled_layer",
    "setting",
    "settings",
    "stage",
    "untrusted",
    "verify",
    "versions",
    "virtual",
]


_RENAMED = {"Address": "ObjectPath", "Checked": "AssetCatalogue", "Location": "StorePath"}
"""Name in version 0.1.0 -> its present name, for plugins that import the old one."""

if not TYPE_CHECKING:  # With it, a type checker would accept any name.

    def __getattr__(name: str) -> Any:
        """The object behind a name of version 0.1.0, with a warning that gives its new name."""
        if name not in _RENAMED:
            module = sys.modules[__name__]
            text = f"module 'depthmask' has no attribute {name!r}"
            raise AttributeError(text, name=name, obj=module)
        text = f"depthmask.{name} is now depthmask.{_RENAMED[name]}; rename it"
        warnings.warn(text, DeprecationWarning, stacklevel=2)
        return globals()[_RENAMED[name]]


def open(path: str | PathLike[str] | StorePath) -> Dataset:
    """Open a finished dataset as a random-access sequence of samples.

    `len(ds)`, `ds[i].image` uint8 [h, w, 3], `.mask` uint8 [h, w], `.depth` float32 [dh, dw] by
    `ds.contract`, or None, and `.meta`. Raises `UsageError` if there is no finished dataset.
    """
    # Imported here, since it imports OmegaConf, which would slow down `--help`.
    from depthmask.reading.dataset import open as open_dataset

    try:
        return open_dataset(path)
    except DepthmaskError as error:
        raise for_caller(error)  # noqa: B904


def virtual(config: Sequence[str] | Mapping[str, Any] | Root) -> Virtual:
    """The dataset that a run with these settings would make, without any files.

    config: settings as of `make`, such as `{"source": "assets", "source.root": "DIR"}`.
    Returns the same sequence as `open`; each sample is made when it is asked for, with the pixels
    before encoding. Raises `UsageError` for a bad setting, or for assets that cannot be used.
    """
    from depthmask.engine.virtual import virtual as make_virtual

    try:
        return make_virtual(config)
    except DepthmaskError as error:
        raise for_caller(error)  # noqa: B904


def make(
    config: Sequence[str] | Mapping[str, Any] | Root = (),
    *,
    output: str | PathLike[str] | StorePath | None = None,
    progress: str | Display = "auto",
) -> Dataset:
    """Make a dataset, as the command does, and open it.

    config: settings as on the command line, `["placement=ground", "samples=1000"]`, by name,
    `{"placement": "ground", "samples": 1000, "split.train": 0.8}`, or a root. output: the folder of
    the dataset; None: the setting `output`, or else outputs/STAGES-HASH. progress: `"auto"` (a bar
    on a terminal and in a notebook, else lines), `"bar"`, `"lines"`, `"none"`, or a `Display`.

    The same call again completes what an interrupted one has left, and with more `samples` extends
    the dataset. Raises `UsageError` for a bad setting, for assets that cannot be used, and for a
    folder with something else, and `DepthmaskError` if the run fails. The text of an error is the
    line that the command prints.
    """
    from depthmask.engine.interface.call import call
    from depthmask.engine.interface.make import make as make_dataset

    return call(lambda: make_dataset(config, output, progress))


def annotate(
    paths: str | PathLike[str] | StorePath | Sequence[str | PathLike[str] | StorePath],
    config: Sequence[str] | Mapping[str, Any] = (),
    *,
    output: str | PathLike[str] | StorePath | None,
    progress: str | Display = "auto",
    skip_damaged: bool = False,
) -> Dataset:
    """Add depth to existing samples, as `depthmask annotate` does; returns the new dataset.

    paths: a dataset, or photographs: folders, files, or patterns such as `photos/*.jpg`. config:
    settings as of `make`, such as `{"depth": "fastdepth"}`. output, progress: as of `make`.
    skip_damaged: leave out photographs that cannot be decoded. Raises like `make`.
    """
    from depthmask.engine.interface.call import call
    from depthmask.engine.interface.inputs import from_inputs

    return call(
        lambda: from_inputs("annotate", paths, config, output, progress, skip_damaged=skip_damaged)
    )


def convert(
    paths: str | PathLike[str] | StorePath | Sequence[str | PathLike[str] | StorePath],
    config: Sequence[str] | Mapping[str, Any] = (),
    *,
    output: str | PathLike[str] | StorePath | None,
    progress: str | Display = "auto",
    skip_damaged: bool = False,
) -> Dataset:
    """Write existing samples into other files, as `depthmask convert` does; returns the dataset.

    config: settings as of `make`, such as `{"writer": "npz"}`. The other parameters: as of
    `annotate`. Raises like `make`.
    """
    from depthmask.engine.interface.call import call
    from depthmask.engine.interface.inputs import from_inputs

    return call(
        lambda: from_inputs("convert", paths, config, output, progress, skip_damaged=skip_damaged)
    )


def verify(
    path: str | PathLike[str] | StorePath,
    *,
    repair: bool = False,
    assets: str | PathLike[str] | None = None,
    progress: str | Display = "auto",
) -> list[Problem]:
    """The problems of a dataset; none if every byte is as it was published.

    Each problem has `text` and, if it is about one shard, the name `shard`; `str(problem)` is the
    line that the command prints. `derived` names a file about the whole dataset, such as
    `coco_train.json`. repair: make damaged files again, and return the problems that are left.
    assets: the present `source.root`, where the folder has moved. progress: as of `make`. Raises
    `UsageError` if there is no dataset, and `DepthmaskError` if a shard cannot be made as it was.
    """
    from depthmask.engine.interface.call import call
    from depthmask.engine.interface.verify import verify as verify_dataset

    return call(lambda: verify_dataset(path, progress, repair=repair, assets=assets))


def report(
    path: str | PathLike[str] | StorePath,
    *,
    into: str | PathLike[str] | StorePath | None = None,
    progress: str | Display = "auto",
) -> StorePath:
    """Write an HTML page about a dataset, and return its path.

    into: the file; None: report.html in the dataset. progress: as of `make`. Raises `UsageError` if
    there is no dataset, if the file exists and is no report, and without the package for charts
    (`pip install 'depthmask[report]'`).
    """
    from depthmask.engine.interface.call import call
    from depthmask.engine.interface.report import report as write_report

    return call(lambda: write_report(path, into, progress))
