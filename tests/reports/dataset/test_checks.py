"""Each warning comes when it should, and its opposite otherwise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from depthmask.data import DepthContract, DepthKind, DepthMode, LeftOut, Sample
from depthmask.reports.dataset.census import Census
from depthmask.reports.dataset.checks import Level, checks
from depthmask.reports.dataset.collect import Findings, SplitTotals
from depthmask.reports.dataset.pixels import Pixels
from depthmask.storage.dataset_info import Leakage
from tests.support.infos import dataset_info


def contract(*, clip: bool) -> DepthContract:
    return DepthContract(
        DepthKind.metric_z, "m", 1.0, 10.0, 0.0, clip, (12, 10), "test", None, DepthMode.estimated
    )


def findings(
    *visible: float, depth: DepthContract | None = None, splits: tuple[str, ...] = ("train",)
) -> Findings:
    census = Census((12, 10))
    for number, part in enumerate(visible):
        layers = [{"foreground": "cup", "visible": part, "box": [0, 0, 4, 4]}]
        split = splits[number % len(splits)]
        census.add(number, split, {"background": "wall", "layers": layers}, {"mask.png": b""})
    census.count_pending()
    totals = {name: SplitTotals(samples=1) for name in splits}
    return Findings(totals, {}, census, Pixels(depth), [])


def found(info: dict[str, Any], one: Findings, depth: DepthContract | None = None) -> str:
    made = checks(dataset_info(**info), depth, one)
    assert [check.level for check in made] == sorted(
        (check.level for check in made), key=[Level.warning, Level.note, Level.good].index
    )
    return "\n".join(f"{check.level.name}: {check.title}: {check.text}" for check in made)


@pytest.mark.parametrize(
    ("visible", "line"),
    [
        (
            (1.0, 0.05),
            "good: No empty masks: At least 5% of a foreground is visible in each of 2 samples.",
        ),
        ((1.0, 0.04), "note: Nearly empty masks: Less than 5% of each foreground is visible in 1"),
        (
            (0.0, 0.0, 1.0, 0.01),
            "warning: Empty masks: No foreground is visible in 2 of 4 (50.00%) samples, "
            "such as 0, 1; less than 5% of each is visible in 3 of 4 (75.00%).",
        ),
    ],
)
def test_empty_masks(visible: tuple[float, ...], line: str) -> None:
    assert line in found({}, findings(*visible))


def test_empty_masks_without_visibility_in_the_descriptions(
    make_sample: Callable[..., Sample],
) -> None:
    one = findings()
    sample = make_sample(0)
    sample.mask[...] = 0
    one.pixels.add(sample)
    assert "warning: Empty masks: 1 of 1 (100.00%) decoded samples" in found({}, one)


def test_photographs_have_no_masks(make_sample: Callable[..., Sample]) -> None:
    one = findings()
    sample = make_sample(0)
    sample.mask[...] = 0
    one.pixels.add(sample)
    text = found({"foregrounds": 0}, one)
    assert "note: No foregrounds: The samples are pictures without foregrounds" in text
    assert "Empty masks" not in text


def test_lossy_masks() -> None:
    one = findings(1.0)
    assert "JPEG" not in found({}, one)
    one.census.member_bytes["mask.jpg"] = 1
    assert "note: Lossy masks" in found({}, one)


@pytest.mark.parametrize(
    ("clip", "far_pixels", "line"),
    [
        (
            True,
            12,
            "warning: Clipped depth: Values outside 1 m to 10 m were clipped: of the valid "
            "pixels of 1 sample, 0.00% are at 1 m and 10.08% at 10 m.",
        ),
        (True, 0, "good: Hardly any clipped depth"),
        (False, 12, "good: No clipped depth: A value outside 1 m to 10 m would have been an error"),
    ],
)
def test_clipped_depth(
    make_sample: Callable[..., Sample], clip: bool, far_pixels: int, line: str
) -> None:
    sample = make_sample(2)
    assert sample.depth is not None
    sample.depth.reshape(-1)[1 : 1 + far_pixels] = 10
    one = findings(1.0, depth=contract(clip=clip))
    one.pixels.add(sample)
    text = found({}, one, contract(clip=clip))
    assert line in text
    # One of 120 pixels.
    assert "note: Invalid depth: 0.83% of the pixels have no depth (0)." in text


def test_leakage_by_what_samples_show() -> None:
    text = found({}, findings(1.0, 1.0, splits=("train", "val")))
    assert (
        "warning: Leakage between splits: 2 assets are in more than one split: wall, cup;" in text
    )


def test_leakage_by_what_the_run_found() -> None:
    one = findings(1.0, splits=("train", "val"))
    info = {"leakage": Leakage(assets=0, near_duplicates=3)}
    assert "3 pairs of near-duplicates are in different splits" in found(info, one)
    assert "good: No leakage" in found({}, one)
    one.splits["val"].samples = 0
    assert "warning: Empty splits: No sample is in val." in found({}, one)


def test_one_split_leaks_nothing() -> None:
    assert "eakage" not in found({}, findings(1.0))


def test_assets() -> None:
    text = found({"backgrounds": 3}, findings(1.0))
    assert "Unused" not in found({"backgrounds": 5}, findings(1.0))
    assert "note: Unused assets: 2 of 3 backgrounds appear in no sample." in text
    left_out = [LeftOut(f"fg/{number}.png", "broken") for number in range(27)]
    text = found({"left_out": left_out}, findings(1.0))
    assert "note: Assets left out: 27 files not used: 27 broken. They are: fg/0.png (b" in text
    assert text.count("fg/") == 20
    assert "and 7 more; dataset.json lists all." in text


def test_redraws_and_fallbacks() -> None:
    text = found({"counts": {"redrawn": 1, "redraws": 5, "blend_fallbacks": 3}}, findings(1.0))
    assert "note: Redrawn assets: 1 of 4 (25.00%) samples drew other assets" in text
    assert "(5 redraws)" in text
    assert "note: Blend fallbacks: 3 cut-outs" in text


def test_no_numbers_at_all() -> None:
    one = findings()
    assert found({}, one, contract(clip=True)) == ""
    assert np.all(one.census.placement == 0)
