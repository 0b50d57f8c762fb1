"""The project's files agree: Python versions, README, citation, CI."""

from __future__ import annotations

import re
import tomllib

import yaml

import depthmask
from tests.support.paths import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PYTHON = "Programming Language :: Python :: 3."
VERSIONS = [one.split()[-1] for one in PROJECT["classifiers"] if one.startswith(PYTHON)]


def test_all_name_the_same_versions_of_python() -> None:
    first, *_, last = VERSIONS
    beyond = f"3.{int(last.partition('.')[2]) + 1}"
    assert PROJECT["requires-python"] == f">={first},<{beyond}"
    assert f"Python {', '.join(VERSIONS[:-1])} or {last}" in README
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    assert workflow["jobs"]["ci"]["strategy"]["matrix"]["python"] == VERSIONS
    assert {"run": ".ci/run"} in workflow["jobs"]["ci"]["steps"]
    assert f"Python {first} to {last}" in (ROOT / ".ci" / "run").read_text()


def test_the_readme_is_short() -> None:
    assert len(README.split()) <= 750


def test_the_readme_has_two_commands_of_one_line() -> None:
    commands = [block.splitlines() for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)]
    set_up = [lines for lines in commands if "pip install" in "".join(lines)]
    assert [len(lines) for lines in set_up] == [1, 1]
    # `.ci/bare` finds them by their beginning.
    assert all(line.startswith("python3 -m venv .venv && ") for (line,) in set_up)


def test_the_citation_is_of_this_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == depthmask.__version__
    assert citation["license"] in PROJECT["license"]
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
