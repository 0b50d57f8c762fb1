"""Scenes on the floor of made rooms: the fitted floors, what is to be seen, and what it costs.

    python -m tools.scene_report [--rooms 200] [--samples 100000] [--timed 4000]

Prints the error of the fitted floor for true depth, for true depth with 2 % of noise and for
FastDepth; how many objects show less than `min_visible` or overlap more than `max_overlap`,
counted anew from the boxes; and the speed of `ground` against `random`, both with `layered`.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Callable

import numpy as np
from PIL import Image

from depthmask.compose.floor import fit_floor, pixel_rays
from depthmask.config.compose import compose_root
from depthmask.data import Background, Composite, Layer, Plane
from depthmask.engine.from_config import job_from_config
from depthmask.engine.generate import Generate
from depthmask.engine.job import ShardLog
from depthmask.stages.depth.fastdepth import FastDepth

SIZE = (160, 160)


def job_of(*words: str) -> Generate:
    """The job behind such a config of rooms."""
    return job_from_config(compose_root(list(words)))


def floors(rooms: int) -> None:
    """Median, 95th percentile and largest error of the fitted floor, by kind of depth."""
    source = compose_root([f"source.rooms={rooms}"]).source
    backgrounds = [source.background(key, SIZE) for key in source.backgrounds()]
    rng, network = np.random.default_rng(0), FastDepth()

    def exact(one: Background) -> np.ndarray:
        assert one.depth_m is not None, "every room has depth"
        return one.depth_m

    ways: dict[str, Callable[[Background], np.ndarray]] = {
        "true depth": exact,
        "2 % of noise": lambda one: exact(one) * rng.normal(1, 0.02, SIZE),
        "fastdepth": lambda one: network.estimate(one.image[None])[0],
    }
    for name, way in ways.items():
        errors = [_error(one, way(one).astype(np.float32)) for one in backgrounds]
        found = [error for error in errors if error is not None]
        print(f"{name}: {len(found)} of {rooms} floors found", end="")
        for what, column in zip(
            ("angle [degrees]", "height [%]"), zip(*found, strict=True), strict=True
        ):
            p50, p95 = np.percentile(column, (50, 95))
            print(f"; {what} {p50:.3f}, 95 % below {p95:.3f}, at most {max(column):.3f}", end="")
        print()


def _error(one: Background, depth_m: np.ndarray) -> tuple[float, float] | None:
    """(angle in degrees, height in per cent) between the fitted and the true floor."""
    assert one.camera is not None
    assert one.plane is not None
    fit = fit_floor(depth_m, pixel_rays(one.camera, SIZE))
    if fit is None:
        return None
    cosine = min(1.0, float(np.dot(fit.plane.normal, one.plane.normal)))
    return math.degrees(math.acos(cosine)), 100 * _relative(fit.plane, one.plane)


def _relative(found: Plane, true: Plane) -> float:
    return abs(found.offset_m / true.offset_m - 1)


def violations(samples: int) -> None:
    """How many objects break `min_visible` or `max_overlap`, by alphas pasted anew."""
    job = job_of("placement=ground", "objects=[1,4]", f"samples={samples}", "source.rooms=24")
    limits = job.root.placement
    objects = hidden = overlapping = redrawn = 0
    for recipe in job.plan.recipes(range(samples)):
        composite = job._composer.blend(job._placed(recipe, ShardLog()))
        redrawn += composite.recipe.attempt > 0
        alphas = [_alpha(job, composite, layer) for layer in composite.layers]
        for number, layer in enumerate(composite.layers):
            objects += 1
            cut_out = job._composer._assets.scaled_foreground(layer)
            shown = _shown(composite, alphas, number, cut_out.alpha_sum)
            # Bytes are rounded for each layer that lies over another.
            hidden += shown < limits.min_visible - 0.01
            before = np.zeros(SIZE, np.uint8)
            for other in alphas[:number]:
                before = np.maximum(before, other)
            both = int(np.minimum(before, alphas[number]).sum(dtype=np.int64))
            whole = int(alphas[number].sum(dtype=np.int64))
            # Soft edges of several may add up to a little more than the largest of them.
            overlapping += both > (limits.max_overlap + 0.01) * whole
            hidden += layer.visible < limits.min_visible
    print(
        f"{samples:,} samples, {objects:,} objects: {hidden} show less than min_visible, "
        f"{overlapping} overlap more than max_overlap; {redrawn} samples drew other assets"
    )


def _alpha(job: Generate, composite: Composite, layer: Layer) -> np.ndarray:
    """What the background leaves of a layer's alpha, on the canvas."""
    alpha = job._composer._assets.scaled_foreground(layer).patch.alpha
    canvas = Image.new("L", (SIZE[1], SIZE[0]))
    canvas.paste(Image.fromarray(alpha), (layer.left, layer.top))
    depth_m = composite.background.depth_m
    assert depth_m is not None
    assert layer.depth_m is not None
    return np.where(depth_m < layer.depth_m, 0, np.asarray(canvas)).astype(np.uint8)


def _shown(composite: Composite, alphas: list[np.ndarray], number: int, whole: int) -> float:
    """The part of a cut-out's whole alpha that the canvas, the background and nearer ones leave."""
    layers = composite.layers
    seen = alphas[number].astype(np.float64)
    for other, alpha in enumerate(alphas):
        nearer = (layers[other].depth_m or 0) < (layers[number].depth_m or 0)
        later = layers[other].depth_m == layers[number].depth_m and other > number
        if nearer or later:
            seen *= 1 - alpha / 255
    return float(seen.sum() / whole)


def speed(samples: int) -> None:
    """Samples per second of `ground` and of `random`, with layered depth, in turn."""
    rates: dict[str, list[float]] = {"random": [], "ground": []}
    words = ("source.rooms=24", f"samples={samples}")
    jobs = {name: job_of(f"placement={name}", *words) for name in rates}
    for job in jobs.values():
        for _ in job.batches(range(samples), ShardLog()):
            pass
    for _ in range(5):
        for name, job in jobs.items():
            start = time.perf_counter()
            for batch in job.batches(range(samples), ShardLog()):
                for sample in batch:
                    job.root.encode.encode(sample)
            rates[name].append(samples / (time.perf_counter() - start))
    medians = {name: statistics.median(found) for name, found in rates.items()}
    print(
        f"random {medians['random']:,.0f}/s, ground {medians['ground']:,.0f}/s: "
        f"{medians['ground'] / medians['random']:.2f}"
    )


def main() -> None:
    """Print all three."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rooms", type=int, default=200)
    parser.add_argument("--samples", type=int, default=100_000)
    parser.add_argument("--timed", type=int, default=4000)
    options = parser.parse_args()
    floors(options.rooms)
    violations(options.samples)
    speed(options.timed)


if __name__ == "__main__":
    main()
