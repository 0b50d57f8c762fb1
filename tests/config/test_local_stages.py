"""Stage classes of scripts, notebooks and modules that belong to no package."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest

import depthmask
from depthmask.config.build import from_plain, to_plain
from depthmask.config.compose import compose_root
from depthmask.config.local_stages import require_file, require_importable, source_file
from depthmask.config.plugins import registry
from depthmask.config.versions import versions
from depthmask.errors import UsageError

SOURCE = """
from depthmask import {base}, setting, stage

@stage("{name}")
class {cls}({base}):
    "Mine."

    margin: int = setting({margin}, help="pixels")

    def {method}(self, *arguments):
        raise AssertionError
"""
Define = Callable[..., types.ModuleType]


@pytest.fixture
def define(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Define:
    """A function that imports a module with one stage; the module ends with the test."""

    def make(
        module: str, name: str = "mine", cls: str = "Mine", *, margin: int = 4, **words: str
    ) -> types.ModuleType:
        values = {"base": "Placement", "method": "place", **words}
        made = sys.modules.get(module) or types.ModuleType(module)
        made.__file__ = str(tmp_path / f"{module}.py")
        text = SOURCE.format(name=name, cls=cls, margin=margin, **values)
        Path(made.__file__).write_text(text)
        monkeypatch.setitem(sys.modules, module, made)
        exec(compile(text, made.__file__, "exec"), vars(made))
        return made

    return make


def test_it_can_be_used_at_once(define: Define) -> None:
    module = define("my_script")
    root = compose_root(["placement=mine", "placement.margin=5"])
    assert type(root.placement) is module.Mine
    assert from_plain(to_plain(root)) == root
    assert "mine" in [one.stage.name for one in registry().offered("placement")]
    with pytest.raises(UsageError, match=r"placement=min: .*did you mean placement=mine"):
        compose_root(["placement=min"])
    with pytest.raises(UsageError, match=r"placement.margn=1: .*did you mean placement.margin"):
        compose_root(["placement=mine", "placement.margn=1"])


def test_it_leaves_with_its_module(define: Define, monkeypatch: pytest.MonkeyPatch) -> None:
    define("my_script")
    monkeypatch.delitem(sys.modules, "my_script")
    with pytest.raises(UsageError, match="placement=mine: no such placement"):
        compose_root(["placement=mine"])


def test_a_class_that_is_defined_again_replaces_the_earlier_one(define: Define) -> None:
    earlier = define("my_script").Mine
    later = define("my_script", margin=9).Mine
    placement = compose_root(["placement=mine"]).placement
    assert (type(placement), placement.margin) == (later, 9)
    assert later is not earlier


def test_an_estimator_is_a_geometry_too(define: Define) -> None:
    define("my_script", base="Estimator", method="estimate")
    with pytest.raises(UsageError, match="stage mine lacks cache_key, contract"):
        registry().stage("geometry", "mine")


@pytest.mark.parametrize(
    ("name", "other"), [("random", "(built-in)"), ("twice", "other.Mine (other.py sha256:")]
)
def test_two_stages_of_one_name(define: Define, name: str, other: str) -> None:
    define("my_script", name)
    if name == "twice":
        define("other", name)
    with pytest.raises(UsageError) as caught:
        compose_root([f"placement={name}"])
    text = str(caught.value)
    assert text.startswith(f"placement={name} is the name of ")
    assert "my_script.Mine (my_script.py sha256:" in text
    assert other in text
    assert text.endswith("give the class another name in @stage")
    assert "\n" not in text


def test_classes_of_packages_are_registered_or_not_offered(
    define: Define, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry(), "packages", {*registry().packages, "my_package"})
    define("my_package.stages")
    with pytest.raises(UsageError, match="placement=mine: no such placement"):
        compose_root(["placement=mine"])
    define("my_package_two")
    assert compose_root(["placement=mine"]).placement.margin == 4


def test_an_incomplete_class(define: Define) -> None:
    define("my_script", method="put")
    with pytest.raises(UsageError, match="stage mine lacks place"):
        compose_root(["placement=mine"])


def test_a_plan_has_the_hash_of_its_file(define: Define) -> None:
    define("my_script")
    first = versions(compose_root(["placement=mine"]))["my_script.py"]
    define("my_script", margin=5)
    second = versions(compose_root(["placement=mine"]))["my_script.py"]
    assert first.startswith("sha256:")
    assert second.startswith("sha256:")
    assert first != second


class Bare(depthmask.Placement):
    """Without the decorator, and with what it would set."""

    kind, name = "placement", "bare"

    def place(self, *arguments: object) -> depthmask.Layer:
        raise AssertionError


def test_a_class_without_the_decorator_is_not_offered() -> None:
    assert "bare" not in [one.stage.name for one in registry().offered("placement")]


def test_a_class_inside_a_function_is_not_offered() -> None:
    @depthmask.stage("inside")
    class Inside(depthmask.Placement):
        def place(self, *arguments: object) -> depthmask.Layer:
            raise AssertionError

    with pytest.raises(UsageError, match="placement=inside: no such placement"):
        compose_root(["placement=inside"])
    with pytest.raises(UsageError) as caught:
        require_importable(Inside())
    assert str(caught.value) == (
        "placement=inside: workers cannot import the class "
        "test_a_class_inside_a_function_is_not_offered.<locals>.Inside; move it to the top of its "
        "module, or set runner.workers=1"
    )


def test_a_notebook_has_no_file(define: Define, monkeypatch: pytest.MonkeyPatch) -> None:
    notebook = types.ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", notebook)
    mine = define("__main__").Mine
    require_file(mine())
    del notebook.__file__
    assert source_file(mine) is None
    assert depthmask.virtual(["placement=mine", "depth=none"]).job.root.placement.margin == 4
    with pytest.raises(UsageError) as caught:
        require_file(mine())
    assert str(caught.value) == (
        "placement=mine: a run needs the class Mine in a file, and it is in a notebook or at a "
        "prompt; move it into a module and import it from there"
    )
