"""Furniture of real thickness against cut-outs of it, flat and with relief.

    python -m tools.relief_report [--samples 1000]

Samples of `placement=ground` in made rooms. The truth is cast anew: the very solids that the
cut-out was photographed from stand in the room, on the same foot, turned to the camera as in the
cut-out. Prints the error of `depth=layered` within the object's visible mask, by distance, for the
source's furniture and for plain solid boxes.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import replace

import numpy as np

from depthmask.config.compose import compose_root
from depthmask.data import Composite, Float32, Foreground, Size
from depthmask.engine.from_config import job_from_config
from depthmask.engine.generate import Generate
from depthmask.engine.job import ShardLog
from depthmask.kernels.rays import FACES
from depthmask.stage import stage
from depthmask.stages.depth.layered import Layered
from depthmask.stages.source._rooms import cutout, photo
from depthmask.stages.source._rooms.material import solid_colour
from depthmask.stages.source._rooms.raycast import nearest
from depthmask.stages.source._rooms.room import Room
from depthmask.stages.source._rooms.scene import scene
from depthmask.stages.source._rooms.solids import Solid, bodies, box, placed
from depthmask.stages.source._rooms.view import View, extent, frames, seen_from
from depthmask.stages.source.rooms import Rooms

BINS_M = (1.5, 3.0, 5.0, 8.0)


@stage("furnished")
class Furnished(Rooms):
    """The rooms with their own furniture."""

    def thing(self, key: str) -> cutout.Subject:
        """What the cut-out shows."""
        return cutout.subject(self.seed, int(key.removeprefix("item")))


@stage("boxed")
class Boxed(Furnished):
    """Plain boxes, 0.3 to 1.2 m along each side, in place of the furniture."""

    def thing(self, key: str) -> cutout.Subject:
        """A box, seen as the piece of furniture of that number is."""
        own = super().thing(key)
        rng = np.random.default_rng(int(key.removeprefix("item")))
        wide, high, deep = rng.uniform(0.3, 1.2, 3)
        shape = box((-wide / 2, wide / 2), (0, high), (-deep / 2, deep / 2), solid_colour("808080"))
        solids = placed([shape], float(rng.uniform(-0.6, 0.6)), (0, 0, 0), piece=1)
        return replace(own, solids=solids, extent=extent(bodies(solids), own.view))

    def foreground(self, key: str, size: Size) -> Foreground:
        """The box's cut-out."""
        thing = self.thing(key)
        part = cutout.frame(thing, round(min(size) * self.foreground_scale))
        return Foreground(
            key,
            "box",
            cutout.photograph(thing, part, 1),
            cutout.relief(thing, part),
            thing.height_m,
        )


def room_of(source: Rooms, key: str) -> Room:
    """The room behind a background."""
    return scene(source.seed, int(key.removeprefix("room")), source.optics())


def on_floor(view: View, u: float, v: float) -> np.ndarray:
    """Where the ray (u, v, 1) of a view meets the floor: [3] in the world."""
    ray = view.basis @ np.array([u, v, 1.0])
    return np.asarray(view.eye - ray * (view.eye[1] / ray[1]))


def standing_solids(thing: cutout.Subject, room: Room, foot: np.ndarray) -> list[Solid]:
    """The thing's solids in the room, the middle of the cut-out's lower edge on `foot`."""
    left, right, _, low = thing.extent
    own_foot = on_floor(thing.view, (left + right) / 2, low)
    turn = _bearing(room.view.eye, foot) - _bearing(thing.view.eye, own_foot)
    moved = [replace(one, centre=one.centre - own_foot) for one in thing.solids]
    return placed(moved, turn, (float(foot[0]), 0.0, float(foot[2])))


def _bearing(eye: np.ndarray, foot: np.ndarray) -> float:
    return math.atan2(foot[0] - eye[0], foot[2] - eye[2])


def truth(source: Furnished, composite: Composite) -> tuple[Float32, np.ndarray]:
    """(planar z of the object [h, w], where it is the first thing that a ray meets)."""
    room, (layer,) = room_of(source, composite.background.key), composite.layers
    lens = photo.lens(room, composite.mask.shape)
    camera = composite.background.camera
    assert camera is not None
    u = (layer.left + layer.width / 2 - camera.cx) / camera.f_px
    v = (layer.top + layer.height - 0.5 - camera.cy) / camera.f_px
    solids = standing_solids(source.thing(layer.foreground), room, on_floor(room.view, u, v))
    shell, everything = bodies([room.shell]), bodies([*room.solids, *solids])
    hits = nearest(lens.grid(), frames(room.view, shell)[0], seen_from(room.view, everything))
    return hits.z.astype(np.float32), hits.surface >= FACES + len(room.solids)


def report(source: str, samples: int) -> None:
    """Print a line for each range of distances."""
    words = ["placement=ground", "flips=false", f"samples={samples}", "source.rooms=32"]
    root = compose_root(words)
    kinds: dict[str, type[Furnished]] = {"furniture": Furnished, "boxes": Boxed}
    stage_of = kinds[source](rooms=32)
    job: Generate = job_from_config(replace(root, source=stage_of))
    found: dict[int, list[np.ndarray]] = {}
    for recipe in job.plan.recipes(range(samples)):
        composite = job._composer.blend(job._placed(recipe, ShardLog()))
        true, met = truth(stage_of, composite)
        where = met & (composite.instances == 1)
        ways = [Layered(relief=relief).annotate([composite])[0] for relief in (False, True)]
        errors = np.stack([np.abs(way - true)[where] for way in ways])
        distance = composite.layers[0].depth_m or 0.0
        bin_ = int(np.digitize(distance, BINS_M)) - 1
        found.setdefault(bin_, []).append(np.vstack([errors, true[where]]))
    for bin_, parts in sorted(found.items()):
        flat, relief, true = np.concatenate(parts, axis=1)
        line = f"{source} at {BINS_M[bin_]:g} to {BINS_M[bin_ + 1]:g} m, {len(parts)} samples:"
        for name, errors in (("flat", flat), ("relief", relief)):
            p50, p95 = np.percentile(errors, (50, 95))
            line += f"  {name} {p50:.3f} m, 95 % {p95:.3f} m, abs_rel {np.mean(errors / true):.4f};"
        print(line.rstrip(";"))


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=1000)
    options = parser.parse_args()
    for source in ("furniture", "boxes"):
        report(source, options.samples)


if __name__ == "__main__":
    main()
