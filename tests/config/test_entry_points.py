"""What packages say of themselves: entry points, their group, and the depthmask that they need."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from depthmask.config import entry_points
from depthmask.config.entry_points import Package, unmet_requirement
from depthmask.config.plugins import registry
from depthmask.config.provider import Provider
from tests.support.plugins import install_module, registry_of

STAGE = """
from depthmask import Blend, stage

@stage("{name}")
class Mine(Blend):
    "Nothing."
    def blend(self, canvas, patch, top, left):
        return True
"""


@pytest.fixture(autouse=True)
def depthmask_0_1_0(monkeypatch: pytest.MonkeyPatch) -> None:
    """A version that the requirements below are about, whatever the present one is."""
    monkeypatch.setattr(entry_points, "__version__", "0.1.0")


def requiring(*texts: str) -> Package:
    return Package(Provider("mine", "1.2"), texts, ())


@pytest.mark.parametrize(
    "text",
    [
        "depthmask",
        "depthmask>=0.1",
        "depthmask >= 0.1.0",
        "depthmask>=0.1.0.0",
        "depthmask (>=0.1,<0.2)",
        "Depthmask~=0.1",
        "depthmask[openvino]>=0.1",
        'depthmask>=99; python_version < "3"',
        'depthmask>=99; extra == "test"',
        "depthmask @ https://localhost/depthmask.whl",
        "depthmask-onnx>=99",
        "numpy>=99",
        "depthmask >= a number",
    ],
)
def test_requirements_that_are_met_or_no_concern(text: str) -> None:
    assert unmet_requirement(requiring("numpy>=1", text)) is None


@pytest.mark.parametrize(
    "text",
    [
        "depthmask>=99",
        "depthmask>=0.1.0.1",
        "depthmask (<0.1)",
        "Depthmask!=0.1.0",
        "depthmask==0.2.*",
        'depthmask>=99; python_version > "3"',
    ],
)
def test_requirements_that_are_not_met(text: str) -> None:
    assert unmet_requirement(requiring("numpy>=1", text)) == (
        f"it requires {text}, and this is depthmask 0.1.0; install another version of mine or of "
        "depthmask"
    )


def test_an_early_version_of_depthmask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry_points, "__version__", "0.2rc1")
    assert unmet_requirement(requiring("depthmask>=0.1")) is None
    assert unmet_requirement(requiring("depthmask>=0.2")) is not None


def test_a_plugin_for_another_version_is_left_out_in_one_line(tmp_path: Path) -> None:
    code = "raise AssertionError('it is not imported')"
    install_module(tmp_path, "late", code, requires=["numpy>=1", "depthmask>=99"])
    info = tmp_path / "late-1.2.dist-info"
    (info / "entry_points.txt").write_text("[depthmask]\nlate = late\nmore = late\n")
    with registry_of(tmp_path) as known:
        assert [str(problem) for problem in known.problems] == [
            "plugin late, more (late 1.2) is disabled: it requires depthmask>=99, and this is "
            "depthmask 0.1.0; install another version of late or of depthmask"
        ]


@pytest.mark.parametrize(
    "group",
    ["depthmasks", "depth_mask", "depthmask.plugins", "Depthmask", "depth-mask.stages", "deptmask"],
)
def test_a_misspelt_group(tmp_path: Path, group: str) -> None:
    install_module(tmp_path, "lost", STAGE.format(name="lost"), group=group)
    with registry_of(tmp_path) as known:
        assert known.warnings == [
            f"lost 1.2: nobody reads its entry points in the group {group!r}; name the group "
            "'depthmask'"
        ]
        assert "lost" not in known.stages["blend"]


@pytest.mark.parametrize("group", ["depthmask_scatter.shapes", "depthmap", "mask", "pytest11"])
def test_groups_of_others(tmp_path: Path, group: str) -> None:
    install_module(tmp_path, "other", STAGE.format(name="other"), group=group)
    with registry_of(tmp_path) as known:
        assert (known.warnings, known.problems) == ([], [])


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("", "its entry point '' names no module; write PACKAGE.MODULE"),
        ("a b", "its entry point 'a b' names no module"),
        ("fine:Nothing", "its entry point names fine:Nothing, and fine has no Nothing"),
        ("fine:Mine.x", "its entry point names fine:Mine.x, and fine has no Mine.x"),
        ("fine:number", "fine:number is 7; an entry point names a module or a stage class"),
        ("nosuch", "ModuleNotFoundError: No module named 'nosuch'"),
    ],
)
def test_entry_points_that_name_nothing(tmp_path: Path, value: str, said: str) -> None:
    install_module(tmp_path, "fine", STAGE.format(name="fine") + "\nnumber = 7\n")
    entries = tmp_path / "fine-1.2.dist-info" / "entry_points.txt"
    entries.write_text(f"[depthmask]\nfine = fine\nodd = {value}\nwith = fine:Mine [extra]\n")
    with registry_of(tmp_path) as known:
        (problem,) = known.problems
        assert str(problem).startswith(f"plugin odd (fine 1.2) is disabled: {said}")
        assert known.stages["blend"]["fine"].provider.name == "fine"


def test_what_a_removed_package_left_behind(tmp_path: Path) -> None:
    install_module(tmp_path, "gone", "raise AssertionError")
    (tmp_path / "gone-1.2.dist-info" / "METADATA").unlink()
    install_module(tmp_path, "fine", STAGE.format(name="fine"))
    with registry_of(tmp_path) as known:
        assert "fine" in known.stages["blend"]
        (problem,) = known.problems
        assert str(problem).startswith("plugin gone (")


def test_each_plugin_costs_less_than_a_millisecond(tmp_path: Path) -> None:
    """What is read of its metadata, without the import of its module."""
    for number in range(20):
        install_module(
            tmp_path, f"p{number}", STAGE.format(name=f"p{number}"), requires=["depthmask>=0.1"]
        )
    seconds = []
    for _ in range(5):
        with registry_of(tmp_path) as known:
            start = time.perf_counter()
            packages, _ = entry_points.read_entry_points()
            assert {unmet_requirement(package) for package in packages} == {None}
            seconds.append(time.perf_counter() - start)
            assert len(known.load_seconds) == 20
    empty = time.perf_counter()
    entry_points.read_entry_points()
    assert min(seconds) - (time.perf_counter() - empty) < 0.02


def test_built_in_plugins_have_no_warnings() -> None:
    assert registry().problems == []
