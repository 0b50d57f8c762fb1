"""The pages about plugins: every method and hook with its signature, and code that runs."""

from __future__ import annotations

import importlib
import inspect
import os
import pickle
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from omegaconf import OmegaConf

import depthmask
from depthmask import testing
from depthmask.cli.main import main
from depthmask.config.hooks import Hooks
from depthmask.config.registry import KINDS
from depthmask.stage import Stage, describe_settings
from tests.support.paths import ROOT
from tests.support.plugins import loaded
from tools.docs_pages import code_of

DOCS = ROOT / "docs"
TEXTS = {path.stem: path.read_text(encoding="utf-8") for path in (DOCS / "plugins").glob("*.md")}
WALK = (DOCS / "plugins.md").read_text(encoding="utf-8")
CLASSES = [
    *((kind, getattr(depthmask, kind.title())) for kind in KINDS),
    ("stages", Stage),
    ("depth", depthmask.Estimator),
    ("depth", depthmask.FixedBatchEstimator),
    ("labels", depthmask.FinishedSample),
    ("writer", depthmask.PublishedDataset),
    ("writer", depthmask.ShardReader),
]
"""Page, and a class that it describes in a section of its own."""
EXAMPLES = {path.stem for path in (ROOT / "examples" / "plugins").glob("*.py")}
RUN = ["source.rooms=2", "source.furniture=3", "size=[32,32]", "samples=3", "runner.workers=1"]
CODE = re.compile(r"<!-- code: (\S+) -->\n\n```python\n")


def section(page: str, title: str) -> str:
    _, _, rest = TEXTS[page].partition(f"\n## {title}\n")
    assert rest, f"{page}: no section {title}"
    return rest.partition("\n## ")[0]


def documented(text: str) -> list[str]:
    """The signatures in a text, with what stands after them."""
    return [" ".join(one) for one in re.findall(r"^- `(def .*?)` ?(.*)$", text, re.MULTILINE)]


def signatures(cls: type) -> Iterator[str]:
    """As the code has them, in one line, with what the reader has to know."""
    for name, value in vars(cls).items():
        is_property = isinstance(value, property | cached_property)
        function = value.fget if isinstance(value, property) else getattr(value, "func", value)
        private = name.startswith("_") and name not in ("__iter__", "__len__")
        if private or not inspect.isfunction(function):
            continue
        source = textwrap.dedent(inspect.getsource(function))
        match = re.search(
            r"^def (.*?):(?: \.\.\.)?(?:  # noqa.*)?$", source, re.DOTALL | re.MULTILINE
        )
        assert match is not None, source
        line = re.sub(r"\s+", " ", match[1]).replace("( ", "(").replace(" )", ")")
        marks = [
            *(["abstract"] if getattr(function, "__isabstractmethod__", False) else []),
            *(["property"] if is_property else []),
        ]
        yield f"def {line} " + (f"({' '.join(marks)})" if marks else "")


@pytest.mark.parametrize(("page", "cls"), CLASSES, ids=[cls.__name__ for _, cls in CLASSES])
def test_methods(page: str, cls: type) -> None:
    title = "Methods of every stage" if cls is Stage else cls.__name__
    assert documented(section(page, title)) == list(signatures(cls))


@pytest.mark.parametrize("kind", KINDS)
def test_attributes_and_common_settings(kind: str) -> None:
    for page, cls in CLASSES:
        if page == kind:
            names = [name for name in inspect.get_annotations(cls) if name not in ("kind", "name")]
            assert [name for name in names if f"`{name}" not in TEXTS[page]] == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_has_its_suite_its_rules_and_a_place_in_the_index(kind: str) -> None:
    assert f"`{kind.title()}Suite` checks" in section(kind, "Rules")
    assert f"| [{kind}](plugins/{kind}.md) |" in WALK


def test_hooks() -> None:
    expected = [re.sub(r"\(self(, )?", "(", line) for line in signatures(Hooks)]
    assert documented(section("hooks", "The hooks")) == expected
    names = [name for name in vars(Hooks) if name.startswith("depthmask_")]
    assert len(expected) == len(names)
    assert all(f"`{name}`" in TEXTS["hooks"] for name in names)


def test_the_function_for_metadata() -> None:
    functions = type("Functions", (), {"move_keypoints": depthmask.move_keypoints})
    assert documented(TEXTS["metadata"]) == list(signatures(functions))


def test_suites_are_named() -> None:
    assert set(re.findall(r"`(\w+Suite)`", TEXTS["tests"])) == set(testing.__all__)


def test_all_python_is_that_of_a_file() -> None:
    """So mypy and ruff check it; `tests/docs/test_pages.py` compares the texts."""
    named = []
    for text in (WALK, *TEXTS.values()):
        assert text.count("```python\n") == len(CODE.findall(text))
        named += CODE.findall(text)
    assert {f"new-plugin:{kind}" for kind in KINDS} <= set(named)
    assert {Path(name).stem for name in named if name.startswith("examples/plugins/")} == EXAMPLES


def test_the_walk_is_short() -> None:
    (stage, test) = CODE.findall(WALK)
    assert sum(code_of(name).count("\n") for name in (stage, test)) <= 40
    (toml,) = re.findall(r"```toml\n(.*?)```", WALK, re.DOTALL)
    assert toml in (ROOT / "plugins" / "depthmask-scatter" / "pyproject.toml").read_text()


@pytest.fixture
def example(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ModuleType]:
    """The module of an example, as if a user had written it."""
    monkeypatch.syspath_prepend(str(ROOT / "examples" / "plugins"))
    module = importlib.import_module(request.param)
    yield module
    # Its stage cannot be chosen from now on.
    del sys.modules[request.param]


@pytest.mark.parametrize(
    ("example", "words"),
    [
        ("disks", ["placement=disks", "objects=2"]),
        ("learned", ["placement=learned", "placement.weights=weights.txt"]),
        ("network", ["depth=network", "depth.weights=colours.txt"]),
        ("palette", ["blend=palette", "blend.levels=2"]),
        ("sqlite", ["writer=sqlite"]),
    ],
    indirect=["example"],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_stage_makes_a_dataset(
    example: ModuleType, words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("weights.txt").write_text("1 " * 15 + "2")
    Path("colours.txt").write_text("0 0 2")
    assert main([*RUN, *words, "output=OUT"]) == 0
    dataset = depthmask.open("OUT")
    assert len(list(dataset)) == 3
    assert main(["verify", "OUT"]) == 0
    if example.__name__ == "network":
        # Twice the blue of the image, which JPEG has changed a little.
        blue = dataset[0].image[..., 2] / 255
        assert abs(dataset[0].depth - (2 * blue).clip(0.1, 10)).mean() < 0.1
    if example.__name__ == "sqlite":
        assert [path.name for path in Path("OUT/shards").iterdir()] == ["train-000000.sqlite"]


@pytest.mark.parametrize("example", ["palette"], indirect=True)
def test_a_pickled_stage_has_what_getstate_returns(example: Any) -> None:
    stage = example.Palette(levels=2)
    assert stage._table[100] == 0
    assert vars(pickle.loads(pickle.dumps(stage))) == {"match": 0.0, "shadow": 0.0, "levels": 2}


@pytest.mark.parametrize("example", ["learned"], indirect=True)
def test_settings_have_the_notes_of_the_page(example: Any) -> None:
    notes = {one.name: one.note for one in describe_settings(example.Learned) if one.note}
    assert list(notes) == ["weights", "batch"]
    with pytest.raises(depthmask.SettingError, match="must be \\[\\[top, left\\]"):
        example.Learned(weights=Path("w"), corners=[[1.0, 0.0], [0.0, 1.0]])
    with pytest.raises(depthmask.SettingError, match="with 16 numbers"):
        example.Learned(weights=Path("w")).check_resources()


def test_hooks_are_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    hooks: dict[str, Any] = {}
    for name in ("upload", "counts", "journal"):
        code = compile(code_of(f"examples/plugins/{name}.py"), name, "exec")
        names: dict[str, Any] = {"__name__": name}
        exec(code, names)
        hooks |= {key: one for key, one in names.items() if key.startswith("depthmask_")}
    with loaded("mine", **hooks):
        assert main([*RUN, "output=OUT"]) == 0
        assert capsys.readouterr().out == "OUT\n"
        assert main(["upload", "OUT"]) == 0
    assert capsys.readouterr().out == "3 samples to upload\n"
    (summary,) = depthmask.open("OUT").metadata.added_statistics.values()
    assert summary["samples"] == sum(summary["histogram"]["counts"]) == 3
    assert Path("journal.txt").read_text().splitlines() == [
        "begun OUT: placement=random samples=3",
        "complete OUT: 3 samples",
    ]


def test_the_script_runs(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(code_of("examples/plugins/mine.py"))
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


def test_examples_of_presets_are_yaml() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", TEXTS["presets"], re.DOTALL)
    assert [sorted(map(str, OmegaConf.create(block))) for block in blocks] == [
        ["candidates", "defaults"],
        ["defaults", "fov_deg"],
        ["defaults", "objects"],
    ]
