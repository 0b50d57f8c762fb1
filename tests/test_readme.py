"""The README word for word: its commands, its Python, its plugin and its table of stages."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from depthmask.cli.main import VERBS, main
from depthmask.config.registry import BUILT_IN, KINDS, registry

README = Path(__file__).resolve().parent.parent / "README.md"
TEXT = README.read_text(encoding="utf-8")
COMMANDS = [
    line.partition(" #")[0].strip()
    for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("python -m depthmask")
]
SMALL = ["samples=2", "source.rooms=3", "source.furniture=4", "runner.workers=1"]


def python_blocks() -> list[str]:
    return re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("readme") / "OUT"
    assert main([f"output={out}", *SMALL, "samples=130"]) == 0
    return out


# These need folders of their own, and have tests of their own.
ELSEWHERE = ("assets", "evaluate", "tune", "hydra/", "target=")


@pytest.mark.parametrize(
    "command", [one for one in COMMANDS if not any(word in one for word in ELSEWHERE)]
)
def test_command(
    command: str, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = [str(finished) if word == "OUT" else word for word in shlex.split(command)[3:]]
    is_run = not (words and (words[0] in VERBS or words[0] == "--help"))
    kept = [one for one in SMALL if one.partition("=")[0] not in " ".join(words)]
    assert main([*words, *(["samples=2", *kept] if is_run else [])]) == 0
    if is_run:
        assert list(tmp_path.glob("outputs/*/dataset.json"))


def test_there_are_commands() -> None:
    assert len(COMMANDS) >= 10
    for verb in ("stats", "render"):
        assert any(f"depthmask {verb} " in command for command in COMMANDS)


def test_opening_a_dataset(finished: Path) -> None:
    code = re.sub(r'"outputs/.*?"', repr(str(finished)), python_blocks()[0])
    names: dict[str, object] = {}
    exec(code, names)  # the README's own words
    assert names["sample"].image.shape == (160, 160, 3)  # type: ignore[attr-defined]
    assert names["sample"].depth.dtype == "float32"  # type: ignore[attr-defined]


# The library leaves its files to the garbage collector.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_reading_with_webdataset(finished: Path) -> None:
    exec(python_blocks()[1].replace('"OUT', f'"{finished}'), {})


def test_plugin(tmp_path: Path) -> None:
    package = tmp_path / "my_package"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "corner.py").write_text(python_blocks()[2])
    entry = re.search(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    assert entry is not None
    info = tmp_path / "my_package-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-package\nVersion: 1\n")
    lines = entry[1].replace("[project.entry-points.depthmask]", "[depthmask]").replace('"', "")
    (info / "entry_points.txt").write_text(lines)
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); "
        "from depthmask.cli.main import main; "
        f"sys.exit(main(['placement=corner', 'placement.margin=8', 'output=out', *{SMALL!r}]))"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    import depthmask

    for sample in depthmask.open(tmp_path / "out"):
        assert sample.meta["layers"][0]["box"][:2] == [8, 8]


def test_table_of_stages_is_complete() -> None:
    for kind in KINDS:
        (row,) = [line for line in TEXT.splitlines() if line.startswith(f"| `{kind}` |")]
        named = set(re.findall(r"`(\w+)`", row.split("|")[2]))
        stages = registry().stages[kind].items()
        assert named == {name for name, one in stages if one.provider.name == BUILT_IN}
