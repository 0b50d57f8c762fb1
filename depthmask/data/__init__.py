"""The data objects that pass between stages, with their shapes and units.

Height comes before width. Images are RGB. Depth is planar z (distance along the optical axis) in
metres, larger is farther, 0 where it is invalid, unless a `DepthContract` says otherwise.
Arrays and metadata are shared and not copied, so code that receives one must not write into it;
stages get read-only arrays.
"""

from depthmask.data.assets import (
    AssetCatalogue,
    AssetFiles,
    Background,
    BackgroundInstance,
    Camera,
    Foreground,
    LeftOut,
    Plane,
)
from depthmask.data.composite import (
    Composite,
    InstancePixels,
    Layer,
    LayerPixels,
    Recipe,
    Scene,
    instance_map,
)
from depthmask.data.contract import DepthContract, DepthKind, DepthMode
from depthmask.data.objects import brief, made_often
from depthmask.data.sample import Encoded, Sample, StripSource, sample_key
from depthmask.data.types import (
    FAINT_ALPHA,
    MOST_BOX_PIXELS,
    MOST_HEIGHT_M,
    MOST_INSTANCE_PIXELS,
    MOST_INSTANCES,
    Flags,
    Float32,
    Meta,
    PixelNumbers,
    Rows,
    Size,
    UInt8,
    UInt16,
)

__all__ = [
    "FAINT_ALPHA",
    "MOST_BOX_PIXELS",
    "MOST_HEIGHT_M",
    "MOST_INSTANCES",
    "MOST_INSTANCE_PIXELS",
    "AssetCatalogue",
    "AssetFiles",
    "Background",
    "BackgroundInstance",
    "Camera",
    "Composite",
    "DepthContract",
    "DepthKind",
    "DepthMode",
    "Encoded",
    "Flags",
    "Float32",
    "Foreground",
    "InstancePixels",
    "Layer",
    "LayerPixels",
    "LeftOut",
    "Meta",
    "PixelNumbers",
    "Plane",
    "Recipe",
    "Rows",
    "Sample",
    "Scene",
    "Size",
    "StripSource",
    "UInt8",
    "UInt16",
    "brief",
    "instance_map",
    "made_often",
    "sample_key",
]
