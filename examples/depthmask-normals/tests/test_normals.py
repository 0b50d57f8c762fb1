"""Runs depthmask's conformance suite for labels, and checks a known surface."""

from __future__ import annotations

import depthmask
import numpy as np
from depthmask.testing import LabelsSuite

from depthmask_normals.normals import Normals


class TestNormals(LabelsSuite):
    stage_class = Normals


def test_the_floor_of_a_room_points_up() -> None:
    room = ["source.rooms=2", "source.furniture=2", "size=[120,160]", "samples=4"]
    for sample in depthmask.virtual([*room, "labels=[normals]"]):
        normals = sample.labels["normals"].astype(float) / 127.5 - 1
        camera = sample.meta["camera"]
        # Up, in the coordinates of a camera that looks down by its pitch.
        up = np.array([0.0, -np.cos(camera["pitch"]), -np.sin(camera["pitch"])])
        at_floor = normals[-8:-2, 20:-20][sample.mask[-8:-2, 20:-20] == 0]
        assert np.median(at_floor @ up) > 0.99
