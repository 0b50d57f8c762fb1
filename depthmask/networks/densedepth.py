"""DenseDepth's network in Keras 3, for any of its backends; imported only when it runs.

Alhashim and Wonka 2018, https://arxiv.org/abs/1812.11941, as in the authors' Keras code: a DenseNet
without its top, and four decoder stages that each double the size and concatenate the encoder's
output of that size. It uses no TensorFlow, so that it runs on JAX and PyTorch as well.
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
"""Epsilon of the encoder's batch norms."""
SLOPE = 0.2
"""Slope of the decoder's LeakyReLU below zero."""


def build(
    layout: Layout, weights: Weights, batch: int, size: Size, policy: str = "float32"
) -> keras.Model:
    """The network with these weights, for one shape of input.

    float32 [batch, height, width, 3] RGB in 0..1, sides multiples of 32 -> float32
    [batch, height / 2, width / 2, 1], the reciprocal of depth, whose scale depends on the weights.
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
            layer.set_weights(_arrays_of(layer, weights))
    return model


def _arrays_of(layer: keras.Layer, weights: Weights) -> list[Float32]:
    """The arrays of a layer in Keras's order."""
    names = NORM if isinstance(layer, layers.BatchNormalization) else CONVOLUTION
    return [weights[f"{layer.name}.{name}"] for name in names if f"{layer.name}.{name}" in weights]


def _encoder(image: Tensor, layout: Layout) -> tuple[Tensor, dict[int, Tensor]]:
    """The output of DenseNet, and decoder stage -> its skip connection, smallest first."""
    x = layers.ZeroPadding2D(3)(image)
    x = _plain(x, "conv1_conv", 64, 7, strides=2, padding="valid")
    first = x = _norm_relu(x, "conv1_bn")
    x = layers.ZeroPadding2D(1)(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool1")(x)
    levels = [first, x]
    for stage, blocks in enumerate(layout.blocks, start=2):
        for block in range(1, blocks + 1):
            x = _dense_block(x, f"conv{stage}_block{block}")
        if stage <= len(layout.blocks):
            x = _norm_relu(x, f"pool{stage}_bn")
            x = _plain(x, f"pool{stage}_conv", x.shape[-1] // 2, 1)
            x = layers.AveragePooling2D(2, name=f"pool{stage}_pool")(x)
            levels.append(x)
    # The last level, `pool4_pool`, is no skip connection.
    return _norm_relu(x, "bn"), dict(zip(SKIPS, levels[-2::-1], strict=True))


def _dense_block(x: Tensor, name: str) -> Tensor:
    y = _plain(_norm_relu(x, f"{name}_0_bn"), f"{name}_1_conv", 128, 1)
    y = _plain(_norm_relu(y, f"{name}_1_bn"), f"{name}_2_conv", 32, 3)
    return layers.Concatenate(name=f"{name}_concat")([x, y])


def _decoder(x: Tensor, skips: dict[int, Tensor], layout: Layout) -> Tensor:
    # No activation follows, as in the authors' code.
    x = _convolution(x, "conv2", layout.width, 1)
    for stage, skip in skips.items():
        x = UpsampleAligned(name=f"up{stage}_upsampling2d")(x)
        x = layers.Concatenate(name=f"up{stage}_concat")([x, skip])
        for letter in "AB":
            x = _convolution(x, f"up{stage}_conv{letter}", layout.width // 2**stage, 3)
            x = layers.LeakyReLU(negative_slope=SLOPE)(x)
    return x


def _plain(
    x: Tensor, name: str, width: int, side: int, strides: int = 1, padding: str = "same"
) -> Tensor:
    """A convolution of the encoder, without bias."""
    return _convolution(x, name, width, side, strides=strides, padding=padding, use_bias=False)


def _convolution(x: Tensor, name: str, width: int, side: int, **options: Any) -> Tensor:
    # Zeros, since random initial weights would only be overwritten.
    options = {"padding": "same", "kernel_initializer": "zeros"} | options
    return layers.Conv2D(width, side, name=name, **options)(x)


def _norm_relu(x: Tensor, name: str) -> Tensor:
    x = layers.BatchNormalization(epsilon=EPSILON, name=name)(x)
    return layers.ReLU()(x)


class UpsampleAligned(layers.Layer):
    """Doubles height and width, bilinear with aligned corners: corner pixels keep their values.

    This is TensorFlow 1's `resize_images(align_corners=True)`, which the weights were trained with.
    Keras 3 only has half-pixel centres, with which the output is off by several per cent.
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
    """float32 [2 * length, length]: the weight of each old pixel in each new one."""
    # In float64, since float32 positions are not exact enough at 640 pixels.
    positions = np.linspace(0, length - 1, 2 * length)
    distances = np.abs(positions[:, None] - np.arange(length))
    return np.maximum(0, 1 - distances).astype(np.float32)
