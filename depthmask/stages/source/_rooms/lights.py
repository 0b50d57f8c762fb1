"""Lamps, windows as soft area lights, the sun, and the light that walls and floor reflect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from depthmask.stages.source._rooms.material import Colour
from depthmask.stages.source._rooms.raycast import blocked
from depthmask.stages.source._rooms.solids import Floats, Solid


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """A rectangular area light: a window or a soft box.

    centre, side, up: float64 [3], metres; side and up are half edges. normal: unit, into the room.
    """

    centre: Floats
    side: Floats
    up: Floats
    normal: Floats
    colour: Colour

    def samples(self, across: int, along: int) -> Floats:
        """Points float32 [across * along, 3] distributed over the panel."""
        a = (np.arange(across) + 0.5) * 2 / across - 1
        b = (np.arange(along) + 0.5) * 2 / along - 1
        offsets = a[:, None, None] * self.side + b[None, :, None] * self.up
        return (self.centre + offsets).reshape(-1, 3).astype(np.float32)

    @property
    def area(self) -> float:
        """The area in square metres."""
        return 4.0 * float(np.sqrt((self.side**2).sum() * (self.up**2).sum()))


@dataclass(frozen=True, slots=True, eq=False)
class Lamp:
    """A point light. colour: its irradiance at one metre."""

    position: Floats
    colour: Colour


@dataclass(frozen=True, slots=True, eq=False)
class Sun:
    """Parallel light through the windows. direction: unit float64 [3], towards the sun."""

    direction: Floats
    colour: Colour


@dataclass(frozen=True, slots=True, eq=False)
class Lights:
    """All light of a scene.

    above, below: ambient light from ceiling and walls, and from the floor.
    """

    above: Colour
    below: Colour
    panels: Sequence[Panel] = ()
    lamps: Sequence[Lamp] = ()
    sun: Sun | None = field(default=None)


def ambient(normal: Floats, lights: Lights) -> Floats:
    """Indirect light float32 [3, n] on surfaces with normals [3, n]."""
    up = 0.5 + 0.5 * normal[1]
    above, below = _column(lights.above), _column(lights.below)
    return np.asarray(below + (above - below) * up)


def from_panel(panel: Panel, position: Floats, normal: Floats, target: Floats) -> Floats:
    """The share [n] of a panel's light that arrives at points, if all came from `target`.

    target: [3, 1], or [3, n] with one target for each point.
    """
    way = target - position
    square = (way * way).sum(axis=0)
    falling = np.maximum((way * normal).sum(axis=0), 0)
    leaving = np.maximum(-(way * panel.normal.astype(way.dtype)[:, None]).sum(axis=0), 0)
    return np.asarray(falling * leaving * np.float32(panel.area) / (square * square + 0.05))


def from_lamp(lamp: Lamp, position: Floats, normal: Floats) -> Floats:
    """The share [n] of a lamp's light that arrives at points; 0 on surfaces that face away."""
    way = lamp.position.astype(position.dtype)[:, None] - position
    square = (way * way).sum(axis=0) + 0.02
    facing = (way * normal).sum(axis=0) / np.sqrt(square)
    return np.asarray(np.maximum(facing, 0) / (square + 0.3))


def direct(position: Floats, normal: Floats, lights: Lights, samples: tuple[int, int]) -> Floats:
    """The light float32 [3, n] of panels and lamps on points [3, n], without shadows."""
    total = np.zeros_like(position)
    for panel in lights.panels:
        targets = panel.samples(*samples)
        light = sum(from_panel(panel, position, normal, target[:, None]) for target in targets)
        total += _column(panel.colour) * (light / np.float32(len(targets)))
    for lamp in lights.lamps:
        total += _column(lamp.colour) * from_lamp(lamp, position, normal)
    return total


def shadowed(
    position: Floats,
    normal: Floats,
    lights: Lights,
    solids: Sequence[Solid],
    samples: tuple[int, int],
) -> Floats:
    """The light of `direct`, with the shadows of `solids`."""
    total = np.zeros_like(position)
    starts = position + np.float32(0.006) * normal
    for panel in lights.panels:
        targets = panel.samples(*samples)
        clear = ~blocked(starts, targets.T[:, :, None], solids)
        shares = (from_panel(panel, position, normal, goal[:, None]) * clear[i]
                 for i, goal in enumerate(targets))  # fmt: skip
        total += _column(panel.colour) * (sum(shares) / np.float32(len(targets)))
    for lamp in lights.lamps:
        clear = ~blocked(starts, lamp.position.astype(np.float32)[:, None, None], solids)
        total += _column(lamp.colour) * (from_lamp(lamp, position, normal) * clear[0])
    return total


def sunlit(position: Floats, normal: Floats, lights: Lights) -> Floats:
    """The share [n] of the sun's light that reaches points through the windows, without shadows."""
    share = np.zeros_like(position[0])
    if lights.sun is None:
        return np.asarray(share)
    towards = lights.sun.direction.astype(position.dtype)
    facing = np.maximum(towards @ normal, 0)
    for panel in lights.panels:
        slope = -float(panel.normal @ lights.sun.direction)
        if slope > 0.05:
            share += facing * _through(panel, position, towards, slope)
    return np.asarray(share)


def sun_clear(
    position: Floats, normal: Floats, lights: Lights, solids: Sequence[Solid]
) -> tuple[NDArray[np.bool_], Floats]:
    """(which points [3, n] see the sun through a window, 1 where no solid hides it, else 0)."""
    clear = np.ones_like(position[0])
    bright = sunlit(position, normal, lights) > 0
    (lit,) = np.nonzero(bright)
    if lights.sun is not None and lit.size:
        starts = position[:, lit] + np.float32(0.006) * normal[:, lit]
        towards = lights.sun.direction.astype(position.dtype)[:, None, None]
        clear[lit] = ~blocked(starts, starts[:, None, :] + 9 * towards, solids)[0]
    return bright, clear


def _through(panel: Panel, position: Floats, towards: Floats, slope: float) -> Floats:
    """The share [n], 0..1, of the sun that passes the panes of a window with one cross of bars."""
    kind = position.dtype
    normal, centre = panel.normal.astype(kind), panel.centre.astype(kind)
    distance = (normal @ position - normal @ centre) / kind.type(slope)
    offset = position + towards[:, None] * distance - centre[:, None]
    share = np.ones_like(distance)
    for half in (panel.side, panel.up):
        length = float(np.sqrt((half**2).sum()))
        place = np.abs((half / length).astype(kind) @ offset)
        # The sun's disc and the air blur the edge by a few centimetres.
        share *= np.clip((length - 0.05 - place) / 0.03, 0, 1)
        share *= np.clip((place - 0.02) / 0.02, 0, 1)
    return share * (distance > 0)


def _column(colour: Colour) -> Floats:
    return np.array(colour, dtype=np.float32)[:, None]
