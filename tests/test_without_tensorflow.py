"""Where TensorFlow is absent: what runs, and the line for what does not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from tests.docs.test_words import make_assets
from tests.support.paths import ROOT

PROGRAM = """
import sys
sys.modules |= dict.fromkeys(["keras", "tensorflow", "torch"])
from depthmask.cli.main import main
print("codes", [main(words.split()) for words in sys.argv[1:]])
for name in ("keras", "tf", "torch"):
    try:
        __import__(f"depthmask.adapters.{name}")
    except ImportError as error:
        print(f"{name}: {error}", file=sys.stderr)
"""
"""Modules that are None are as good as not installed."""
SMALL = "samples=2 runner.workers=1 progress=none"
WITHOUT_DEPTH = f"{SMALL} source=assets source.root=PLAIN"
RUNS = [
    f"{SMALL} source.rooms=2 source.furniture=2 output=demo",
    f"{SMALL} source=assets source.root=DIR output=assets",
    f"{WITHOUT_DEPTH} depth=none output=pairs",
    "annotate demo depth=layered output=layered",
    "convert demo writer=npz output=npz",
    "prepare source.root=PLAIN output=prepared",
    "stats demo",
    "verify demo",
    "report demo",
    "render demo --index 1",
    "plugins",
    "--help",
]
REFUSED = {
    "depth=fastdepth output=net": "depth=fastdepth: ",
    "depth=fastdepth depth.runtime=openvino output=net": "depth=fastdepth: ",
    f"{WITHOUT_DEPTH} output=net": "geometry=auto: depth=fastdepth: ",
    f"{WITHOUT_DEPTH} geometry=fastdepth output=net": "geometry=fastdepth: ",
    "annotate demo depth=fastdepth output=net": "depth=fastdepth: ",
    "annotate DIR/bg depth=fastdepth output=net": "depth=fastdepth: ",
    "evaluate depth=fastdepth on=demo": "depth=fastdepth: ",
    "tune depth=fastdepth": "depth=fastdepth: ",
}
"""Command -> the beginning of its line."""
LINE = (
    "needs tensorflow and keras, not installed here: pip install tensorflow keras; depth=none, "
    "and depth=layered over backgrounds that have depth, need no network"
)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """All commands, in one process without the libraries."""
    folder = tmp_path_factory.mktemp("without")
    make_assets(folder / "DIR")
    make_assets(folder / "PLAIN")
    shutil.rmtree(folder / "PLAIN" / "bg_depth")
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *RUNS, *REFUSED],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )


def test_what_needs_no_network_runs(ran: subprocess.CompletedProcess[str]) -> None:
    assert f"codes {[0] * len(RUNS) + [2] * len(REFUSED)}" in ran.stdout, ran.stderr


def test_what_needs_one_gets_one_line(ran: subprocess.CompletedProcess[str]) -> None:
    errors = [line for line in ran.stderr.splitlines() if line.startswith("error: ")]
    assert errors == [f"error: {beginning}{LINE}" for beginning in REFUSED.values()]
    assert "Traceback" not in ran.stderr


def test_adapters_name_the_package(ran: subprocess.CompletedProcess[str]) -> None:
    assert ran.stderr.splitlines()[-3:] == [
        "keras: this adapter needs tensorflow: pip install tensorflow",
        "tf: this adapter needs tensorflow: pip install tensorflow",
        "torch: this adapter needs torch: pip install torch",
    ]
