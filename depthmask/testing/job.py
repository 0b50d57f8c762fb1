"""A small dataset for tests of stages: rooms with depth, cameras, floors and reliefs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from depthmask.compose.floor import with_floor
from depthmask.config.root import Root
from depthmask.data import (
    Background,
    BackgroundInstance,
    Foreground,
    Layer,
    Sample,
    Scene,
    Size,
)
from depthmask.engine.display import Silent
from depthmask.engine.finish import finish, preview_shards
from depthmask.engine.from_config import job_from_config
from depthmask.engine.generate import Generate
from depthmask.engine.runner.local import Local
from depthmask.engine.totals import Totals
from depthmask.reading.dataset import Dataset
from depthmask.stage import setting, stage
from depthmask.stages.blend.alpha import Alpha
from depthmask.stages.depth.none import NoDepth
from depthmask.stages.geometry.source import SourceGeometry
from depthmask.stages.placement.base import Placement
from depthmask.stages.placement.random import Random
from depthmask.stages.source.rooms import Rooms
from depthmask.stages.writer.webdataset import WebDataset
from depthmask.storage.identity import take_output

CANVAS = 48, 64
SAMPLES = 7
SHARD_SIZE = 2
FIELD_OF_VIEW = 60.0


def rooms() -> Rooms:
    """A source of two rooms and four pieces of furniture, the same in every test."""
    return Rooms(rooms=2, furniture=4, oversample=1)


class AnnotatedRooms(Rooms):
    """Rooms on which a door, a window that overlaps it, and a crowd behind both are annotated."""

    def background(self, key: str, size: Size) -> Background:
        """A room with its instances."""
        height, width = size
        boxes = {
            "door": (height // 2, 0, height // 2, width // 3),
            "window": (height // 4, width // 4, height // 2, width // 2),
            "crowd": (0, 0, height, width // 2),
        }
        instances = [
            BackgroundInstance(
                label, np.ones(shape, bool), top, left, label == "crowd", meta={"room": key}
            )
            for label, (top, left, *shape) in boxes.items()
        ]
        return replace(super().background(key, size), instances=tuple(instances))

    def background_identity(self, key: str, size: Size) -> None:
        """The store has the same rooms without instances."""


def small_job(output: Path, **stages: Any) -> Generate:
    """A job of 7 samples in 4 shards, with `stages` instead of the simplest ones."""
    defaults: dict[str, Any] = {
        "source": rooms(),
        "geometry": SourceGeometry(),
        "placement": Random(),
        "blend": Alpha(),
        "depth": NoDepth(),
        "writer": WebDataset(),
        "runner": Local(workers=1),
    }
    root = Root(
        output=str(output),
        samples=SAMPLES,
        shard_size=SHARD_SIZE,
        size=list(CANVAS),
        **{**defaults, **stages},
    )
    job = job_from_config(root)
    take_output(job.output, job.identity, overwrite=False)
    return job


def run_whole(job: Generate) -> None:
    """Run a job as the command does, but without hooks of plugins; then read all samples."""
    job.before_shards(Silent(), job.plan.shards())
    with closing(Totals(preview_shards(job.plan))) as totals:
        for record in job.root.runner.run(job, job.plan.shards(), lambda samples: None):
            totals.add(record)
        dataset = Dataset(job.output, finish(job, totals, ()))
    assert len(list(dataset)) == SAMPLES
    dataset.close()


@contextmanager
def own_cache(folder: Path) -> Iterator[None]:
    """Cache measured geometry in this folder instead of the user's cache."""
    with patch.dict(os.environ, DEPTHMASK_CACHE=str(folder)):
        yield


def scenes() -> list[Scene]:
    """Empty rooms, a room without depth and floor, and a room with a layer."""
    source = rooms()
    known = [
        with_floor(source.background(key, CANVAS), FIELD_OF_VIEW) for key in source.backgrounds()
    ]
    plain = Background("plain", known[0].image)
    box = Layer("item0000", "box", 20, 12, 24, 16, flip=False, depth_m=3.0)
    return [
        *(Scene(number, frozen(one)) for number, one in enumerate(known)),
        Scene(5, frozen(plain)),
        Scene(6, frozen(known[0]), (box,)),
    ]


def foregrounds() -> list[Foreground]:
    """Furniture, and foregrounds of extreme sizes."""
    source = rooms()
    cut_outs = [source.foreground(key, CANVAS) for key in source.foregrounds()]
    for height, width in ((1, 1), (3, 40), (CANVAS[0] * 2, CANVAS[1] * 2)):
        rgba = np.full((height, width, 4), 255, np.uint8)
        rgba[..., 0] = np.arange(width) % 256
        cut_outs.append(Foreground(f"{height}x{width}", "thing", rgba))
    for one in cut_outs:
        one.rgba.setflags(write=False)
    return cut_outs


def frozen(background: Background) -> Background:
    """The background with read-only arrays."""
    background.image.setflags(write=False)
    if background.depth_m is not None:
        background.depth_m.setflags(write=False)
    return background


def same(one: Sample, other: Sample) -> bool:
    """Whether two samples are equal to the last bit."""
    arrays = ("image", "mask", "instances", "depth")
    return (
        (one.key, one.meta, one.labels.keys()) == (other.key, other.meta, other.labels.keys())
        and all(np.array_equal(getattr(one, name), getattr(other, name)) for name in arrays)
        and all(np.array_equal(one.labels[name], other.labels[name]) for name in one.labels)
    )


@stage("failing")
class Failing(Placement):
    """Fails at one sample, like a plugin with a bug."""

    sample: int = setting(3, ge=0, help="number of the sample")

    def place(
        self, scene: Scene, foreground: Foreground, flip: bool, rng: np.random.Generator
    ) -> Layer:
        """Place a box in the corner; raise an error at the failing sample."""
        if scene.index == self.sample:
            raise ValueError("a mistake in a stage")
        return Layer(foreground.key, foreground.label, 0, 0, *foreground.size, flip)
