"""DenseDepth's network in Keras 3, for any of its backends; imported only when it is to run.

Alhashim and Wonka 2018, https://arxiv.org/abs/1812.11941, as in the authors' Keras code: a DenseNet
without its top, and four decoder stages that each double the size and take up what the encoder had
at that size. No TensorFlow in it: the same graph runs on JAX and PyTorch.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import keras
import numpy as np
from keras import layers, ops

from depthmask.data import Float32, Size
from depthmask.networks.densedepth_weights import CONVOLUTION, NORM, SKIPS, Layout, Weights
from depthmask.networks.runtime import default_policy

Tensor: TypeAlias = Any
"""A symbolic tensor of whichever backend Keras runs on."""

EPSILON = 1.001e-5
"""Of the encoder's batch norms."""
SLOPE = 0.2
"""Of the decoder's LeakyReLU below zero."""
STEP = 32
"""What the sides of an input are multiples of: the encoder halves them five times."""


def build(
    layout: Layout, weights: Weights, batch: int, size: Size, policy: str = "float32"
) -> keras.Model:
    """The network with these weights, for one shape of input.

    float32 [batch, height, width, 3] RGB in 0..1, sides multiples of 32 -> float32
    [batch, height / 2, width / 2, 1], the reciprocal of depth; the scale is the weights' affair.
    policy: Keras's dtype policy of all layers but the last, which is float32.
    """
    image = keras.Input((*size, 3), batch_size=batch)
    with default_policy(policy):
        x, skips = _encoder(image, layout)
        x = _decoder(x, skips, layout)
    # A depth from bfloat16 would have steps of 4 mm in each metre.
    x = _convolution(x, "conv3", 1, 3, dtype="float32")
    model = keras.Model(image, x, name="densedepth")
    for layer in model.layers:
        if layer.weights:
            layer.set_weights(_of(layer, weights))
    return model


def _of(layer: keras.Layer, weights: Weights) -> list[Float32]:
    """The layer's arrays in the order in which Keras has them."""
    names = NORM if isinstance(layer, layers.BatchNormalization) else CONVOLUTION
    return [weights[f"{layer.name}.{name}"] for name in names if f"{layer.name}.{name}" in weights]


def _encoder(image: Tensor, layout: Layout) -> tuple[Tensor, dict[int, Tensor]]:
    """DenseNet; and by decoder stage what that is to take up, smallest first."""
    x = layers.ZeroPadding2D(3)(image)
    x = _plain(x, "conv1_conv", 64, 7, strides=2, padding="valid")
    first = x = _norm_relu(x, "conv1_bn")
    x = layers.ZeroPadding2D(1)(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool1")(x)
    found = [first, x]
    for stage, blocks in enumerate(layout.blocks, start=2):
        for block in range(1, blocks + 1):
            x = _dense_block(x, f"conv{stage}_block{block}")
        if stage <= len(layout.blocks):
            x = _norm_relu(x, f"pool{stage}_bn")
            x = _plain(x, f"pool{stage}_conv", x.shape[-1] // 2, 1)
            x = layers.AveragePooling2D(2, name=f"pool{stage}_pool")(x)
            found.append(x)
    # The last, `pool4_pool`, is taken up by nobody.
    return _norm_relu(x, "bn"), dict(zip(SKIPS, found[-2::-1], strict=True))


def _dense_block(x: Tensor, name: str) -> Tensor:
    y = _plain(_norm_relu(x, f"{name}_0_bn"), f"{name}_1_conv", 128, 1)
    y = _plain(_norm_relu(y, f"{name}_1_bn"), f"{name}_2_conv", 32, 3)
    return layers.Concatenate(name=f"{name}_concat")([x, y])


def _decoder(x: Tensor, skips: dict[int, Tensor], layout: Layout) -> Tensor:
    # No activation after this one, in the authors' code either.
    x = _convolution(x, "conv2", layout.width, 1)
    for stage, skip in skips.items():
        x = UpsampleAligned(name=f"up{stage}_upsampling2d")(x)
        x = layers.Concatenate(name=f"up{stage}_concat")([x, skip])
        for part in "AB":
            x = _convolution(x, f"up{stage}_conv{part}", layout.width // 2**stage, 3)
            x = layers.LeakyReLU(negative_slope=SLOPE)(x)
    return x


def _plain(
    x: Tensor, name: str, width: int, side: int, strides: int = 1, padding: str = "same"
) -> Tensor:
    """A convolution of the encoder: without bias."""
    return _convolution(x, name, width, side, strides=strides, padding=padding, use_bias=False)


def _convolution(x: Tensor, name: str, width: int, side: int, **options: Any) -> Tensor:
    # Zeros, because random numbers would be drawn only to be overwritten.
    options = {"padding": "same", "kernel_initializer": "zeros"} | options
    return layers.Conv2D(width, side, name=name, **options)(x)


def _norm_relu(x: Tensor, name: str) -> Tensor:
    x = layers.BatchNormalization(epsilon=EPSILON, name=name)(x)
    return layers.ReLU()(x)


class UpsampleAligned(layers.Layer):
    """Twice the height and width, bilinear with aligned corners: the corner pixels stay.

    That is TensorFlow 1's `resize_images(align_corners=True)`, which the weights were trained with.
    Keras 3 has the half-pixel kind only; with that the output is off by several per cent.
    """

    def call(self, x: Tensor) -> Tensor:
        _, height, width, _ = x.shape
        rows = ops.convert_to_tensor(aligned_weights(height), self.compute_dtype)
        columns = ops.convert_to_tensor(aligned_weights(width), self.compute_dtype)
        x = ops.einsum("oh,bhwc->bowc", rows, x)
        return ops.einsum("ow,bhwc->bhoc", columns, x)

    def compute_output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        batch, height, width, channels = shape
        return batch, 2 * height, 2 * width, channels


def aligned_weights(length: int) -> Float32:
    """float32 [2 * length, length]: what each of the new pixels takes of each of the old ones."""
    # Exact enough in float64, which the sum of many float32 steps is not at 640 pixels.
    places = np.linspace(0, length - 1, 2 * length)
    distances = np.abs(places[:, None] - np.arange(length))
    return np.maximum(0, 1 - distances).astype(np.float32)
