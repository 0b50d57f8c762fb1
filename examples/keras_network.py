"""A small Keras network for mask and depth, compiled, and a callback that prints its speed."""

from __future__ import annotations

import time

import keras
from keras import layers

from depthmask import Size


def network(size: Size, depth_size: Size | None, width: int = 16) -> keras.Model:
    """Images [n, h, w, 3] -> `mask` [n, h, w, 1] in 0..1 and `depth` [n, dh, dw, 1] in metres."""
    image = keras.Input((*size, 3), name="image")
    x = layers.Conv2D(width, 3, strides=2, padding="same", activation="relu")(image)
    x = layers.Conv2D(2 * width, 3, strides=2, padding="same", activation="relu")(x)
    x = layers.Conv2D(2 * width, 3, padding="same", activation="relu")(x)
    heads = layers.Resizing(*size)(layers.Conv2D(2, 3, padding="same")(x))
    outputs = {"mask": layers.Activation("sigmoid", name="mask")(heads[..., :1])}
    losses = {"mask": "binary_crossentropy"}
    if depth_size is not None:
        depth_m = layers.Activation("softplus")(heads[..., 1:])
        outputs["depth"] = layers.Resizing(*depth_size, name="depth")(depth_m)
        losses["depth"] = "mean_absolute_error"
    model = keras.Model(image, outputs)
    model.compile(keras.optimizers.Adam(1e-3), losses)
    return model


class Speed(keras.callbacks.Callback):
    """Prints loss and samples/s of each epoch."""

    def __init__(self, samples: int) -> None:
        super().__init__()
        self._samples = samples

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._start = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        rate = self._samples / (time.perf_counter() - self._start)
        print(f"epoch {epoch + 1}: loss {(logs or {})['loss']:.4f}, {rate:,.0f} samples/s")
