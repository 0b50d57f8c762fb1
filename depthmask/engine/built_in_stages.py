"""The list of built-in stages, registered through the same hook as plugins."""

from __future__ import annotations

from collections.abc import Sequence

from depthmask.config.hooks import hookimpl
from depthmask.engine.runner.local import Local
from depthmask.stage import Stage
from depthmask.stages.blend.alpha import Alpha
from depthmask.stages.blend.feather import Feather
from depthmask.stages.blend.poisson import Poisson
from depthmask.stages.blend.several import Several
from depthmask.stages.depth.densedepth import DenseDepth
from depthmask.stages.depth.fastdepth import FastDepth
from depthmask.stages.depth.layered import Layered
from depthmask.stages.depth.none import NoDepth
from depthmask.stages.geometry.auto import Auto
from depthmask.stages.geometry.none import NoGeometry
from depthmask.stages.geometry.source import SourceGeometry
from depthmask.stages.labels.coco import Coco
from depthmask.stages.labels.instances import Instances
from depthmask.stages.placement.grid import Grid
from depthmask.stages.placement.ground import Ground
from depthmask.stages.placement.random import Random
from depthmask.stages.source.assets import Assets
from depthmask.stages.source.rooms import Rooms
from depthmask.stages.writer.depthmaskdataset import DepthMaskDataset
from depthmask.stages.writer.folder import Folder
from depthmask.stages.writer.npz import Npz
from depthmask.stages.writer.webdataset import WebDataset
from depthmask.stages.writer.zip import Zip


@hookimpl
def depthmask_stages() -> Sequence[type[Stage]]:
    """All built-in stages, in the order of `--help`."""
    return [
        *(Assets, Rooms),
        *(Auto, SourceGeometry, NoGeometry),
        *(Random, Grid, Ground),
        *(Alpha, Feather, Poisson, Several),
        *(Layered, FastDepth, DenseDepth, NoDepth),
        *(Coco, Instances),
        *(WebDataset, Zip, Npz, Folder, DepthMaskDataset),
        *(Local,),
    ]
