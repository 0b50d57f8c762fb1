"""docs/plugins.md: every hook and stage class with its signature, and an example that is real."""

from __future__ import annotations

import dataclasses
import inspect
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import pytest
from omegaconf import OmegaConf

import depthmask
from depthmask import testing
from depthmask.cli.main import main
from depthmask.config.hooks import Hooks
from depthmask.config.registry import KINDS
from depthmask.stage import describe_settings
from tests.support.paths import ROOT
from tests.support.plugins import loaded

TEXT = (ROOT / "docs" / "plugins.md").read_text()
CLASSES = [
    *(getattr(depthmask, kind.title()) for kind in KINDS),
    depthmask.Estimator,
    depthmask.FixedBatchEstimator,
    depthmask.FinishedSample,
    depthmask.PublishedDataset,
    depthmask.ShardReader,
]


def section(title: str) -> str:
    _, _, rest = TEXT.partition(f"\n{title}\n")
    assert rest, f"no section {title}"
    return re.split(r"\n##+ ", rest)[0]


def documented(title: str) -> list[str]:
    return re.findall(r"^def .*", section(title), re.MULTILINE)


def signatures(cls: type) -> Iterator[str]:
    """As the code has them, in one line, with what the reader has to know."""
    for name, value in vars(cls).items():
        is_property = isinstance(value, property | cached_property)
        function = value.fget if isinstance(value, property) else getattr(value, "func", value)
        private = name.startswith("_") and name not in ("__iter__", "__len__")
        if private or not inspect.isfunction(function):
            continue
        source = textwrap.dedent(inspect.getsource(function))
        match = re.search(r"^def (.*?):(?: \.\.\.)?$", source, re.DOTALL | re.MULTILINE)
        assert match is not None, source
        line = re.sub(r"\s+", " ", match[1]).replace("( ", "(").replace(" )", ")")
        marks = [
            *(["abstract"] if getattr(function, "__isabstractmethod__", False) else []),
            *(["property"] if is_property else []),
        ]
        yield f"def {line}" + (f"  # {' '.join(marks)}" if marks else "")


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_signatures(cls: type) -> None:
    assert documented(f"### {cls.__name__}") == list(signatures(cls))


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_attributes_and_common_settings(cls: type) -> None:
    names = [name for name in inspect.get_annotations(cls) if name not in ("kind", "name")]
    assert [name for name in names if f"`{name}" not in section(f"### {cls.__name__}")] == []


def test_the_table_of_data_objects_is_complete() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", section("### Data objects"), re.MULTILINE))
    for name, text in rows.items():
        fields = [field.name for field in dataclasses.fields(getattr(depthmask, name))]
        missing = [field for field in fields if f"`{field}`" not in text]
        assert missing == [name_ for name_ in missing if name_ == "strip_source"], name
    assert {"Layer", "Sample", "Composite", "Foreground", "Background"} <= rows.keys()


def test_hooks() -> None:
    wanted = [re.sub(r"\(self(, )?", "(", line) for line in signatures(Hooks)]
    assert documented("## Hooks") == wanted
    names = [name for name in vars(Hooks) if name.startswith("depthmask_")]
    assert len(wanted) == len(names)
    assert all(f"`{name}`" in section("## Hooks") for name in names)


def test_the_function_for_metadata() -> None:
    functions = type("Functions", (), {"move_keypoints": depthmask.move_keypoints})
    assert documented("## Metadata") == list(signatures(functions))


def test_examples_of_hooks_work(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, object] = {}
    for title in ("### Commands of your own", "### Statistics of your own"):
        for block in re.findall(r"```python\n(.*?)```", section(title), re.DOTALL):
            exec(block, names)
    hooks: Any = {name: names[name] for name in names if name.startswith("depthmask_")}
    rooms = ["source.rooms=1", "source.furniture=1", "size=[32,32]", "samples=3", "depth=none"]
    with loaded("mine", **hooks):
        assert main([*rooms, "geometry=none", f"output={tmp_path}"]) == 0
        assert capsys.readouterr().out == f"{tmp_path}\n"
        assert main(["upload", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "3 samples to upload\n"
    (summary,) = depthmask.open(tmp_path).metadata.added_statistics.values()
    assert summary["samples"] == sum(summary["histogram"]["counts"]) == 3


def example(title: str) -> str:
    block = re.search(r"```python\n(.*?)```", section(title), re.DOTALL)
    assert block is not None, title
    return block[1]


def test_the_settings_are_accepted() -> None:
    names = {"Path": Path, "Literal": Literal, **vars(depthmask), "__name__": "learned"}
    # Without the future import of this module, which would keep the types as texts.
    exec(compile(example("## Settings"), "plugins.md", "exec", dont_inherit=True), names)
    notes = {one.name: one.note for one in describe_settings(names["Learned"]) if one.note}
    assert list(notes) == ["weights", "batch"]


def test_the_script_runs(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(example("## Without a package"))
    words = ["placement=mine", "samples=2", "shard_size=1", "runner.workers=2", "output=out"]
    done = subprocess.run(
        [sys.executable, "mine.py", *words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "'box': [8, 8, " in done.stdout
    assert len(depthmask.open(tmp_path / "out")) == 2


def test_suites_are_named() -> None:
    named = set(re.findall(r"`(\w+Suite)`", section("## Conformance suites")))
    assert named == set(testing.__all__)


def test_the_walk_is_the_package_line_by_line() -> None:
    walk = section("## A walk through depthmask-scatter")
    blocks = re.findall(r"```python\n(.*?)```", walk, re.DOTALL)
    told = [line for block in blocks[:-1] for line in block.splitlines() if line.strip()]
    folder = ROOT / "plugins" / "depthmask-scatter"
    code = (folder / "depthmask_scatter" / "scatter.py").read_text().splitlines()
    assert told == [line for line in code if line.strip()]
    test = (folder / "tests" / "test_scatter.py").read_text()
    assert all(line in test.splitlines() for line in blocks[-1].splitlines())
    assert len(code) + len(test.splitlines()) <= 40
    toml = re.findall(r"```toml\n(.*?)```", walk, re.DOTALL)[0]
    assert toml in (folder / "pyproject.toml").read_text()


def test_examples_of_presets_are_yaml() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", section("## Presets"), re.DOTALL)
    assert [sorted(map(str, OmegaConf.create(block))) for block in blocks] == [
        ["candidates", "defaults"],
        ["defaults", "fov_deg"],
        ["defaults", "objects"],
    ]
