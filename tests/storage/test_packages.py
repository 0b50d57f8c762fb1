"""Commands that install what a plan names, and nothing else."""

from __future__ import annotations

import pytest

from depthmask.storage.packages import install_command, other_pixels


@pytest.mark.parametrize(
    ("package", "version"), [("depthmask-sqlite", "1.0"), ("a.b_c", "2!1.0rc1.post2+local.1")]
)
def test_a_command(package: str, version: str) -> None:
    assert install_command(package, version) == f"pip install '{package}=={version}'"


@pytest.mark.parametrize(
    ("package", "version"),
    [
        ("", "1.0"), ("a", ""), ("-r", "1.0"), ("a b", "1.0"), ("a'", "1.0"), ("a\n", "1.0"),
        ("a", "1.0'; x"), ("a", "-1"), ("git+https://x", "1"), ("a", "1.0\n"),
    ],
)  # fmt: skip
def test_no_command_for_what_is_no_package(package: str, version: str) -> None:
    assert install_command(package, version) == ""


def test_the_first_stage_with_other_pixels_is_named() -> None:
    plan = {"versions": {"depthmask": "0.1.0", "far": "3.0"}, "pixel_versions": {"depth=far": 4}}
    present = {
        "packages": {"depth=far": "far"},
        "pixel_versions": {"depthmask": 1, "blend=alpha": 2, "depth=far": 4},
    }
    assert other_pixels(plan, present) == (
        "blend=alpha has pixel version 1 there and 2 now (made by depthmask 0.1.0: "
        "`pip install 'depthmask==0.1.0'`)"
    )
    present["pixel_versions"] = {"depth=far": 3}
    assert other_pixels(plan, present) == (
        "depth=far has pixel version 4 there and 3 now (made by far 3.0: `pip install 'far==3.0'`)"
    )
    assert other_pixels(plan, {"pixel_versions": {"depthmask": 1, "depth=far": 4}}) is None
