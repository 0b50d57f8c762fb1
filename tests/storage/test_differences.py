"""What differs between two plans, in the words of the user."""

from __future__ import annotations

from typing import Any

import pytest

from depthmask.storage.differences import Difference, assets_text, setting_text, telling

SEED = Difference("config.seed", 3, 4)
MORE, FEWER = Difference("config.samples", 2, 4), Difference("config.samples", 4, 2)
STAGE = Difference("config.placement.stage", "random", "grid")
OF_STAGE = Difference("config.placement.rows", None, 3)
ASSETS = Difference("inputs", "a", "b")
CONTRACT = Difference("depth.far", 10.0, None)
INPUT = Difference("dataset.sha256", "a", "b")
PACKAGE = Difference("packages.placement=mine", "mine", "other")
JOB = Difference("job", "generate", "convert")


@pytest.mark.parametrize(
    ("all_of_them", "named"),
    [
        ([MORE, SEED], [SEED]),
        ([FEWER, SEED], [FEWER, SEED]),
        ([MORE, ASSETS], [ASSETS]),
        ([ASSETS, SEED], [SEED, ASSETS]),
        ([OF_STAGE, STAGE], [STAGE]),
        ([OF_STAGE], [OF_STAGE]),
        ([CONTRACT, STAGE], [STAGE]),
        ([CONTRACT], [CONTRACT]),
        ([CONTRACT, MORE], [CONTRACT]),
        ([FEWER, INPUT], [FEWER, INPUT]),
        ([MORE, INPUT], [MORE, INPUT]),
        ([SEED, JOB], [JOB, SEED]),
        ([Difference("versions.my.py", None, "sha256:a"), STAGE], [STAGE]),
        ([Difference("packages.placement=mine", "mine", None), STAGE], [STAGE]),
        ([PACKAGE, SEED], [SEED, PACKAGE]),
        ([ASSETS, Difference("config.source.stage", "assets", "rooms")], [
            Difference("config.source.stage", "assets", "rooms")
        ]),
    ],
)  # fmt: skip
def test_what_forbids_it_is_named_and_what_follows_is_not(
    all_of_them: list[Difference], named: list[Difference]
) -> None:
    assert telling(all_of_them) == named


@pytest.mark.parametrize(
    ("name", "old", "new", "text"),
    [
        ("config.seed", 3, 4, "seed was 3 and is 4"),
        ("config.size", [160, 160], [80, 80], "size was [160,160] and is [80,80]"),
        ("config.flips", True, None, "flips was true and is null"),
        ("config.writer.stage", "zip", "npz", "writer was zip and is npz"),
        ("config.labels.coco", None, {"stage": "coco"}, "labels.coco was null and is coco"),
        ("versions.my.py", "sha256:a", "sha256:b", "the script my.py has changed"),
        (
            "packages.placement=mine", "mine", "other",
            "placement=mine was of the package mine and is of other",
        ),
        (
            "packages.blend=soft", "soft", None,
            "blend=soft was of the package soft and is of depthmask",
        ),
        ("inputs", "a", "b", "the assets are not those that it was made from"),
        (
            "dataset.sha256", "a", "b",
            "the samples or pictures of the input are not those that it was made from",
        ),
    ],
)  # fmt: skip
def test_settings(name: str, old: Any, new: Any, text: str) -> None:
    assert setting_text(Difference(name, old, new)) == text


def test_assets() -> None:
    old = {"fg/chair.png": "1", "fg/gone.png": "2", "bg/same.png": "3"}
    new = {"fg/chair.png": "9", "bg/same.png": "3", **{f"fg/new{n}.png": "4" for n in range(5)}}
    assert assets_text(old, new) == (
        "fg/chair.png changed, 5 new (fg/new0.png, fg/new1.png, fg/new2.png and 2 more), "
        "fg/gone.png gone"
    )
    assert assets_text({}, new) == ""
    assert assets_text(old, old) == ""
