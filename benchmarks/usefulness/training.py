"""Trains FastDepth's network on examples, for depth or for masks: the same steps for all recipes.

TensorFlow, as it is a dependency already: with FastDepth at batch 8 a step took 0.24 to 0.29 s of
CPU time, one of PyTorch 2.13 1.8 s (channels last) to 2.8 s, and with deterministic operations the
same seed gives the same numbers.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import cv2
import keras
import numpy as np
import tensorflow as tf
from keras import layers
from numpy.typing import NDArray

import depthmask
from benchmarks.usefulness.composites import Examples
from benchmarks.usefulness.sets import SIDE
from depthmask.networks import fastdepth

WEIGHTS = Path(depthmask.__file__).parent / "stages" / "depth" / "fastdepth.npz"
BATCH = 8
RATE = {"depth": 1e-4, "masks": 3e-4}
THREADS = 1
"""Of a training, fixed, since the numbers depend on it.

On two cores, two trainings at once with one thread each took 0.17 s for a step, one with two 0.27.
"""
_NEAR_M = 0.1
"""Added to depths before the logarithm, for FastDepth gives 0 at times."""
STEPS_WEIGHT = 0.2
"""Of the steps between neighbours in the loss of depth.

On the choosing half, after 300 steps, one seed, rooms had a boundary F1 of 0.002 with 5, 0.011 with
1, 0.015 with 0.2 and 0.016 with 0 (untouched: 0.019), and abs_rel 0.291, 0.29, 0.299 and 0.299
(untouched: 0.308).
"""
CHECK_STEPS, PATIENCE, MOST_TIMES = 100, 3, 8
"""Of training until the loss on held-out examples has not fallen for PATIENCE checks."""

Predict = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


class Trained(NamedTuple):
    """What a training gives, and how many steps it took; predict lasts until the next one."""

    predict: Predict
    steps: int


@dataclass(frozen=True)
class Tuning:
    """How long, and what of the network; see `Recipe`."""

    steps: int
    frozen: bool = False
    memory: float = 0.0
    steady: bool = False


def use_device(device: str) -> None:
    """Choose the processor or the first GPU, and operations that give the same numbers."""
    gpus = tf.config.list_physical_devices("GPU")
    if device == "cuda" and not gpus:
        raise SystemExit(
            "--device cuda: TensorFlow finds no GPU; pip install 'tensorflow[and-cuda]'"
        )
    tf.config.set_visible_devices(gpus[:1] if device == "cuda" else [], "GPU")
    tf.config.threading.set_intra_op_parallelism_threads(THREADS)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()


def untouched(side: int) -> Predict:
    """FastDepth as it is, at this size of pictures."""
    model = fastdepth.build(fastdepth.load_weights(WEIGHTS), BATCH, side)
    return predictor(model)


class Trainer:
    """A network for a task, compiled once; `train` begins with the same weights each time."""

    def __init__(self, task: str, frozen: bool = False) -> None:
        self._task = task
        self._model = _network(task)
        self._begin = self._model.get_weights()
        names = ("decoder", "head") if frozen else ("",)
        self._tuned = [
            weight
            for layer in self._model.layers
            if layer.name.startswith(names)
            for weight in layer.trainable_weights
        ]
        self._optimizer = keras.optimizers.Adam(RATE[task])
        self._optimizer.build(self._tuned)
        self._step = tf.function(self._one_step)
        self._loss = tf.function(self._loss_of)

    def train(
        self, examples: Examples, seed: int, tuning: Tuning, step_done: Callable[[], None]
    ) -> Trained:
        """Train on the examples; a training that is steady ends with its best weights."""
        self._reset(seed)
        rng = np.random.default_rng([seed, 1])
        examples, held_out = _held_out(examples, rng) if tuning.steady else (examples, None)
        remember = untouched(SIDE) if tuning.memory else None
        watch = _Watch(self, held_out, tuning.steps)
        number = 0
        for number in range(tuning.steps * (MOST_TIMES if tuning.steady else 1)):
            images, targets = batch(examples, rng)
            if remember is not None:
                kept = round(BATCH * tuning.memory)
                targets[:kept] = remember(images)[:kept]
            self._optimizer.learning_rate.assign(watch.rate(RATE[self._task], number))
            self._step(images, targets)
            step_done()
            if tuning.steady and number % CHECK_STEPS == 0 and watch.has_ended():
                break
        watch.restore()
        return Trained(predictor(self._model), number + 1)

    @property
    def model(self) -> keras.Model:
        """The network, with the weights of now."""
        return self._model

    def loss_on(self, examples: Examples) -> float:
        """The mean loss, without changes of colour or crops."""
        losses = []
        for first in range(0, len(examples.images) - BATCH + 1, BATCH):
            chosen = slice(first, first + BATCH)
            losses.append(float(self._loss(examples.images[chosen], examples.targets[chosen])))
        return sum(losses) / len(losses)

    def _reset(self, seed: int) -> None:
        self._model.set_weights(self._begin)
        for variable in self._optimizer.variables:
            variable.assign(tf.zeros_like(variable))
        if self._task == "masks":
            kernel, bias = self._model.get_layer("head_mask").weights
            drawn = np.random.default_rng([seed, 0]).normal(0, 0.05, kernel.shape)
            kernel.assign(drawn.astype(np.float32))
            bias.assign(tf.zeros_like(bias))

    def _one_step(self, images: Any, targets: Any) -> None:
        with tf.GradientTape() as tape:
            loss = self._loss_of(images, targets)
        gradients = tape.gradient(loss, self._tuned)
        self._optimizer.apply_gradients(zip(gradients, self._tuned, strict=True))

    def _loss_of(self, images: Any, targets: Any) -> Any:
        output = self._model(tf.cast(images, tf.float32) / 255, training=True)[..., 0]
        return depth_loss(output, targets) if self._task == "depth" else mask_loss(output, targets)


class _Watch:
    """The learning rate, and whether a training that goes on while it helps has ended."""

    def __init__(self, trainer: Trainer, held_out: Examples | None, steps: int) -> None:
        self._trainer, self._held_out, self._steps = trainer, held_out, steps
        self._losses: list[float] = []
        self._best: list[NDArray[np.float32]] | None = None

    def rate(self, rate: float, number: int) -> float:
        """Falls as a cosine to 0; level where the number of steps is not known."""
        if self._held_out is not None:
            return rate
        return rate * (1 + math.cos(math.pi * number / self._steps)) / 2

    def has_ended(self) -> bool:
        """Whether the least loss on held-out examples is older than PATIENCE checks."""
        assert self._held_out is not None
        loss = self._trainer.loss_on(self._held_out)
        if math.isfinite(loss) and loss < min(self._losses, default=math.inf):
            self._best = self._trainer.model.get_weights()
        self._losses.append(loss if math.isfinite(loss) else math.inf)
        return len(self._losses) - 1 - int(np.argmin(self._losses)) >= PATIENCE

    def restore(self) -> None:
        """Give the network the weights of the least loss; without checks it keeps its own."""
        if self._best is not None:
            self._trainer.model.set_weights(self._best)


def depth_loss(output: Any, targets: Any) -> Any:
    """Differences of log depth: of each pixel after the picture's mean, the mean, neighbours'."""
    known = tf.cast(targets > 0, tf.float32)
    difference = (tf.math.log(output + _NEAR_M) - tf.math.log(targets + _NEAR_M)) * known
    count = tf.reduce_sum(known, axis=(1, 2), keepdims=True) + 1.0
    mean = tf.reduce_sum(difference, axis=(1, 2), keepdims=True) / count
    shape = tf.reduce_sum(tf.abs(difference - mean) * known) / tf.reduce_sum(count)
    across = _mean_step(difference, known, 2) + _mean_step(difference, known, 1)
    return shape + 0.1 * tf.reduce_mean(tf.abs(mean)) + STEPS_WEIGHT * across


def _mean_step(values: Any, known: Any, axis: int) -> Any:
    """The mean size of the steps between neighbours that are both known."""
    length = values.shape[axis]
    first, second = range(length - 1), range(1, length)
    both = tf.gather(known, first, axis=axis) * tf.gather(known, second, axis=axis)
    steps = tf.gather(values, second, axis=axis) - tf.gather(values, first, axis=axis)
    return tf.reduce_sum(tf.abs(steps) * both) / (tf.reduce_sum(both) + 1.0)


def mask_loss(output: Any, targets: Any) -> Any:
    """Cross-entropy of logits with alpha, and Dice's distance."""
    entropy = tf.nn.sigmoid_cross_entropy_with_logits(targets, output)
    share = tf.sigmoid(output)
    common = 2 * tf.reduce_sum(share * targets) + 1
    dice = 1 - common / (tf.reduce_sum(share) + tf.reduce_sum(targets) + 1)
    return tf.reduce_mean(entropy) + dice


def batch(
    examples: Examples, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """BATCH examples with replacement, cropped, mirrored and in other colours."""
    chosen = rng.integers(0, len(examples.images), BATCH)
    changed = [changed_example(examples.images[i], examples.targets[i], rng) for i in chosen]
    images, targets = zip(*changed, strict=True)
    return np.stack(images), np.stack(targets)


def changed_example(
    image: NDArray[np.uint8], target: NDArray[np.float32], rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """A crop of 0.6 to 1 of the side, mirrored in half of the cases, lighter or of another tint."""
    side = round(SIDE * rng.uniform(0.6, 1))
    top, left = rng.integers(0, SIDE - side + 1, 2)
    window = slice(top, top + side), slice(left, left + side)
    crop = cv2.resize(image[window], (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    kept = cv2.resize(target[window], (SIDE, SIDE), interpolation=cv2.INTER_NEAREST_EXACT)
    if rng.random() < 0.5:
        crop, kept = crop[:, ::-1], kept[:, ::-1]
    gain = rng.uniform(0.75, 1.25) * rng.uniform(0.9, 1.1, 3)
    coloured = np.clip(crop * gain + rng.uniform(-20, 20), 0, 255)
    return coloured.astype(np.uint8), np.ascontiguousarray(kept)


def _held_out(examples: Examples, rng: np.random.Generator) -> tuple[Examples, Examples]:
    """The examples without a tenth, and the tenth."""
    order = rng.permutation(len(examples.images))
    count = max(BATCH, len(order) // 10)
    parts = order[count:], order[:count]
    rest, tenth = (Examples(examples.images[p], examples.targets[p]) for p in parts)
    return rest, tenth


def _network(task: str) -> keras.Model:
    model = fastdepth.build(fastdepth.load_weights(WEIGHTS), BATCH, SIDE)
    if task == "depth":
        return model
    # The decoder of depth, with another head: logits at half of the size, made smooth.
    features = model.get_layer("head").input
    logits = layers.Conv2D(1, 1, name="head_mask")(features)
    return keras.Model(model.input, layers.UpSampling2D(2, interpolation="bilinear")(logits))


def predictor(model: keras.Model) -> Predict:
    """The network on uint8 [n, side, side, 3] -> float32 [n, side, side]."""
    call = tf.function(lambda images: model(images, training=False))

    def predict(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        outputs = []
        for first in range(0, len(images), BATCH):
            some = images[first : first + BATCH].astype(np.float32) / 255
            padded = np.concatenate(
                [some, np.zeros((BATCH - len(some), *some.shape[1:]), some.dtype)]
            )
            outputs.append(call(padded).numpy()[: len(some), ..., 0])
        return np.concatenate(outputs)

    return predict
