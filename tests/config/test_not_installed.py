"""What is not installed: which package or extra of depthmask brings it."""

from __future__ import annotations

import re
import tomllib

import pytest
from hydra.core.config_store import ConfigStore

from depthmask.config import not_installed
from depthmask.config.compose import compose_root
from depthmask.config.not_installed import how_to_install, package_with
from depthmask.config.plugins import registry
from depthmask.config.provider import Provider
from depthmask.config.registry import Problem
from depthmask.errors import UsageError
from tests.support.paths import ROOT


def in_repository() -> dict[str, str]:
    """Name of a stage or a preset -> the package in `plugins/` that has it."""
    names = {}
    for path in (ROOT / "plugins").glob("*/depthmask_*/**/*"):
        package = path.relative_to(ROOT / "plugins").parts[0]
        if path.suffix == ".yaml":
            names[path.stem] = package
        elif path.suffix == ".py":
            names.update(dict.fromkeys(re.findall(r'@stage\("(\w+)"\)', path.read_text()), package))
    return names


def test_every_stage_and_preset_of_the_repository() -> None:
    known = {choice.partition("=")[2]: name for choice, name in not_installed._PLUGINS.items()}
    assert known == in_repository()


def test_every_extra() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {*not_installed._EXTRAS.values()} <= {*project["optional-dependencies"]}


@pytest.mark.parametrize("choice", not_installed._PLUGINS)
def test_a_stage_of_a_package(choice: str) -> None:
    kind, _, name = choice.partition("=")
    text = registry().no_such_stage(kind, name, ["other"])
    package = package_with(choice)
    assert text == (
        f"{choice} is not installed: it is in {package}; pip install ./plugins/{package} in "
        "depthmask's repository; available: other"
    )


def test_a_run_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(registry().stages["runner"], "ray", raising=False)
    with pytest.raises(UsageError, match=r"^runner=ray is not installed: it is in depthmask-ray; "):
        compose_root(["runner=ray"])


@pytest.mark.parametrize(
    ("choice", "extra"),
    [
        ("hydra/launcher=joblib", "joblib"),
        ("hydra/launcher=submitit_slurm", "submitit"),
        ("hydra/launcher=submitit_local", "submitit"),
        ("hydra/sweeper=optuna", "optuna"),
    ],
)
def test_an_extra(choice: str, extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    compose_root([])  # Hydra loads its plugins.
    group, _, name = choice.partition("=")
    store = ConfigStore.instance().repo["hydra"][group.partition("/")[2]]
    monkeypatch.delitem(store, f"{name}.yaml", raising=False)
    with pytest.raises(UsageError) as caught:
        compose_root([choice])
    assert str(caught.value).startswith(
        f"{choice} is not installed: pip install 'depthmask[{extra}]'; available: basic"
    )


@pytest.mark.parametrize(
    ("choice", "text"),
    [
        (
            "hydra/sweeper=ax",
            "hydra-ax-sweeper brings it, with which depthmask is not tested; optuna",
        ),
        ("hydra/sweeper=nevergrad", "hydra-nevergrad-sweeper brings it"),
        ("hydra/launcher=ray", "hydra-ray-launcher brings it"),
        ("hydra/launcher=rq", "hydra-rq-launcher brings it"),
    ],
)
def test_packages_of_hydra(choice: str, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        compose_root([choice])
    assert str(caught.value).startswith(f"{choice} is not installed: {text}")


def test_what_nobody_brings() -> None:
    assert how_to_install("writer=tarball") is None
    with pytest.raises(UsageError, match=r"^hydra/launcher=joblip: no such hydra/launcher"):
        compose_root(["hydra/launcher=joblip"])


def test_a_package_that_is_broken_is_not_said_to_be_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    provider = Provider("depthmask-onnx", "0.1.0")
    problem = Problem("onnx", provider, "ImportError: no runtime")
    monkeypatch.setattr(registry(), "problems", [problem])
    text = registry().no_such_stage("depth", "midas_v21_small", [])
    assert text == (
        "depth=midas_v21_small: no such depth; plugin onnx (depthmask-onnx 0.1.0) is disabled: "
        "ImportError: no runtime"
    )
