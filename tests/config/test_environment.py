"""Environment variables: all of them are known, and misspelt ones are named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from depthmask.config.environment import VARIABLES, misspelt_variables
from depthmask.errors import DepthmaskError
from tests.support.paths import ROOT
from tests.support.plugins import install_module, registry_of, run_with_plugins

NOTHING = "from depthmask import hookimpl\n@hookimpl\ndef depthmask_stages():\n    return []\n"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    for name in ("depthmask-red", "depthmask-blue"):
        module = name.replace("-", "_")
        install_module(tmp_path, module, NOTHING)
        info = tmp_path / f"{module}-1.2.dist-info"
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
        (info / "entry_points.txt").write_text(f"[depthmask]\n{name[10:]} = {module}\n")
    return tmp_path


def test_every_variable_in_the_code_is_known_and_documented() -> None:
    names = set()
    for path in (ROOT / "depthmask").rglob("*.py"):
        names |= set(re.findall(r"DEPTHMASK_[A-Z_]+[A-Z]", path.read_text()))
    assert names - {"DEPTHMASK_NOTIFY"} == VARIABLES.keys()
    pages = "".join(path.read_text() for path in (ROOT / "docs").rglob("*.md"))
    assert [name for name in VARIABLES if name not in pages] == []


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("DEPTHMASK_BLOK", "DEPTHMASK_BLOCK"),
        ("DEPTHMASK_BLOCKED", "DEPTHMASK_BLOCK"),
        ("DEPTHMASK_STRICT", "DEPTHMASK_STRICT_PLUGINS"),
        ("DEPTHMASK_CACHE_DIR", "DEPTHMASK_CACHE"),
        ("DEPTHMASK_PREFERRED", "DEPTHMASK_PREFER"),
        ("DEPTH_MASK_BLOCK", "DEPTHMASK_BLOCK"),
        ("depthmask_block", "DEPTHMASK_BLOCK"),
    ],
)
def test_a_misspelt_variable(monkeypatch: pytest.MonkeyPatch, name: str, meant: str) -> None:
    monkeypatch.setenv(name, "x")
    assert list(misspelt_variables()) == [
        f"{name}: no such environment variable; did you mean {meant}?"
    ]


@pytest.mark.parametrize("name", ["DEPTHMASK_NOTIFY", "DEPTHMASK_ROWS_URL", "DEPTH", "MY_BLOCK"])
def test_variables_of_plugins_are_their_own(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "x")
    assert list(misspelt_variables()) == []


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        (
            "DEPTHMASK_BLOCK",
            "depthmask-blu",
            "DEPTHMASK_BLOCK=depthmask-blu: no plugin has this name; did you mean depthmask-blue? "
            "installed: blue, depthmask-blue, depthmask-red, red",
        ),
        (
            "DEPTHMASK_PREFER",
            "blue, depthmask-red",
            "DEPTHMASK_PREFER=blue: no plugin has this name; installed: depthmask-blue, "
            "depthmask-red",
        ),
    ],
)
def test_a_name_that_no_plugin_has(
    site: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    monkeypatch.setenv(variable, value)
    with registry_of(site) as known:
        assert known.warnings == [said]
    monkeypatch.setenv("DEPTHMASK_STRICT_PLUGINS", "1")
    with pytest.raises(DepthmaskError, match="no plugin has this name"), registry_of(site):
        pass


@pytest.mark.parametrize("value", ["red", "depthmask-red", "Depthmask_Red", " red , blue,"])
def test_names_are_compared_as_pip_does(
    site: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("DEPTHMASK_BLOCK", value)
    with registry_of(site) as known:
        assert known.warnings == []
        assert "red" in [problem.plugin for problem in known.blocked]


def test_a_run_warns_once_and_its_workers_do_not(site: Path) -> None:
    words = ("samples=2", "shard_size=1", "source.rooms=1", "source.furniture=1", "+preset=pairs")
    command = ("depthmask", *words, "size=[32,32]", "runner.workers=2", "output=out")
    done = run_with_plugins(site, *command, DEPTHMASK_BLOK="red", DEPTHMASK_BLOCK="rde")
    assert done.returncode == 0, done.stderr
    warnings = [line for line in done.stderr.splitlines() if "warning: " in line]
    assert [line.partition(": no ")[0] for line in warnings] == [
        "warning: DEPTHMASK_BLOCK=rde",
        "warning: DEPTHMASK_BLOK",
    ]
    assert (
        "DEPTHMASK_BLOK: no such"
        in run_with_plugins(site, "depthmask", "plugins", DEPTHMASK_BLOK="red").stdout
    )
