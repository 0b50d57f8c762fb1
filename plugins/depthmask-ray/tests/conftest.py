"""What the tests share: Ray on the loopback alone, a cluster, what local makes."""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import node_loss
import pytest

# Ray reads its environment when it is imported: so before any test.
node_loss.on_loopback()

# What a shell starts in the background is deaf to Ctrl-C, and so would be what tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def arena() -> Iterator[node_loss.Arena]:
    """Two nodes on this machine, and what `runner=local` makes."""
    folder = short_folder()
    try:
        with node_loss.arena(folder) as arena:
            yield arena
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def scratch() -> Iterator[Path]:
    """An empty folder for Ray's files."""
    folder = short_folder()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def short_folder() -> Path:
    """Sockets lie in it, whose paths may have 107 bytes: pytest's own folders are too long."""
    return Path(tempfile.mkdtemp(prefix="dm-", dir="/tmp"))
