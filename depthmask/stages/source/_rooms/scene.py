"""A random room: measures, camera, surfaces, openings, furniture and light."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from depthmask.kernels.compiled import Floats
from depthmask.kernels.patterns import Pattern
from depthmask.stages.source._rooms import openings
from depthmask.stages.source._rooms.angles import bearing, tangent
from depthmask.stages.source._rooms.layout import Layout
from depthmask.stages.source._rooms.lights import Lamp, Lights, Sun
from depthmask.stages.source._rooms.material import (
    Colour,
    Material,
    linear,
    metal,
    pick,
    scaled,
    solid_colour,
)
from depthmask.stages.source._rooms.room import (
    BACK,
    FLOOR,
    FRONT,
    LEFT,
    RIGHT,
    Room,
    Rug,
    Wall,
    Window,
)
from depthmask.stages.source._rooms.solids import Solid, Span, tube, unit
from depthmask.stages.source._rooms.streams import Kind, stream
from depthmask.stages.source._rooms.themes import THEMES
from depthmask.stages.source._rooms.view import View

WALLS = (
    "e8e3d8", "dfdcd5", "e9e5dd", "d8d0c0", "c9cdc4", "b9c3c4", "e3d3c3", "cfd6d6",
    "d9cfc6", "aab5a6",
)  # fmt: skip
ACCENTS = ("7d8f88", "5c6f7d", "a97f68", "8a9a86", "b59f86", "6b7583", "c8b49a")
PLANKS = ("b98f63", "a57c55", "8a6242", "c8a57c", "d2b795", "6d4d37", "b7a48c", "9c8468")
TILES = (("d5d0c6", "a8a39a"), ("b9b4ab", "8f8b84"), ("e0dcd2", "bdb7ab"), ("8d8f90", "6d6f70"))
CARPETS = ("b5aa99", "9a9a98", "a59a8a", "7f8790", "8f8a7c")


@dataclass(frozen=True, slots=True)
class Optics:
    """Ranges of the camera.

    fov_deg: horizontal field of view, degrees. camera_height, from_wall: above the floor, and from
    the wall behind it, metres. pitch_deg: downward, degrees. clearance: the least distance of
    furniture from it along the floor, metres.
    """

    fov_deg: Span
    camera_height: Span
    pitch_deg: Span = (8.0, 17.0)
    from_wall: Span = (0.35, 0.8)
    clearance: float = 0.95


def scene(seed: int, number: int, optics: Optics) -> Room:
    """Room `number` of a seed."""
    rng = stream(seed, Kind.room, number)
    high = np.array([rng.uniform(3.6, 5.4), rng.uniform(2.45, 2.85), rng.uniform(4.6, 6.8)])
    view, fov = _camera(rng, high, optics)
    walls = {
        face: Wall(face, float(high[0]), float(high[2])) for face in (LEFT, RIGHT, FRONT, BACK)
    }
    faces = _surfaces(rng)
    sky = scaled((0.94, 1.0, 1.08), rng.uniform(4.2, 6.0))
    windows, fittings, gaps = _openings(rng, walls, float(high[1]), sky)
    layout = Layout(float(high[0]), float(high[2]), view.eye, optics.clearance, windows, gaps)
    rugs: list[Rug] = THEMES[number % len(THEMES)](rng, layout, walls)
    for wall in (walls[BACK], walls[LEFT], walls[RIGHT]):
        fittings += openings.skirting(wall, gaps.get(wall.face, []))
        fittings += _wall_pictures(rng, wall, layout)
    pendant, lamps = _pendant(rng, high, view)
    lights = _lights(rng, faces, windows, lamps)
    return Room(
        high, view, tangent(math.radians(fov) / 2), faces, (*layout.solids, *fittings, *pendant),
        tuple(windows), tuple(rugs), lights, int(rng.integers(1024)),
    )  # fmt: skip


def _camera(rng: np.random.Generator, high: Floats, optics: Optics) -> tuple[View, float]:
    """The view of a person near the front wall, and the horizontal field of view [deg]."""
    eye = np.array([
        high[0] * rng.uniform(0.3, 0.7),
        rng.uniform(*optics.camera_height),
        rng.uniform(*optics.from_wall),
    ])  # fmt: skip
    aim = high[0] * rng.uniform(0.38, 0.62)
    yaw = bearing(aim - float(eye[0]), float(high[2] - eye[2]) * 0.75)
    pitch = math.radians(rng.uniform(*optics.pitch_deg))
    return View(eye, yaw, pitch), rng.uniform(*optics.fov_deg)


def _surfaces(rng: np.random.Generator) -> tuple[Material, ...]:
    """The materials of the six faces."""
    paint = linear(pick(rng, WALLS))
    plain = Material(paint, paint, Pattern.plaster, seed=int(rng.integers(1024)))
    far, draw = plain, rng.random()
    if draw < 0.3:
        accent = linear(pick(rng, ACCENTS))
        far = Material(accent, accent, Pattern.plaster, seed=plain.seed)
    elif draw < 0.38:
        far = Material(paint, scaled(paint, 0.88), Pattern.stripes, rng.uniform(0.12, 0.3))
    white = linear("eeece7")
    ceiling = Material(white, white, Pattern.plaster)
    return plain, plain, _floor(rng), ceiling, plain, far


def _floor(rng: np.random.Generator) -> Material:
    draw, seed = rng.random(), int(rng.integers(1024))
    if draw < 0.62:
        colour = linear(pick(rng, PLANKS))
        return Material(
            colour, scaled(colour, 0.6), Pattern.planks, rng.uniform(0.11, 0.19), seed=seed
        )
    if draw < 0.8:
        tile, grout = TILES[int(rng.integers(len(TILES)))]
        return Material(
            linear(tile), linear(grout), Pattern.tiles, rng.uniform(0.3, 0.6), seed=seed
        )
    if draw < 0.86:
        return Material(linear("ddd8cc"), linear("8d8a84"), Pattern.checker, rng.uniform(0.3, 0.45),
                        seed=seed)  # fmt: skip
    colour = linear(pick(rng, CARPETS))
    return Material(colour, scaled(colour, 0.8), Pattern.carpet, seed=seed)


def _openings(
    rng: np.random.Generator, walls: dict[int, Wall], high: float, sky: Colour
) -> tuple[list[Window], list[Solid], dict[int, list[Span]]]:
    """Windows in one or two walls, fittings such as a door in another, the door's span by wall."""
    order = [(LEFT, RIGHT, BACK)[int(i)] for i in rng.permutation(3)]
    windows: list[Window] = []
    fittings: list[Solid] = []
    for face in order[: 1 + (rng.random() < 0.45)]:
        wall = walls[face]
        least, most = (0.3, 0.7) if face == BACK else (0.45, 0.75)
        middle = wall.length * float(rng.uniform(least, most))
        windows.append(openings.window(rng, wall, middle, high, sky))
        fittings += openings.dressing(rng, wall, windows[-1])
    if order[0] == BACK or rng.random() < 0.35:
        # Light from behind the camera, so that furniture in front of a window is not black.
        middle = walls[FRONT].length * rng.uniform(0.3, 0.7)
        windows.append(openings.window(rng, walls[FRONT], float(middle), high, sky))
    gaps: dict[int, list[Span]] = {}
    if rng.random() < 0.6:
        wall = walls[order[2]]
        low = 0.7 if wall.face == BACK else 2.3
        solids, gap = openings.door(rng, wall, float(rng.uniform(low, wall.length - 0.7)))
        fittings += solids
        gaps[wall.face] = [gap]
    return windows, fittings, gaps


def _wall_pictures(rng: np.random.Generator, wall: Wall, layout: Layout) -> list[Solid]:
    """Pictures on the longest free span of a wall, perhaps above low furniture."""
    if rng.random() < 0.3:
        return []
    taken = [*layout.blocked.get(wall.face, [])]
    taken += [(w.along[0] - 0.3, w.along[1] + 0.3) for w in layout.windows if w.face == wall.face]
    taken += layout.spans_behind_tall(wall)
    start, best = (0.2 if wall.face == BACK else 1.6), (0.0, 0.0)
    for low, top in [*sorted(taken), (wall.length - 0.2, wall.length)]:
        best = max(best, (start, low), key=lambda stretch: stretch[1] - stretch[0])
        start = max(start, top)
    return openings.pictures(rng, wall, best) if best[1] - best[0] > 0.8 else []


def _pendant(rng: np.random.Generator, high: Floats, view: View) -> tuple[list[Solid], list[Lamp]]:
    """A lamp that hangs from the ceiling, and its light if it is on."""
    if rng.random() < 0.35:
        return [], []
    glow = rng.uniform(0.6, 1.4) if rng.random() < 0.6 else 0.0
    x, z = float(high[0]) / 2, max(float(high[2]) * 0.58, float(view.eye[2]) + 2.0)
    top, drop, radius = float(high[1]), rng.uniform(0.35, 0.6), rng.uniform(0.16, 0.24)
    cloth = linear(pick(rng, ("efe4cf", "e8e4dc", "d9c7a5", "3a3d40", "b98a52")))
    shade, low = Material(cloth, cloth, glow=glow), top - drop
    solids = [
        tube((x, z), (low + 0.1, top), 0.006, metal(rng)),
        tube((x, z), (top - 0.03, top), 0.05, solid_colour("dcdad5")),
        tube((x, z), (low, low + 0.2), radius, shade, rng.uniform(0.35, 1.0)),
    ]
    warm = scaled((1.0, 0.82, 0.6), glow * 1.3)
    return solids, [Lamp(np.array([x, low - 0.12, z]), warm)] if glow else []


def _lights(
    rng: np.random.Generator,
    faces: tuple[Material, ...],
    windows: list[Window],
    lamps: list[Lamp],
) -> Lights:
    """The light of windows, lamps and perhaps the sun, with what walls and floor reflect."""
    area = sum(w.panel.area for w in windows)
    level = 0.3 + 0.11 * min(area, 6.0)
    wall, floor = faces[LEFT].colour, faces[FLOOR].colour
    above = (level * (0.35 + 0.6 * wall[0]), level * (0.36 + 0.6 * wall[1]),
             level * (0.38 + 0.6 * wall[2]))  # fmt: skip
    below = (level * (0.28 + 0.6 * floor[0]), level * (0.27 + 0.6 * floor[1]),
             level * (0.26 + 0.6 * floor[2]))  # fmt: skip
    sun = _sun(rng, windows) if rng.random() < 0.5 else None
    return Lights(above, below, [w.panel for w in windows], lamps, sun)


def _sun(rng: np.random.Generator, windows: list[Window]) -> Sun:
    """The sun, so that it shines through the first window."""
    normal = windows[0].panel.normal
    sideways = np.array([normal[2], 0.0, -normal[0]]) * rng.uniform(-0.8, 0.8)
    direction = -normal + sideways + np.array([0.0, rng.uniform(0.45, 0.9), 0.0])
    return Sun(np.array(unit(direction)),
               scaled((1.0, 0.9, 0.74), rng.uniform(3.0, 5.0)))  # fmt: skip
