"""The requirements on any stage."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import json
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar
from unittest.mock import patch

import pytest
from omegaconf import OmegaConf

from depthmask.config.build import lookup_stage
from depthmask.config.plugins import registry
from depthmask.engine.generate import Generate
from depthmask.stage import Stage, describe_settings
from depthmask.testing.job import own_cache, run_whole, small_job

HEAVY = (
    *("tensorflow", "keras", "torch", "jax", "onnxruntime", "openvino", "ray", "cv2", "scipy"),
    *("pandas", "pyarrow", "matplotlib", "sklearn", "skimage", "boto3", "s3fs", "datasets"),
)
"""Packages whose slow import would delay `--help` and every worker."""


class StageSuite:
    """Tests of any stage. stage_class: the stage. settings: its settings for the tests."""

    stage_class: ClassVar[type[Stage]]
    settings: ClassVar[dict[str, Any]] = {}

    @pytest.fixture
    def stage(self) -> Any:
        """A new stage; override this fixture if its settings name files."""
        stage = self.stage_class(**self.settings)
        stage.bind(lookup_stage)
        return stage

    def test_can_be_chosen_on_the_command_line(self) -> None:
        """The package is installed and names an entry point in the group `depthmask`."""
        cls = self.stage_class
        # Not by `registry().stage`, which knows the classes of this process without a package too.
        registry().require_decided(cls.kind, cls.name)
        registered = registry().stages[cls.kind].get(cls.name)
        assert registered is not None, (
            f"{cls.kind}={cls.name}: no such {cls.kind}; {list(map(str, registry().problems))}"
        )
        assert registered.stage is cls, f"{cls.kind}={cls.name} is {registered}"

    def test_stage_and_settings_are_documented(self) -> None:
        """The stage has a docstring and each setting a help text, which `--help` shows."""
        assert (inspect.getdoc(self.stage_class) or "").strip()
        assert [one.name for one in describe_settings(self.stage_class) if not one.help] == []

    def test_settings_go_through_a_config(self, stage: Any) -> None:
        """Settings survive OmegaConf, which Hydra and `plan.json` use."""
        copy = _copy(stage)
        assert type(copy) is type(stage)
        assert _values(copy) == _values(stage)

    def test_pickles(self, stage: Any) -> None:
        """A stage is pickled for worker processes."""
        copy = pickle.loads(pickle.dumps(stage))  # noqa: S301
        assert type(copy) is type(stage)
        assert _values(copy) == _values(stage)

    def test_importing_it_imports_nothing_heavy(self) -> None:
        """Heavy packages are imported in the function that uses them."""
        assert _imported(self.stage_class.__module__).heavy == []

    def test_prints_nothing(
        self, stage: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """A command prints its results and its progress; messages of a stage belong to logging."""
        assert _imported(self.stage_class.__module__).printed == ""
        capfd.readouterr()
        _copy(stage)
        self.use(stage, tmp_path)
        assert "".join(capfd.readouterr()) == ""

    def test_forks_no_process(self, stage: Any, tmp_path: Path) -> None:
        """A forked process hangs where a network has run; spawn processes, or use `subprocess`."""
        assert _imported(self.stage_class.__module__).forks == 0
        with _forks_refused() as forks:
            _copy(stage)
            self.use(stage, tmp_path)
        assert forks == []

    def job_with(self, stage: Any, output: Path) -> Generate:
        """A small job that uses the stage."""
        return small_job(output, **{stage.kind: stage})

    def use(self, stage: Any, folder: Path) -> None:
        """Do with the stage all that a run does, and read the samples."""
        with own_cache(folder / "cache"):
            run_whole(self.job_with(stage, folder / "out"))


@dataclasses.dataclass(frozen=True, slots=True)
class _Import:
    """What a process has done that imported a module.

    heavy: the packages of `HEAVY` that it imported. forks: the number of processes that it forked.
    printed: what it wrote to stdout and stderr.
    """

    heavy: list[str]
    forks: int
    printed: str


@functools.cache
def _imported(module: str) -> _Import:
    """Import a module in a new process."""
    code = (
        "import json, os, sys; forks = []; os.register_at_fork(before=lambda: forks.append(1)); "
        f"import {module}; heavy = [name for name in {HEAVY!r} if name in sys.modules]; "
        "open(sys.argv[1], 'w').write(json.dumps([heavy, len(forks)]))"
    )
    with tempfile.NamedTemporaryFile("r") as answer:
        command = [sys.executable, "-c", code, answer.name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        heavy, forks = json.load(answer)
    return _Import(heavy, forks, done.stdout + done.stderr)


@contextmanager
def _forks_refused() -> Iterator[list[str]]:
    """Let forks of this process fail in the block; gives the list of those that were tried.

    `subprocess` and `spawn` do not use these functions.
    """
    tried: list[str] = []

    def fork() -> int:
        tried.append("os.fork")
        raise AssertionError("the stage forks a process; spawn it, or use subprocess")

    with patch.object(os, "fork", fork), patch.object(os, "forkpty", fork):
        yield tried


def _copy(stage: Any) -> Any:
    """A new stage with the same settings, made as from a config."""
    copy: Any = OmegaConf.to_object(OmegaConf.structured(stage))
    copy.bind(lookup_stage)
    return copy


def _values(stage: Any) -> dict[str, Any]:
    return {item.name: getattr(stage, item.name) for item in dataclasses.fields(stage)}
