"""Fixtures of the tests: Ray on the loopback alone, a cluster, folders."""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import node_loss
import pytest

# Set before any test, since Ray reads its environment when it is imported.
node_loss.on_loopback()

# A process that a shell starts in the background ignores Ctrl-C, as would those that tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def trial_cluster() -> Iterator[node_loss.TrialCluster]:
    """A cluster on this machine, and the hash of the dataset that `runner=local` makes."""
    folder = short_folder()
    try:
        with node_loss.trial_cluster(folder) as trial_cluster:
            yield trial_cluster
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def scratch() -> Iterator[Path]:
    """An empty folder for Ray's files."""
    folder = short_folder()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def short_folder() -> Path:
    """A folder for sockets, whose paths may have 107 bytes; those of pytest are too long."""
    return Path(tempfile.mkdtemp(prefix="dm-", dir="/tmp"))
