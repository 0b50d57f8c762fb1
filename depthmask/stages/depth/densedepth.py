"""DenseDepth as its authors published it: the network behind DepthMaskDataset's depth."""

from __future__ import annotations

import functools
from enum import Enum
from pathlib import Path
from typing import NamedTuple

import numpy as np

from depthmask.data import Float32, Size
from depthmask.errors import SettingError
from depthmask.networks.runtime import Precision, Run, Runtime, compiled, dtype_policy
from depthmask.networks.weight_file import PublishedWeights, sha256
from depthmask.stage import setting, stage
from depthmask.stages.depth._keras import KerasEstimator, native_log_muted, set_keras_defaults
from depthmask.stages.depth.fixed_batch import Resolution
from depthmask.storage.location import with_home

SERVER = "https://s3-eu-west-1.amazonaws.com/densedepth"
PUBLISHED = {
    # The size is the one in the log of the authors' notebook; no sha256 is published.
    "nyu": PublishedWeights("nyu", "nyu.h5", f"{SERVER}/nyu.h5", bytes=172_897_376, sha256=None),
    "kitti": PublishedWeights("kitti", "kitti.h5", f"{SERVER}/kitti.h5", bytes=None, sha256=None),
}
STEP = 32
"""The sides of an input are multiples of this, since the encoder halves them five times."""


class Scale(Enum):
    """The training data of the network, which decide the meaning of its output."""

    auto = "auto"
    """`kitti` for the weights of that name and for a file `kitti.*`, else `nyu`."""
    nyu = "nyu"
    """Rooms, 0.1 to 10 m."""
    kitti = "kitti"
    """Roads, 1 to 80 m."""


class Metres(NamedTuple):
    """The arguments of the authors' predict(), and the metres that its 1.0 stands for."""

    least: float
    greatest: float
    far_m: float


METRES = {
    # predict()'s defaults, centimetres; evaluate() multiplies by 10.
    Scale.nyu: Metres(10, 1000, 10.0),
    # "For KITTI ... minDepth = 1.0 and maxDepth = 80.0", then times 80: the author in
    # https://github.com/ialhashim/DenseDepth/issues/69.
    Scale.kitti: Metres(1, 80, 80.0),
}


@stage("densedepth")
class DenseDepth(KerasEstimator):
    """Metric depth by the large network of DepthMaskDataset, some 8 images/s on two CPU cores.

    DenseDepth, Alhashim and Wonka 2018, https://arxiv.org/abs/1812.11941, as its authors' Keras
    code runs it: upsampling with aligned corners, depth = clip(1000 / y, 10, 1000) / 1000, times
    10 m (kitti: clip(80 / y, 1, 80) m). As in that code, y = 0 gives the far end and y < 0 the near
    end, although neither has a meaning. Images whose sides are not multiples of 32 are resized,
    bilinear, to the next larger multiples. The weights, 173 MB, are downloaded once.
    """

    pixel_version = 2

    weights: str = setting("nyu", help="nyu (rooms), kitti (roads), or the path of an .h5 or .npz")
    scale: Scale = setting(Scale.auto, help="training data of the weights; auto: by their name")
    batch: int = setting(8, ge=1, help="images at a time, each on one core")
    resolution: Resolution = setting(
        Resolution.image, help="size of the depth maps: the image's, or the network's half of that"
    )
    runtime: Runtime = setting(
        Runtime.keras, help="library that runs the network; openvino is an extra"
    )
    precision: Precision = setting(
        Precision.float32, help="number format of the calculation, if the runtime supports it"
    )

    @property
    def weights_sha256(self) -> str:
        """The sha256 of the weights file, in hexadecimal; published weights are downloaded once."""
        return sha256(self._weights_path())

    def check_resources(self) -> None:
        """Raise `UsageError` unless the runtime is here, and the weights are those of this network.

        Published weights are downloaded if they are missing.
        """
        super().check_resources()
        _check_file(self._weights_path(), self.weights_sha256)

    @property
    def value_range(self) -> tuple[float, float]:
        """0.1 to 10 m; 1 to 80 m for kitti."""
        least, greatest, far_m = self._metres()
        return least / greatest * far_m, far_m

    def input_size(self, size: Size) -> Size:
        """Both sides rounded up to multiples of 32."""
        height, width = (-(-side // STEP) * STEP for side in size)
        return height, width

    def output_size(self, size: Size) -> Size:
        """Half of the input's height and width."""
        height, width = self.input_size(size)
        return height // 2, width // 2

    def to_depth(self, raw: Float32) -> Float32:
        """The network's y [n, h, w] -> metres, by the authors' formula."""
        return to_metres(raw, self._metres())

    def compiled_network(self, size: Size) -> Run:
        """The network for an image of `size`, compiled once in a process."""
        path = self._weights_path()
        return _network(path, sha256(path), size, self.runtime, self.precision)

    def _weights_path(self) -> Path:
        """The path of the weights file; published weights are downloaded if they are missing."""
        if self.weights in PUBLISHED:
            # Imported here, since that takes 60 ms, which `--help` does not need.
            from depthmask.networks.download import fetch

            return fetch(PUBLISHED[self.weights])
        path = Path(with_home(self.weights))
        if not path.is_file():
            names = ", ".join(PUBLISHED)
            raise SettingError("weights", self.weights, f"no such file; give a path, or {names}")
        return path

    def _metres(self) -> Metres:
        if self.scale is not Scale.auto:
            return METRES[self.scale]
        return METRES[Scale.kitti if Path(self.weights).stem == "kitti" else Scale.nyu]


def to_metres(y: Float32, metres: Metres) -> Float32:
    """The authors' predict() and its multiple, in float32 as in their code."""
    with np.errstate(divide="ignore", over="ignore"):
        depth = np.clip(metres.greatest / y, metres.least, metres.greatest) / metres.greatest
    return np.asarray(depth * metres.far_m, np.float32)


@functools.lru_cache(maxsize=4)
def _check_file(path: Path, digest: str) -> None:
    from depthmask.networks import densedepth_weights

    densedepth_weights.check(path)


# Two, for images that come in two orientations; one takes some 1 GB.
@functools.lru_cache(maxsize=2)
def _network(path: Path, digest: str, size: Size, runtime: Runtime, precision: Precision) -> Run:
    """float32 [1, h, w, 3] -> [1, h / 2, w / 2, 1], compiled at its first call."""
    from depthmask.networks import densedepth_weights

    set_keras_defaults()
    layout, weights = densedepth_weights.load(path)
    with native_log_muted():
        # Here, because importing TensorFlow takes seconds and forbids forking.
        from depthmask.networks import densedepth as network

        model = network.build(layout, weights, 1, size, dtype_policy(runtime, precision))
        return compiled(model, runtime, precision)
