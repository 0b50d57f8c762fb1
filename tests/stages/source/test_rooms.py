"""The rooms source: what it promises about keys, pixels, cameras and cut-outs."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from depthmask.errors import SettingError, UsageError
from depthmask.stages.source._rooms import cutout
from depthmask.stages.source._rooms.material import solid_colour
from depthmask.stages.source._rooms.photo import Photo
from depthmask.stages.source._rooms.room import FLOOR, Room
from depthmask.stages.source._rooms.scene import Optics, scene
from depthmask.stages.source._rooms.solids import bodies, bounds, box
from depthmask.stages.source._rooms.view import View, extent
from depthmask.stages.source.rooms import Rooms

SIZE = (32, 48)


def small(**settings: object) -> Rooms:
    return Rooms(rooms=4, furniture=16, oversample=2, **settings)  # type: ignore[arg-type]


def test_keys_are_sorted_and_carry_depth() -> None:
    source = Rooms(rooms=12, furniture=3)
    assert list(source.backgrounds()) == sorted(source.backgrounds())
    assert list(source.foregrounds()) == ["item0000", "item0001", "item0002"]
    assert len(source.backgrounds()) == 12
    assert source.has_depth("room0003")


@pytest.mark.parametrize("size", [(32, 48), (48, 32), (40, 40), (30, 90), (90, 20)])
def test_background_fits_the_canvas(size: tuple[int, int]) -> None:
    made = small().background("room0001", size)
    assert made.image.shape == (*size, 3)
    assert made.image.dtype == np.uint8
    assert made.depth_m is not None
    assert made.depth_m.shape == size
    assert made.depth_m.dtype == np.float32
    assert made.depth_m.min() > 0.3
    assert made.depth_m.max() < 15
    assert 60 < made.image.mean() < 200


def test_many_rooms_keep_their_distance_and_show_floor() -> None:
    for number in range(40):
        photo = Photo(scene(0, number, Optics((58, 74), (1.3, 1.6))), (24, 32))
        depth = photo.depth()
        assert depth.min() > 0.3
        assert depth.max() < 15
        assert (photo.hits.surface[14:] == FLOOR).mean() > 0.2


def test_floor_pixels_lie_on_the_plane_and_the_camera_agrees() -> None:
    for number in range(4):
        made = small().background(f"room{number:04d}", SIZE)
        photo = Photo(scene(0, number, Optics((58.0, 74.0), (1.3, 1.6))), SIZE)
        assert made.camera is not None
        assert made.plane is not None
        assert made.depth_m is not None
        y, x = np.nonzero(photo.hits.surface == FLOOR)
        z = made.depth_m[y, x].astype(float)
        points = np.stack([
            (x + 0.5 - made.camera.cx) / made.camera.f_px * z,
            (y + 0.5 - made.camera.cy) / made.camera.f_px * z,
            z,
        ])  # fmt: skip
        assert len(z) > 50
        assert np.abs(np.array(made.plane.normal) @ points - made.plane.offset_m).max() < 1e-4
        assert made.plane.offset_m == made.camera.height_m
        assert made.plane.normal == pytest.approx(
            (0, math.cos(made.camera.pitch), math.sin(made.camera.pitch))
        )
        assert 1.3 <= made.camera.height_m <= 1.6


def test_the_field_of_view_is_what_was_asked_for() -> None:
    made = small(fov_deg=[60.0, 60.0]).background("room0000", SIZE)
    assert made.camera is not None
    assert made.camera.f_px == pytest.approx(SIZE[1] / 2 / math.tan(math.radians(30)))


def test_pixels_depend_on_the_key_alone() -> None:
    first, second = small(), small()
    keys = ["room0002", "room0000", "room0003"]
    one = {key: first.background(key, SIZE) for key in keys}
    item = first.foreground("item0001", SIZE)
    for key in reversed(keys):
        again = second.background(key, SIZE)
        assert again.image.tobytes() == one[key].image.tobytes()
        np.testing.assert_array_equal(again.depth_m, one[key].depth_m)
        assert again.camera == one[key].camera
        assert again.plane == one[key].plane
    assert len({one[key].image.tobytes() for key in keys}) == len(keys)
    again_item = second.foreground("item0001", SIZE)
    assert again_item is not item
    assert again_item.rgba.tobytes() == item.rgba.tobytes()
    other = Rooms(rooms=4, oversample=2, seed=1).background("room0002", SIZE)
    assert other.image.tobytes() != one["room0002"].image.tobytes()


def test_an_identity_names_the_pixels() -> None:
    source, size = small(), SIZE
    identities = [
        one.background_identity(key, of_size)
        for one, key, of_size in (
            (source, "room0001", size),
            (source, "room0002", size),
            (source, "room0001", (48, 32)),
            (small(seed=1), "room0001", size),
            (small(fov_deg=[60.0, 70.0]), "room0001", size),
        )
    ]
    assert len(set(identities)) == len(identities)
    assert small().background_identity("room0001", size) == identities[0]
    assert small().foreground_identity("item0001", size) == source.foreground_identity(
        "item0001", size
    )


def test_every_kind_of_cutout_is_trimmed_and_soft_edged() -> None:
    source = small(foreground_scale=0.9375)
    labels = set()
    for key in source.foregrounds():
        made = source.foreground(key, (64, 80))
        alpha = made.rgba[..., 3]
        assert max(made.size) == 60
        assert all(edge.any() for edge in (alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1])), key
        assert ((alpha > 0) & (alpha < 255)).any()
        assert (alpha == 255).any()
        assert made.height_m is not None
        assert 0.25 < made.height_m < 2.6
        assert made.relief_m is not None
        assert made.relief_m.shape == made.size
        labels.add(made.label)
    assert {"chair", "plant", "person", "sofa", "lamp", "table", "bookshelf"} <= labels


def test_soft_edges_have_the_colour_of_the_thing_not_of_a_dark_ground() -> None:
    # The box has one brown all over, so its edge must be as bright as its inside.
    rgba = small().foreground("item0014", (160, 160)).rgba
    alpha = rgba[..., 3]
    light = rgba[..., :3].mean(axis=2)
    edge = (alpha > 0) & (alpha < 255)
    assert light[edge].mean() > 0.75 * light[alpha == 255].mean()


def test_people_have_the_height_of_people() -> None:
    height = small().foreground("item0004", (64, 64)).height_m
    assert height is not None
    assert 1.55 < height < 2.0


def test_scale_sets_the_long_side() -> None:
    assert max(small(foreground_scale=0.5).foreground("item0000", (100, 80)).size) == 40


def test_check_tells_settings_apart() -> None:
    several = small(), small(seed=1), small(fov_deg=[60.0, 70.0])
    told = {one.check(SIZE).digest for one in several}
    assert len(told) == 3
    assert small().check(SIZE).digest in told


def test_the_hash_is_that_of_older_datasets() -> None:
    """They did not have all settings."""
    assert Rooms().check((160, 160)).digest == "9d6cfc9fefa1d87b"
    assert Rooms(rooms=4, furniture=3, seed=2).check((24, 32)).digest == "0476d998d0d9e5bc"


@pytest.mark.parametrize(
    "settings",
    [{"pitch_deg": [30.0, 40.0]}, {"camera_from_wall": [2.0, 3.0]}, {"clearance": 0.4}],
)
def test_another_camera_is_another_room(settings: dict[str, object]) -> None:
    """The cameras are where they are said to be."""
    assert small(**settings).check(SIZE).digest != small().check(SIZE).digest
    optics = small(**settings).optics()
    views = [scene(0, number, optics).view for number in range(40)]
    for values, (low, high) in (
        ([math.degrees(view.pitch) for view in views], optics.pitch_deg),
        ([float(view.eye[2]) for view in views], optics.from_wall),
    ):
        middle = (low + high) / 2
        assert low <= min(values) < middle < max(values) <= high


def test_furniture_keeps_clear_of_the_camera() -> None:
    nearest = {}
    for clearance in (0.3, 0.95):
        optics = small(camera_from_wall=[1.0, 3.0], clearance=clearance).optics()
        rooms = [scene(0, number, optics) for number in range(40)]
        nearest[clearance] = min(_nearest_furniture(room) for room in rooms)
    assert 0.3 <= nearest[0.3] < 0.6
    assert nearest[0.95] >= 0.95


def _nearest_furniture(room: Room) -> float:
    """The distance along the floor from the camera to the footprints of furniture, metres."""
    pieces = {one.piece for one in room.solids} - {0}
    distances = []
    for piece in pieces:
        low, high = bounds([one for one in room.solids if one.piece == piece])
        across = max(low[0] - room.view.eye[0], 0, room.view.eye[0] - high[0])
        forward = max(low[2] - room.view.eye[2], 0, room.view.eye[2] - high[2])
        distances.append(float(math.hypot(across, forward)))
    return min(distances)


@pytest.mark.parametrize(
    "settings",
    [
        {"rooms": 0},
        {"pitch_deg": [-40.0, 0.0]},
        {"pitch_deg": [20.0, 10.0]},
        {"camera_from_wall": [0.1, 1.0]},
        {"clearance": 0.1},
        {"seed": -1},
        {"oversample": 0},
        {"foreground_scale": 0.0},
        {"fov_deg": [70.0]},
        {"fov_deg": [70.0, 60.0]},
        {"fov_deg": [20.0, 60.0]},
        {"camera_height": [1.2, 1.5, 1.7]},
        {"camera_height": [1.0, 4.0]},
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(SettingError):
        Rooms(**settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("key", ["room0004", "item0000", "room", "roomx", "room-001"])
def test_unknown_rooms_are_named(key: str) -> None:
    with pytest.raises(UsageError, match="room0003"):
        small().background(key, SIZE)


def test_relief_of_a_box_is_its_depth_behind_the_nearest_foot() -> None:
    """A box straight ahead: its front is at the foot, its top reaches back to the rear edge."""
    thing = cutout.subject(0, 0)
    shape = box((-0.5, 0.5), (0.0, 0.4), (-0.3, 0.3), solid_colour("808080"))
    eye = np.array([0.0, 1.5, -4.0])
    view = View(eye, 0.0, math.atan2(1.5, 4.0))
    thing = replace(thing, solids=[shape], view=view, extent=extent(bodies([shape]), view))
    # By hand: the front's lower edge is 1.5 m below and 3.7 m ahead of the eye.
    sine, cosine = math.sin(view.pitch), math.cos(view.pitch)
    assert thing.foot_z == pytest.approx(1.5 * sine + 3.7 * cosine)
    part = cutout.frame(thing, 600)
    relief = cutout.relief(thing, part)
    assert relief.dtype == np.float32
    assert relief.shape == part.size
    middle = relief[:, 300]
    assert middle[-2] == pytest.approx(0.0, abs=0.02)
    # The rear edge is 1.1 m below and 4.3 m ahead, the upper edge in front 1.1 m and 3.7 m.
    assert middle[1] == pytest.approx(1.1 * sine + 4.3 * cosine - thing.foot_z, abs=0.02)
    assert middle.min() == pytest.approx(1.1 * sine + 3.7 * cosine - thing.foot_z, abs=0.02)
