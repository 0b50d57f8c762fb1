"""What the registry offers in each group: an estimator is a geometry only where it can be one."""

from __future__ import annotations

from pathlib import Path

from tests.support.plugins import install_module, registry_of, run_with_plugins

ESTIMATOR = """
import depthmask

@depthmask.stage("{name}")
class Net(depthmask.Estimator):
    "A network."
    {attribute}

    @property
    def cache_key(self):
        return "net"

    def contract(self, size, geometry):
        raise AssertionError

    def estimate(self, images):
        raise AssertionError
"""


def test_an_estimator_without_metres_is_no_geometry(tmp_path: Path) -> None:
    code = ESTIMATOR.format(name="mono", attribute="serves_as_geometry = False")
    install_module(tmp_path, "mono", code)
    install_module(tmp_path, "metric", ESTIMATOR.format(name="metric", attribute=""))
    listing = run_with_plugins(tmp_path, "depthmask", "plugins").stdout
    words = "".join(
        run_with_plugins(tmp_path, "depthmask", "completion", "words", f"depthmask {kind}=").stdout
        for kind in ("depth", "geometry")
    )
    for text, mark in ((listing, "  "), (words, "")):
        assert f"{mark}depth=mono" in text
        assert f"{mark}depth=metric" in text
        assert f"{mark}geometry=metric" in text
        assert "geometry=mono" not in text
    done = run_with_plugins(tmp_path, "depthmask", "geometry=mono", "--cfg", "job")
    assert done.returncode == 2
    assert done.stderr == (
        "error: geometry=mono: mono.Net (mono 1.2) gives no depth in metres, which geometry needs "
        "(serves_as_geometry = False); choose it by depth=mono\n"
    )
    assert (
        "available: auto, densedepth"
        in run_with_plugins(tmp_path, "depthmask", "geometry=layered", "--cfg", "job").stderr
    )


def test_a_stage_that_is_left_out_is_explained_where_it_is_chosen(tmp_path: Path) -> None:
    """`mine` is the name of the plugin, too, of which another stage is left out."""
    code = ESTIMATOR.format(name="none", attribute="")
    install_module(tmp_path, "mine", code)
    with registry_of(tmp_path) as known:
        assert [one.name for one in known.problems] == ["depth=none", "geometry=none"]
        assert known.no_such_stage("blend", "mine", ["alpha"]) == (
            "blend=mine: no such blend; available: alpha"
        )
        assert "depth=none of plugin mine (mine 1.2) is left out" in known.no_such_stage(
            "depth", "none", []
        )
