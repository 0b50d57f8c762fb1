"""The requirements on a source."""

from __future__ import annotations

import pickle
from collections import Counter
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from depthmask.codec.metadata import plain_meta
from depthmask.compose.results import background_of
from depthmask.data import FAINT_ALPHA, AssetCatalogue, Background
from depthmask.engine.quarantine import check_contents, quarantine
from depthmask.plan.shares import NAMES
from depthmask.stages.source.base import Source
from depthmask.storage.location import location
from depthmask.testing.base import StageSuite
from depthmask.testing.job import CANVAS, SAMPLES, small_job

_SIZES = ((32, 48), (40, 24))


class SourceSuite(StageSuite):
    """Each key of a source always gives the same pixels."""

    stage_class: ClassVar[type[Source]]

    @pytest.fixture
    def checked(self, stage: Any) -> Any:
        """The stage after its check, as in a run."""
        stage.check(_SIZES[0])
        return stage

    def test_lists_its_keys(self, checked: Any) -> None:
        """Keys are sorted and unique, with at least one background and one foreground."""
        for keys in (list(checked.backgrounds()), list(checked.foregrounds())):
            assert keys
            assert keys == sorted(set(keys))
            assert all(type(key) is str and key for key in keys)

    def test_the_check_says_what_the_assets_are(self, stage: Any) -> None:
        """The same assets have the same digest, by which a dataset is resumed."""
        first, second = (stage.check(_SIZES[0]) for _ in range(2))
        assert isinstance(first, AssetCatalogue)
        assert first.digest
        assert first.digest == second.digest

    def test_splits_are_those_of_its_assets(self, stage: Any) -> None:
        """A catalogue that gives assets a split names its own keys, and splits that exist."""
        catalogue = stage.check(_SIZES[0])
        for splits, keys in (
            (catalogue.background_splits, catalogue.backgrounds or stage.backgrounds()),
            (catalogue.foreground_splits, catalogue.foregrounds or stage.foregrounds()),
        ):
            assert splits.keys() <= set(keys)
            assert set(splits.values()) <= set(NAMES)

    def test_licences_are_those_of_its_assets(self, stage: Any) -> None:
        """Licences by key, if there are any, are of its own keys, and as many as it counts."""
        catalogue = stage.check(_SIZES[0])
        for kind, licences, keys in (
            ("backgrounds", catalogue.background_licences, catalogue.backgrounds),
            ("foregrounds", catalogue.foreground_licences, catalogue.foregrounds),
        ):
            assert licences.keys() <= set(keys or getattr(stage, kind)())
            assert not licences or Counter(licences.values()) == catalogue.licences[kind]

    def test_what_it_leaves_out_can_be_kept(self, stage: Any, tmp_path: Path) -> None:
        """Each asset that is left out has a reason; names of contents stay in `quarantine/`."""
        left_out = stage.check(_SIZES[0]).left_out
        assert all(one.file and one.reason for one in left_out)
        check_contents(left_out, stage.name)
        quarantine(location(tmp_path), left_out)

    def test_an_identity_names_the_pixels(self, checked: Any) -> None:
        """An identity, if any, is the same in another process, and another one for other pixels."""
        worker = pickle.loads(pickle.dumps(checked))  # noqa: S301
        for kind, keys in (
            ("background", list(checked.backgrounds())[:3]),
            ("foreground", list(checked.foregrounds())[:3]),
        ):
            pixels: dict[str, object] = {}
            for key, size in ((key, size) for key in keys for size in _SIZES):
                identity = getattr(checked, f"{kind}_identity")(key, size)
                assert identity == getattr(worker, f"{kind}_identity")(key, size)
                if identity is not None:
                    assert type(identity) is str
                    one = getattr(checked, kind)(key, size)
                    shown = _content(one) if kind == "background" else one.rgba.tobytes()
                    assert pixels.setdefault(identity, shown) == shown

    def test_groups_are_the_same_everywhere(self, checked: Any) -> None:
        """A group is a text or None, and the same one in another process."""
        worker = pickle.loads(pickle.dumps(checked))  # noqa: S301
        for kind in ("background", "foreground"):
            for key in getattr(checked, f"{kind}s")()[:10]:
                group = getattr(checked, f"{kind}_group")(key)
                assert group is None or (isinstance(group, str) and group)
                assert group == getattr(worker, f"{kind}_group")(key)

    def test_backgrounds_fill_the_canvas(self, checked: Any) -> None:
        """Images are uint8 RGB of the canvas size; depth, if any, has that size as well."""
        for size in _SIZES:
            for key in list(checked.backgrounds())[:3]:
                one = checked.background(key, size)
                assert one.key == key
                assert (one.image.dtype, one.image.shape) == (np.uint8, (*size, 3))
                assert (one.depth_m is not None) == checked.has_depth(key)
                if one.depth_m is not None:
                    assert (one.depth_m.dtype, one.depth_m.shape) == (np.float32, size)
                    assert np.isfinite(one.depth_m).all()
                    assert one.depth_m.min() >= 0

    def test_instances_lie_on_their_backgrounds(self, checked: Any) -> None:
        """Instances, if any, have a label, metadata, and a trimmed mask on the canvas."""
        for size in _SIZES:
            for key in list(checked.backgrounds())[:3]:
                instances = background_of(checked, key, size).instances
                assert len(instances) == len(checked.background(key, size).instances)

    def test_foregrounds_are_trimmed_cut_outs(self, checked: Any) -> None:
        """Foregrounds are uint8 RGBA whose alpha reaches all four edges, also without faint alpha.

        Faint alpha around a foreground makes it smaller: what is above it is at least half of the
        height and half of the width.
        """
        for key in list(checked.foregrounds())[:5]:
            one = checked.foreground(key, _SIZES[0])
            assert one.key == key
            assert (one.rgba.dtype, one.rgba.shape[2:]) == (np.uint8, (4,))
            alpha = one.rgba[..., 3]
            edges = (alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1])
            assert all(edge.any() for edge in edges), f"{key} has an empty rim"
            shown = alpha > FAINT_ALPHA
            for side, length in enumerate(one.size):
                (places,) = shown.any(axis=1 - side).nonzero()
                assert 2 * (np.ptp(places) + 1) >= length, f"{key} has a rim of faint alpha"
            assert one.height_m is None or one.height_m > 0
            if one.relief_m is not None:
                assert (one.relief_m.dtype, one.relief_m.shape) == (np.float32, one.size)

    def test_metadata_reaches_the_samples(self, checked: Any, tmp_path: Path) -> None:
        """Metadata is JSON data of up to 64 KiB, whose keypoints, if any, have their form."""
        job = small_job(tmp_path / "out", source=checked)
        for sample in map(job.sample, range(SAMPLES)):
            background = checked.background(sample.meta["background"], CANVAS)
            assert sample.meta.get("background_meta") == plain_meta(background.meta, background.key)
            known = [one.label for one in background.instances]
            own = sample.meta.get("background_instances", [])
            assert Counter(one["label"] for one in own) <= Counter(known)
            for layer in sample.meta["layers"]:
                foreground = checked.foreground(layer["foreground"], CANVAS)
                meta = plain_meta(foreground.meta, foreground.key) or {}
                assert layer.get("meta", {}).keys() == meta.keys()

    def test_a_key_always_gives_the_same_pixels(self, checked: Any) -> None:
        """A key gives the same pixels and metadata in another process."""
        worker = pickle.loads(pickle.dumps(checked))  # noqa: S301
        assert list(worker.backgrounds()) == list(checked.backgrounds())
        for key in list(checked.backgrounds())[:3]:
            ours, theirs = (one.background(key, _SIZES[0]) for one in (checked, worker))
            assert _content(ours) == _content(theirs)
            assert ours.meta == theirs.meta
        for key in list(checked.foregrounds())[:3]:
            ours, theirs = (one.foreground(key, _SIZES[0]) for one in (checked, worker))
            assert np.array_equal(ours.rgba, theirs.rgba)
            assert ours.meta == theirs.meta


def _content(background: Background) -> tuple[object, ...]:
    """The pixels of a background, and its instances."""
    instances = [
        (one.label, one.top, one.left, one.mask.shape, one.mask.tobytes(), one.is_crowd, one.meta)
        for one in background.instances
    ]
    return background.image.tobytes(), instances
