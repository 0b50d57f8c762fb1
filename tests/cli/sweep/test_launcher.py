"""The workers of a launcher end with the sweep."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support import tiny

SCRIPT = """
import pathlib, sys, time
from omegaconf import OmegaConf
from depthmask.cli.sweep.launcher import end_workers_with_sweep

TARGET = "hydra_plugins.hydra_joblib_launcher.joblib_launcher.JoblibLauncher"
end_workers_with_sweep(OmegaConf.create({"hydra": {"launcher": {"_target_": TARGET}}}))

from joblib import Parallel, delayed

# The third worker gets no work.
Parallel(n_jobs=3, backend="loky")(
    delayed(exec)(f"import pathlib, time; pathlib.Path('{number}').touch(); time.sleep(100)")
    for number in range(2)
)
"""


def test_workers_of_joblib_end_with_a_killed_sweep(tmp_path: Path) -> None:
    pytest.importorskip("joblib")
    sweep = subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        cwd=tmp_path, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 60
        while len(list(tmp_path.iterdir())) < 2:
            assert sweep.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert len(tiny.group(sweep.pid)) >= 4
        sweep.send_signal(signal.SIGKILL)
        sweep.wait()
        assert tiny.orphans(sweep.pid) == []
    finally:
        tiny.end(tiny.group(sweep.pid))
