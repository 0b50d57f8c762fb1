"""Rooms and furniture have the same bytes on all processors, with and without compiled code."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import pytest

from depthmask.stages.source.rooms import Rooms
from tests.kernels.test_processors import OTHERS
from tests.support.paths import ROOT

SIZE = (48, 64)
ROOMS = 12
"""Two of each theme, with and without sun, all patterns of floors."""
ITEMS = 17
"""One of each kind."""


def digest() -> str:
    """A hash of backgrounds, their depth and camera, and of cut-outs and their relief."""
    source, made = Rooms(rooms=ROOMS, furniture=ITEMS), hashlib.sha256()
    for key in source.backgrounds():
        room = source.background(key, SIZE)
        assert room.depth_m is not None
        made.update(room.image.tobytes() + room.depth_m.tobytes())
        made.update(repr((room.camera, room.plane)).encode())
    for key in source.foregrounds():
        item = source.foreground(key, SIZE)
        assert item.relief_m is not None
        made.update(item.rgba.tobytes() + item.relief_m.tobytes())
        made.update(repr(item.height_m).encode())
    return made.hexdigest()


@pytest.mark.parametrize("variables", OTHERS, ids=lambda one: "-".join(one))
def test_the_bytes_are_the_same(variables: dict[str, str]) -> None:
    script = "from tests.stages.source.test_rooms_processors import digest; print(digest())"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    command = [sys.executable, "-W", "ignore", "-c", script]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    )
    assert done.stdout.split()[-1] == digest()


def test_the_bytes_are_those_of_pixel_version_2() -> None:
    assert digest() == "e18087e637bcb04b71996fe05ffe1881a40474ef40be3e1f1973d10eb2c58517"
