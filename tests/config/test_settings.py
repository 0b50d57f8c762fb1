"""Settings of every type: from the command line into a plan, and back into a command."""

from __future__ import annotations

import json
import shlex
from enum import Enum
from pathlib import Path
from typing import Any, Literal

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from depthmask import Foreground, Layer, Placement, Scene, scaled_layer, setting, stage
from depthmask.cli.commands.help import main as print_help
from depthmask.cli.complete.candidates import candidates
from depthmask.cli.main import main
from depthmask.config.build import from_plain, to_plain
from depthmask.config.command_from_plan import command_from_plan
from depthmask.config.compose import compose_root
from depthmask.errors import UsageError
from depthmask.storage.location import location
from depthmask.storage.publish import require_sealed
from tests.support import tiny

pytestmark = pytest.mark.usefixtures("stages_of_tests")


class Mode(Enum):
    """Two ways."""

    fast = "f"
    slow = "s"


@stage("settled")
class Settled(Placement):
    """A setting of every type; this module belongs to no package."""

    margin: float = setting(1.0, ge=0, help="margin")
    way: Literal["near", "far"] = setting("near", help="way")
    auto: Literal["auto"] | float = setting("auto", ge=0, help="number or auto")
    file: Path | None = setting(None, help="file")
    files: list[Path] = setting([], help="files")
    shares: dict[str, float] = setting({}, ge=0, help="shares")
    table: dict[str, Any] = setting({"a": {"b": 1}}, help="table")
    modes: dict[str, Mode] | None = setting(None, help="modes")
    grid: list[list[float]] = setting([[0.0]], help="grid")
    pair: tuple[int, str] = setting((1, "a"), help="pair")
    ways: list[Literal["near", "far"]] = setting([], help="ways")

    def place(self, scene: Scene, foreground: Foreground, flip: bool, rng: Any) -> Layer:
        return scaled_layer(foreground, top=0, left=0, scale=0.5, flip=flip)


def settled(*overrides: str) -> Settled:
    words = [f"placement.{one}".replace("placement.~", "~placement.") for one in overrides]
    root = compose_root(["placement=settled", *words])
    assert isinstance(root.placement, Settled)
    return root.placement


@pytest.mark.parametrize(
    ("overrides", "name", "value"),
    [
        (["way=far"], "way", "far"),
        (["auto=2"], "auto", 2.0),
        (["file=/a/b"], "file", Path("/a/b")),
        (["files=[a,b/c]"], "files", [Path("a"), Path("b/c")]),
        (["shares={a:1,b c:2}".replace(" ", "\\ ")], "shares", {"a": 1.0, "b c": 2.0}),
        (["shares={1:2}"], "shares", {"1": 2.0}),
        (["shares.a=1", "shares.b=2"], "shares", {"a": 1.0, "b": 2.0}),
        (["table={c:[1]}"], "table", {"a": {"b": 1}, "c": [1]}),
        (["table.a.b=2"], "table", {"a": {"b": 2}}),
        (["~table.a"], "table", {}),
        (["table=null", "table={c:1}"], "table", {"c": 1}),
        (["modes={a:slow}"], "modes", {"a": Mode.slow}),
        (["modes=null"], "modes", None),
        (["grid=[[1,2.5],[]]"], "grid", [[1.0, 2.5], []]),
        (["pair=[2,b]"], "pair", (2, "b")),
        (["ways=[far,near]"], "ways", ["far", "near"]),
    ],
)
def test_the_command_line_sets_it(overrides: list[str], name: str, value: Any) -> None:
    made = getattr(settled(*overrides), name)
    assert (made, type(made)) == (value, type(value))


@pytest.mark.parametrize(
    ("override", "text"),
    [
        ("way=up", "placement.way=up: must be one of near, far"),
        ("way=null", "placement.way=null: must be one of near, far"),
        ("auto=up", "placement.auto=up: must be one of auto or a number"),
        ("auto=-1", "placement.auto=-1: must be at least 0"),
        ("file=1", "placement.file=1: must be a path"),
        ("shares=3", "placement.shares=3: must be a mapping {NAME: VALUE}, each value a number"),
        ("shares={a:x}", "placement.shares={'a': 'x'}: must be a mapping {NAME: VALUE}, each "),
        ("shares={a:-1}", "placement.shares={'a': -1.0}: must be at least 0"),
        ("modes={a:up}", "placement.modes={'a': 'up'}: must be a mapping {NAME: VALUE}, each "),
        ("grid=[1]", "placement.grid=[1]: must be a list, each item a list, each item a number"),
        ("pair=[1]", "placement.pair=[1]: must be a list, [a whole number, a text]"),
    ],
)
def test_a_wrong_value_gets_one_line(override: str, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        settled(override)
    assert str(caught.value).startswith(text)
    assert "\n" not in str(caught.value)


NUMBERS = st.floats(0, 1e6) | st.integers(0, 9).map(float)
WAYS: st.SearchStrategy[Literal["near", "far"]] = st.sampled_from(["near", "far"])
PATHS = st.text("ab /.$é'\"=,", min_size=1).map(Path)
STAGES = st.builds(
    Settled,
    way=WAYS,
    auto=st.just("auto") | NUMBERS,
    file=st.none() | PATHS,
    files=st.lists(PATHS),
    grid=st.lists(st.lists(NUMBERS)),
    pair=st.tuples(st.integers(-9, 9), st.text("a1 ,'")),
    ways=st.lists(WAYS),
    shares=st.dictionaries(st.sampled_from(["a", "b c", "1", "1.5", "x:y"]), NUMBERS),
    table=st.dictionaries(st.sampled_from(["a", "b"]), st.dictionaries(st.just("b"), NUMBERS)),
    modes=st.none() | st.dictionaries(st.just("a"), st.sampled_from(Mode)),
)


@settings(max_examples=20)
@given(STAGES)
def test_a_plan_and_its_command_make_the_same_stage(placement: Settled) -> None:
    root = compose_root(["placement=settled"])
    root.placement = placement
    plain = json.loads(json.dumps(to_plain(root)))
    assert from_plain(plain).placement == placement
    command = shlex.split(command_from_plan({"job": "generate", "config": plain}) or "")
    assert compose_root(command[3:]).placement == placement


def test_help_and_completion_show_types_and_choices(capsys: pytest.CaptureFixture[str]) -> None:
    assert print_help([]) == 0
    text = capsys.readouterr().out
    lines = {line.split("=")[0].strip(): line for line in text.splitlines() if "=" in line}
    assert "near|far" in lines["placement.way"]
    assert "dict[str, float] >= 0" in lines["placement.shares"]
    assert "placement.way=far" in candidates("depthmask placement=settled placement.way=")


def run(folder: Path, *words: str) -> Path:
    """The folder of what a run, or a sweep, of two samples has made."""
    assets = folder / "assets"
    if not assets.exists():
        tiny.make_assets(assets)
    command = tiny.words(assets, folder / "out", "samples=2", "runner.workers=1", *words)
    assert main(command) == 0
    return folder / "out"


def test_a_sweep_over_mappings_and_choices(tmp_path: Path) -> None:
    out = run(
        tmp_path, "-m", "placement=settled", "placement.way=near,far",
        "placement.shares={a:1},{a:2,b:3}", "writer=npz",
    )  # fmt: skip
    plans = [require_sealed(location(one) / "plan.json") for one in out.glob("assets-*")]
    made = {str(plan["config"]["placement"][name]) for plan in plans for name in ("way", "shares")}
    assert (len(plans), made) == (4, {"near", "far", "{'a': 1.0}", "{'a': 2.0, 'b': 3.0}"})
