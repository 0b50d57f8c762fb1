"""The built-in stages, registered through the hook that plugins use."""

from __future__ import annotations

from collections.abc import Sequence

from depthmask.blend.alpha import Alpha
from depthmask.blend.feather import Feather
from depthmask.blend.poisson import Poisson
from depthmask.blend.several import Several
from depthmask.config.hooks import hookimpl
from depthmask.depth.densedepth import DenseDepth
from depthmask.depth.fastdepth import FastDepth
from depthmask.depth.layered import Layered
from depthmask.depth.none import NoDepth
from depthmask.geometry.auto import Auto
from depthmask.geometry.none import NoGeometry
from depthmask.geometry.source import SourceGeometry
from depthmask.placement.grid import Grid
from depthmask.placement.ground import Ground
from depthmask.placement.random import Random
from depthmask.runner.local import Local
from depthmask.source.assets import Assets
from depthmask.source.rooms import Rooms
from depthmask.stage import Stage
from depthmask.writer.depthmaskdataset import DepthMaskDataset
from depthmask.writer.folder import Folder
from depthmask.writer.npz import Npz
from depthmask.writer.webdataset import WebDataset
from depthmask.writer.zip import Zip


@hookimpl
def depthmask_stages() -> Sequence[type[Stage]]:
    """All of them, in the order of `--help`."""
    return [
        *(Assets, Rooms),
        *(Auto, SourceGeometry, NoGeometry),
        *(Random, Grid, Ground),
        *(Alpha, Feather, Poisson, Several),
        *(Layered, FastDepth, DenseDepth, NoDepth),
        *(WebDataset, Zip, Npz, Folder, DepthMaskDataset),
        *(Local,),
    ]
