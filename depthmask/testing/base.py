"""The requirements on any stage."""

from __future__ import annotations

import dataclasses
import inspect
import pickle
import subprocess
import sys
from typing import Any, ClassVar

import pytest
from omegaconf import OmegaConf

from depthmask.config.build import lookup_stage
from depthmask.config.plugins import registry
from depthmask.stage import Stage, describe_settings

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
        copy = OmegaConf.to_object(OmegaConf.structured(stage))
        assert type(copy) is type(stage)
        assert _values(copy) == _values(stage)

    def test_pickles(self, stage: Any) -> None:
        """A stage is pickled for worker processes."""
        copy = pickle.loads(pickle.dumps(stage))  # noqa: S301
        assert type(copy) is type(stage)
        assert _values(copy) == _values(stage)

    def test_importing_it_imports_nothing_heavy(self) -> None:
        """Heavy packages are imported in the function that uses them."""
        code = (
            f"import sys, {self.stage_class.__module__}; "
            f"print(*[name for name in {HEAVY!r} if name in sys.modules])"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert (done.stdout.strip(), done.returncode) == ("", 0), done.stderr


def _values(stage: Any) -> dict[str, Any]:
    return {item.name: getattr(stage, item.name) for item in dataclasses.fields(stage)}
