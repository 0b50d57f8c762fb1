"""DenseDepth in Keras 2, as its authors built it, with random weights: a program of its own.

    python densedepth_reference.py FOLDER WIDTH [NxHEIGHTxWIDTH ...]

writes FOLDER/reference.h5, a whole model as Keras 2.2.4 saved it, and FOLDER/reference.npz: images
of each shape as `in NxHEIGHTxWIDTH`, the network's outputs as `out NxHEIGHTxWIDTH`. A program,
because Keras 2 prints and warns, and takes another 2 GB besides Keras 3.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

ENCODER_CHANNELS = 1664
SKIPS = ("pool3_pool", "pool2_pool", "pool1", "conv1/relu")


def images(shape: str) -> np.ndarray:
    """float32 [n, h, w, 3] in 0..1 for `NxHxW`: smooth, all different."""
    number, height, width = map(int, shape.split("x"))
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) / 40
    i = np.arange(number, dtype=np.float32)[:, None, None]
    planes = [np.sin(y * (1 + 0.1 * i) + c) * np.cos(x * (1 + 0.07 * i) - c) for c in range(3)]
    return np.stack(planes, axis=-1).astype(np.float32) * 0.5 + 0.5


def main(folder: Path, width: int, shapes: list[str]) -> None:
    """Build, randomise, save, and run."""
    model = build(width)
    run = compiled(model)
    randomise(model, run)
    arrays = {}
    for shape in shapes:
        arrays[f"in {shape}"] = images(shape)
        arrays[f"out {shape}"] = run(images(shape)).numpy()
    model.save(folder / "reference.h5", include_optimizer=False)
    np.savez(folder / "reference.npz", allow_pickle=False, **arrays)


def build(width: int) -> Any:
    """The authors' create_model()."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import tensorflow as tf
    import tf_keras
    from tf_keras import layers

    class BilinearUpSampling2D(layers.Layer):
        """The authors' layer, as it was when they trained."""

        def call(self, x: Any) -> Any:
            size = 2 * tf.shape(x)[1:3]
            return tf.compat.v1.image.resize_bilinear(x, size, align_corners=True)

    encoder = tf_keras.applications.DenseNet169(
        input_shape=(None, None, 3), include_top=False, weights=None
    )
    x = layers.Conv2D(width, 1, padding="same", name="conv2")(encoder.output)
    for stage, skip in enumerate(SKIPS, start=1):
        x = BilinearUpSampling2D(name=f"up{stage}_upsampling2d")(x)
        x = layers.Concatenate(name=f"up{stage}_concat")([x, encoder.get_layer(skip).output])
        for part in "AB":
            name = f"up{stage}_conv{part}"
            x = layers.Conv2D(width // 2**stage, 3, padding="same", name=name)(x)
            x = layers.LeakyReLU(alpha=0.2)(x)
    return tf_keras.Model(encoder.input, layers.Conv2D(1, 3, padding="same", name="conv3")(x))


def compiled(model: Any) -> Any:
    """The model as one function for all sizes; predict() would trace it anew for each."""
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec((None, None, None, 3), tf.float32)])  # type: ignore[untyped-decorator]
    def run(batch: Any) -> Any:
        return model(batch, training=False)

    return run


def randomise(model: Any, run: Any) -> None:
    """Weights under which every layer matters, and outputs within 5..100."""
    rng = np.random.default_rng(7)
    model.set_weights([draw(rng, one.name, one.shape) for one in model.weights])
    # Unscaled, nearly all outputs are negative, and mean nothing as depth.
    raw = run(images("4x160x160")).numpy()
    head = model.get_layer("conv3")
    scale = 6 / raw.std()
    kernel, bias = head.get_weights()
    head.set_weights([kernel * scale, (bias - raw.mean()) * scale + 50])


def draw(rng: np.random.Generator, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """An array of batch-norm statistics, a bias or a kernel."""
    kind = name.rpartition("/")[2].partition(":")[0]
    if kind in ("gamma", "moving_variance"):
        return rng.uniform(0.5, 1.5, shape)
    if kind in ("beta", "moving_mean", "bias"):
        return rng.uniform(-0.2, 0.2, shape)
    fan_in = np.prod(shape[:-1])
    return rng.standard_normal(shape, np.float32) * np.sqrt(1 / fan_in, dtype=np.float32)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
