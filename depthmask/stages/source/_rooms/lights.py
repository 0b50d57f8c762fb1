"""Lamps, windows as soft area lights, the sun, and the light that walls and floor reflect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthmask.data import Float32
from depthmask.kernels.compiled import Floats
from depthmask.kernels.light import arriving, sunlight
from depthmask.kernels.rays import Bodies, blocked
from depthmask.stages.source._rooms.material import Colour


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

    def samples(self, across: int, along: int) -> Float32:
        """Points float32 [across * along, 3] distributed over the panel."""
        a = (np.arange(across) + 0.5) * 2 / across - 1
        b = (np.arange(along) + 0.5) * 2 / along - 1
        offsets = a[:, None, None] * self.side + b[None, :, None] * self.up
        return (self.centre + offsets).reshape(-1, 3).astype(np.float32)

    @property
    def area(self) -> float:
        """The area in square metres."""
        return 4.0 * float(np.sqrt(dot(self.side, self.side) * dot(self.up, self.up)))


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


def ambient(normal: Float32, lights: Lights) -> Float32:
    """Indirect light float32 [3, n] on surfaces with normals [3, n]."""
    up = 0.5 + 0.5 * normal[1]
    above, below = _column(lights.above), _column(lights.below)
    return np.asarray(below + (above - below) * up)


@dataclass(frozen=True, slots=True, eq=False)
class Goals:
    """m points that light comes from.

    targets: float32 [3, m, 1], or [3, m, n] with own ones for each of n points. lights: float32
    [m, 5], as `arriving` takes them. colours: float32 [m, 3].
    """

    targets: Float32
    lights: Float32
    colours: Float32

    def shares(self, position: Float32, normal: Float32) -> Float32:
        """The shares [m, n] of their light that arrive at points, without shadows."""
        return arriving(position, normal, self.targets, self.lights)


def goals(lights: Lights, samples: tuple[int, int]) -> Goals:
    """The lamps, and points distributed over the panels."""
    count = samples[0] * samples[1]
    targets = [panel.samples(*samples) for panel in lights.panels]
    targets += [lamp.position.astype(np.float32)[None] for lamp in lights.lamps]
    colours = [np.array(panel.colour) / count for panel in lights.panels for _ in range(count)]
    colours += [np.array(lamp.colour) for lamp in lights.lamps]
    points = np.concatenate([np.empty((0, 3), np.float32), *targets])
    return Goals(
        np.ascontiguousarray(points.T)[:, :, None],
        _rows(lights, count),
        np.array(colours, np.float32).reshape(-1, 3),
    )


def own_goals(lights: Lights, across: Float32, along: Float32) -> Goals:
    """The lamps, and for each of n points one place on each panel.

    across, along: float32 [n], from the middle of the panels, in half edges.
    """
    targets = []
    for panel in lights.panels:
        side, up, centre = (
            of.astype(np.float32)[:, None] for of in (panel.side, panel.up, panel.centre)
        )
        targets.append(centre + side * across + up * along)
    for lamp in lights.lamps:
        targets.append(np.repeat(lamp.position.astype(np.float32)[:, None], across.size, axis=1))
    colours = [panel.colour for panel in lights.panels]
    colours += [lamp.colour for lamp in lights.lamps]
    points = np.stack(targets, axis=1) if targets else np.empty((3, 0, across.size), np.float32)
    return Goals(points, _rows(lights, 1), np.array(colours, np.float32).reshape(-1, 3))


def _rows(lights: Lights, samples: int) -> Float32:
    rows = [[0, *panel.normal, panel.area] for panel in lights.panels for _ in range(samples)]
    rows += [[1, 0, 0, 0, 0] for _ in lights.lamps]
    return np.array(rows, np.float32).reshape(-1, 5)


def direct(position: Float32, normal: Float32, lights: Lights, samples: tuple[int, int]) -> Float32:
    """The light float32 [3, n] of panels and lamps on points [3, n], without shadows."""
    of = goals(lights, samples)
    return _coloured(of.colours, of.shares(position, normal))


def shadowed(
    position: Float32, normal: Float32, lights: Lights, solids: Bodies, samples: tuple[int, int]
) -> Float32:
    """The light of `direct`, with the shadows of `solids`."""
    of = goals(lights, samples)
    starts = position + np.float32(0.006) * normal
    shares = of.shares(position, normal) * ~blocked(starts, of.targets, solids)
    return _coloured(of.colours, shares)


def _coloured(colours: Float32, shares: Float32) -> Float32:
    """The sum [3, n] of m colours [m, 3], each times its shares [m, n]."""
    total = np.zeros((3, shares.shape[1]), np.float32)
    for colour, share in zip(colours, shares, strict=True):
        total += colour[:, None] * share
    return total


def sunlit(position: Float32, normal: Float32, lights: Lights) -> Float32:
    """The share [n] of the sun's light that reaches points through the windows, without shadows."""
    if lights.sun is None:
        return np.zeros_like(position[0])
    direction = lights.sun.direction
    panes = [
        _pane(panel, slope)
        for panel in lights.panels
        if (slope := -float(dot(panel.normal, direction))) > 0.05
    ]
    return sunlight(
        position, normal, direction.astype(np.float32), np.array(panes, np.float32).reshape(-1, 16)
    )


def _pane(panel: Panel, slope: float) -> list[float]:
    """A panel as `sunlight` takes it."""
    edges = []
    for half in (panel.side, panel.up):
        length = float(np.sqrt(dot(half, half)))
        edges += [*(half / length), length - 0.05]
    return [*panel.normal, dot(panel.normal, panel.centre), slope, *panel.centre, *edges]


def sun_clear(
    position: Float32, normal: Float32, lights: Lights, solids: Bodies
) -> tuple[NDArray[np.bool_], Float32]:
    """(which points [3, n] see the sun through a window, 1 where no solid hides it, else 0)."""
    clear = np.ones_like(position[0])
    bright = sunlit(position, normal, lights) > 0
    (lit,) = np.nonzero(bright)
    if lights.sun is not None and lit.size:
        starts = position[:, lit] + np.float32(0.006) * normal[:, lit]
        towards = lights.sun.direction.astype(np.float32)[:, None]
        clear[lit] = ~blocked(starts, (starts + 9 * towards)[:, None], solids)[0]
    return bright, clear


def dot(a: Floats, b: Any) -> Any:
    """The sum of the products of three components, in one order of operations."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _column(colour: Colour) -> Float32:
    return np.array(colour, dtype=np.float32)[:, None]
