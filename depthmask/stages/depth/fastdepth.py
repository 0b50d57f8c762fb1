"""The built-in depth estimator: FastDepth, its weights in the package."""

from __future__ import annotations

import functools
from pathlib import Path

from depthmask.data import Size
from depthmask.errors import SettingError
from depthmask.networks.runtime import Precision, Run, Runtime, compiled, dtype_policy
from depthmask.networks.weight_file import sha256
from depthmask.stage import setting, stage
from depthmask.stages.depth._keras import KerasEstimator, native_log_muted, set_keras_defaults
from depthmask.stages.depth.fixed_batch import Resolution

WEIGHTS = Path(__file__).with_name("fastdepth.npz")
"""Made by `tools/convert_fastdepth.py`; licence in `NOTICE`."""
SIDE = 224
"""Height and width of the training images; at other sizes the scale of depth is off."""


@stage("fastdepth")
class FastDepth(KerasEstimator):
    """Metric depth of indoor scenes by a small network, at some 90 images/s on two CPU cores.

    FastDepth, Wofk et al. 2019, https://arxiv.org/abs/1903.03273, trained on NYU Depth v2 (rooms,
    up to 10 m). The weights come with depthmask.
    """

    pixel_version = 2
    batch: int = setting(4, ge=1, help="images at a time, each on one core")
    near: float = setting(0.1, gt=0, le=100, help="metres; nearer depth is set to this")
    far: float = setting(10.0, gt=0, le=100, help="metres; farther depth is set to this")
    resolution: Resolution = setting(
        Resolution.image, help="size of the depth maps: the image's, or the network's 224x224"
    )
    runtime: Runtime = setting(
        Runtime.keras, help="library that runs the network; openvino is an extra"
    )
    precision: Precision = setting(
        Precision.float32, help="number format of the calculation, if the runtime supports it"
    )

    def __post_init__(self) -> None:
        if self.near >= self.far:
            raise SettingError("near", self.near, f"must be less than far={self.far:g}")

    @property
    def weights_sha256(self) -> str:
        """The sha256 of the weights file in the package, in hexadecimal."""
        return sha256(WEIGHTS)

    @property
    def value_range(self) -> tuple[float, float]:
        """The settings `near` and `far`, in metres; unclipped, real backgrounds give 0 to 26 m."""
        return self.near, self.far

    def input_size(self, size: Size) -> Size:
        """224x224, whatever the image's size."""
        return SIDE, SIDE

    def output_size(self, size: Size) -> Size:
        """224x224, whatever the image's size."""
        return SIDE, SIDE

    def compiled_network(self, size: Size) -> Run:
        """The network for an image of 224x224, compiled once in a process."""
        return _network(self.runtime, self.precision)


@functools.cache
def _network(runtime: Runtime, precision: Precision) -> Run:
    """float32 [1, 224, 224, 3] -> [1, 224, 224, 1], compiled at its first call."""
    set_keras_defaults()
    with native_log_muted():
        # Here, because importing TensorFlow takes seconds and forbids forking.
        from depthmask.networks import fastdepth as network

        model = network.build(
            network.load_weights(WEIGHTS), 1, SIDE, dtype_policy(runtime, precision)
        )
        return compiled(model, runtime, precision)
